/**
 * Random arms against a kernel: where the model says that the kernel's rules decide, each count is right to the unit; where it simulates, the
 * count lies in its interval.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type KernelVersion, parseKernelVersion } from '../../../src/capacity/kernel-version.js';
import { timerFrequency } from '../../../src/kernel/timer-frequency.js';
import { netnsCommand } from '../../../src/lab/netns.js';
import { bootProgramGuest } from '../program-guest.js';
import {
  type Answer,
  type Judgement,
  judge,
  type RandomArm,
  randomArms,
  SETTINGS,
  type Setting,
} from '../random-arms.js';
import { type Attacked, tally } from './attack.js';

/** So many have room in the ports of one namespace. */
const PER_LAB = 1000;
const DRIVER = 'random-arms-driver.js';
/** User-Mode Linux counts 100 interrupts a second. */
const GUEST_HZ = 100;

/** Where arms are put, and the kernel that it has. */
interface Kernel {
  readonly version: KernelVersion;
  readonly put: (setting: Setting, arms: readonly RandomArm[]) => Promise<readonly Answer[]>;
}

const HERE: Kernel = {
  version: parseKernelVersion(release(), timerFrequency()),
  async put(setting, arms) {
    const driver = fileURLToPath(new URL('../random-arms-driver.js', import.meta.url));
    const command = netnsCommand([process.execPath, driver], process.getuid?.() === 0);
    const { stdout } = await execa(command[0]!, command.slice(1), { input: `${JSON.stringify({ setting, arms })}\n` });
    return stdout.split('\n').map((line) => JSON.parse(line) as Answer);
  },
};

/** Put as many arms to the kernel that runs here. @param settings in which they are put, evenly */
export function fuzzArms(
  count: number,
  seed: number,
  note: (text: string) => void,
  settings: readonly Setting[] = SETTINGS,
): Promise<Attacked> {
  return putAll(HERE, count, seed, note, settings);
}

/** Kernels of Debian's suites before this one, of which each decides something otherwise. */
const SUITES = ['bullseye', 'bookworm', 'trixie'] as const;

/** The same to User-Mode Linux kernels, one boot a setting. */
export async function fuzzArmsInGuests(count: number, seed: number, note: (text: string) => void): Promise<Attacked> {
  const each: Attacked[] = [];
  for (const suite of SUITES)
    each.push(await putAll(guestOf(suite), Math.ceil(count / SUITES.length), seed, note, SETTINGS));
  return {
    tried: each.reduce((sum, { tried }) => sum + tried, 0),
    failures: each.flatMap(({ failures }) => failures),
    detail: each.map(({ detail }) => detail).join('; '),
  };
}

function guestOf(suite: string): Kernel {
  let version = parseKernelVersion('6.1');
  return {
    get version() {
      return version;
    },
    async put(setting, arms) {
      const guest = await bootProgramGuest(suite, { [DRIVER]: `${JSON.stringify({ setting, arms })}\n` });
      try {
        version = parseKernelVersion(guest.release, GUEST_HZ);
        return (await guest.run(DRIVER)).map((line) => JSON.parse(line) as Answer);
      } finally {
        await guest.close();
      }
    },
  };
}

async function putAll(
  kernel: Kernel,
  count: number,
  seed: number,
  note: (text: string) => void,
  settings: readonly Setting[],
): Promise<Attacked> {
  const failures: string[] = [];
  const all: Judgement[] = [];
  const each = Math.ceil(count / settings.length);
  for (const setting of settings) {
    const found: Judgement[] = [];
    for (let from = seed; found.length < each; from += 1000) {
      const arms = randomArms(setting, Math.min(PER_LAB, each - found.length), from);
      const answers = await kernel.put(setting, arms);
      assert.equal(answers.length, arms.length);
      found.push(...arms.map((arm, i) => judge(arm, answers[i]!, kernel.version)));
    }
    failures.push(...found.flatMap(({ problem }) => problem ?? []));
    const intervals = found.filter(({ how }) => how === 'interval');
    const outside = intervals.filter((one) => one.outside).length;
    const words = `${JSON.stringify(setting)} on ${kernel.version.release}: ${tally(found.map(({ how }) => how))}; ${outside} outside of a 95 % interval`;
    // One in twenty may be.
    if (outside > Math.max(2, intervals.length * 0.15)) failures.push(words);
    if (setting.held !== false && found.filter(({ how }) => how === 'exact').length <= found.length / 4)
      failures.push(`too few are exact for a test: ${words}`);
    note(words);
    all.push(...found);
  }
  return { tried: all.length, failures, detail: `${tally(all.map(({ how }) => how))} on ${kernel.version.release}` };
}
