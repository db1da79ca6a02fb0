/**
 * The VM lab: a guest with a kernel of one's choice for every run, gone afterwards. Everything in it lives in memory; the agent in
 * it is the one of the netns lab, and the guest's own namespace is the client's.
 */
import { freemem, totalmem } from 'node:os';
import type { Guest } from '../../profile/plan.js';
import { greetAgent } from '../agent-channel.js';
import { AgentDied, type Lab, LabError, type LabSession } from '../lab.js';
import { labRemedy } from '../remedy.js';
import { guestImage } from './image.js';
import { umlKernel } from './kernel.js';
import { bootUml, type GuestPlan } from './uml.js';

/** A guest is there in two or three seconds; a busy machine may take ten times that. */
const BOOT_DEADLINE_MS = 60_000;
/** Only the pages that the guest touches are taken from this machine: some 300 MB for a small run. */
const MEMORY = 2 ** 31;
const LEAST_MEMORY = 2 ** 29;

/** @param note told what takes long, as the fetching of a kernel */
export function vmLab({ engine, kernel }: Guest, note: (text: string) => void): Lab {
  let plan: Promise<Omit<GuestPlan, 'purpose'>> | undefined;
  return {
    kind: 'vm',
    description: `virtual machine: ${ENGINE_NAMES[engine]}, kernel ${kernel}`,
    async open(purpose) {
      plan ??= prepare(kernel, note);
      return openGuest({ ...(await plan), purpose });
    },
  };
}

const ENGINE_NAMES: Readonly<Record<Guest['engine'], string>> = { uml: 'User-Mode Linux' };

async function prepare(name: string, note: (text: string) => void): Promise<Omit<GuestPlan, 'purpose'>> {
  const kernel = await umlKernel(name, note);
  return { kernel, image: guestImage(kernel.modules), memory: guestMemory() };
}

/** Whole MiB; no more than half of what the machine has. */
function guestMemory(): number {
  const half = Math.floor(totalmem() / 2 / 2 ** 20) * 2 ** 20;
  const memory = Math.min(MEMORY, half);
  if (memory < LEAST_MEMORY)
    throw new LabError(
      `a guest needs 512 MiB of memory, and this machine has ${Math.round(totalmem() / 2 ** 20)} MiB (${Math.round(freemem() / 2 ** 20)} MiB free)`,
    );
  return memory;
}

/** One that dies before its agent says hello is tried once more: a boot is the part where chance has a say. */
async function openGuest(plan: GuestPlan): Promise<LabSession> {
  try {
    return await greetAgent(bootUml(plan), BOOT_DEADLINE_MS);
  } catch (error) {
    if (!(error instanceof LabError && error.cause instanceof AgentDied)) throw error;
    if (/setpriv|unshare/.test(error.message))
      throw new LabError(error.message, { cause: error.cause, remedy: labRemedy() });
    const session = await greetAgent(bootUml(plan), BOOT_DEADLINE_MS);
    return { ...session, warnings: [`a first guest was lost before its agent said hello (${error.cause.message})`] };
  }
}
