/**
 * Small guests for tests, of both engines, with the kernel of Debian bookworm (6.1), fetched when the cache does not have it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { Engine } from '../../src/domain/guest.js';
import type { GuestPlan } from '../../src/lab/vm/boot.js';
import { guestImage } from '../../src/lab/vm/image.js';
import { guestKernel } from '../../src/lab/vm/kernel.js';

export const KERNEL = 'bookworm';
export const BOOT_MS = 120_000;
/** Guests are for x86-64. */
export const SKIP = { skip: process.arch !== 'x64' && 'guests are for x86-64' };
/** Enough for the image, twice while it is unpacked, and the agent. */
const MEMORY = 2 ** 29;

export async function planFor(engine: Engine): Promise<GuestPlan> {
  const kernel = await guestKernel({ engine, kernel: KERNEL }, () => {});
  return { kernel, image: guestImage({ modules: kernel.modules }), memory: MEMORY, purpose: 'check' };
}

/** The processes of a guest that this process has started, without those that only start it. */
export function engineProcesses(): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return [{ pid: Number(pid), parent, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') }];
      } catch {
        return []; // It has ended in between.
      }
    });
  const ours = new Set([process.pid]);
  for (let size = 0; size !== ours.size; ) {
    size = ours.size;
    for (const { pid, parent } of all) if (ours.has(parent)) ours.add(pid);
  }
  const isEngine = (command: string) =>
    /\0(?:initrd=|-initrd\0)/.test(command) && !/^(?:setpriv|unshare|sh|env)\0/.test(command);
  return all
    .filter(({ pid, command }) => pid !== process.pid && ours.has(pid) && isEngine(command))
    .map(({ pid }) => pid);
}

/** Send a signal to each of them; one that has ended with another of them is passed over. */
export function signalEngines(signal: NodeJS.Signals): void {
  for (const pid of engineProcesses())
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
}

export type { GuestPlan };
