/**
 * A guest that runs programs of this folder in place of the agent (guest-programs.ts).
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { bootGuest } from '../../src/lab/vm/boot.js';
import type { CpioEntry } from '../../src/lab/vm/cpio.js';
import { guestImage } from '../../src/lab/vm/image.js';
import { guestKernel } from '../../src/lab/vm/kernel.js';
import { filesIn, GUEST_APP, installedPackages } from '../../src/lab/vm/packages.js';
import { readLines } from '../../src/machine/ndjson.js';
import type { GuestProgram } from './guest-programs.js';

const MEMORY = 2 ** 30;
/** A guest is there in two or three seconds, and a program takes half a minute; CI beside other guests took ten times that. */
const BOOT_MS = 120_000;
const PROGRAM_MS = 1_200_000;
/** Beside the package's own folder, so that the imports of these modules lead where they do here. */
const FOLDER = `${GUEST_APP}/dist/test/support`;

/** What the modules of src/ import that these modules import. */
const PACKAGES = ['zod', 'hdr-histogram-js', 'ipaddr.js'];

export interface ProgramGuest {
  /** As uname(2) says. */
  readonly release: string;
  /** Run a program to its end, in a network namespace of its own. @returns its lines. Rejects when it fails */
  run(program: string): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Boot a User-Mode Linux kernel, fetched when the cache does not have it.
 * @param suite of Debian
 * @param inputs program → its standard input. They lie in the image: the serial line of a user-mode kernel stops for good once 4 KB
 *   wait to be read (line_throttle(), arch/um/drivers/line.c)
 */
export async function bootProgramGuest(suite: string, inputs: Readonly<Record<string, string>>): Promise<ProgramGuest> {
  const kernel = await guestKernel({ engine: 'uml', kernel: suite }, () => {});
  const image = guestImage({ modules: kernel.modules, more: [...ownFiles(), ...inputFiles(inputs)] });
  const entry = `${FOLDER}/guest-programs.js`;
  const channel = bootGuest({ kernel, image, memory: MEMORY, purpose: 'check', entry });
  const lines = readLines(channel.output);
  const [ready, release] = await before(BOOT_MS, async () => (await nextLine()).split(' '));
  assert.ok(ready === 'ready' && release);
  return {
    release,
    run: (program) => before(PROGRAM_MS, () => run(program)),
    close: async () => void (await channel.close()),
  };

  async function run(program: string): Promise<string[]> {
    const input = program in inputs ? inputPath(program) : '/dev/null';
    channel.input.write(`${JSON.stringify({ program, input } satisfies GuestProgram)}\n`);
    const answer: string[] = [];
    for (let line = await nextLine(); ; line = await nextLine()) {
      if (line.startsWith(' ')) answer.push(line.slice(1));
      else {
        assert.equal(line, 'ended 0', `${program} failed\n${channel.stderr()}`);
        return answer;
      }
    }
  }

  async function nextLine(): Promise<string> {
    const { value, done } = await lines.next();
    if (done) throw new Error(`the guest ${await channel.ended}\n${channel.stderr()}`);
    return value;
  }

  /** The guest of a program that takes too long is killed, which ends the wait. */
  async function before<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => channel.kill(), ms);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }
}

/** These modules, all that they may import of the package, and the packages that those import. */
function ownFiles(): CpioEntry[] {
  return [
    ...filesIn(fileURLToPath(new URL('.', import.meta.url)), FOLDER),
    ...filesIn(fileURLToPath(new URL('../../src', import.meta.url)), `${GUEST_APP}/dist/src`),
    ...installedPackages(PACKAGES),
  ].map((file) => ({ kind: 'file', ...file, executable: false }));
}

function inputFiles(inputs: Readonly<Record<string, string>>): CpioEntry[] {
  return Object.entries(inputs).map(([program, text]) => ({
    kind: 'text',
    path: inputPath(program),
    text,
    executable: false,
  }));
}

function inputPath(program: string): string {
  return `/inputs/${program}on`;
}
