/**
 * Which test file begins next. Most files of lab and e2e wait (for a boot, a bootstrap, a second in TIME_WAIT), so that many of them fit
 * side by side on few CPUs; how many, the machine says itself: another begins as long as CPUs are idle. Pure; scripts/test.mjs asks.
 */

/** What a file took when it was last recorded (test/durations.json, `node scripts/test.mjs --record`). */
export interface Taken {
  /** By the clock, seconds. */
  readonly seconds: number;
  /** Of all processes that it started, CPU seconds. */
  readonly cpu: number;
}

export interface Job {
  /** Below test/, without an ending: `lab/squid`. */
  readonly name: string;
  readonly taken: Taken;
  /** Whether it judges times, so that nothing may go on beside it: `// alone: …` in the head of the file. */
  readonly alone: boolean;
}

/** What the machine can bear now. */
export interface Room {
  readonly cpus: number;
  /** CPUs that nothing used in the last second, 0 to `cpus`. */
  readonly idle: number;
  readonly order: Order;
}

/**
 * What may begin at a time. The longest first makes the whole the shortest. Once half of the time is over, the shortest first, so that a machine
 * which is too slow for all of them leaves out as few as it can; and none when the time is over.
 */
export type Order = 'longest' | 'shortest' | 'none';

/**
 * @param minutes since the first file began
 * @param allowed minutes in which files may begin; 0 is as many as it takes
 * @example `orderAt(40, 60)` is 'shortest'
 */
export function orderAt(minutes: number, allowed: number): Order {
  if (allowed === 0 || minutes < allowed / 2) return 'longest';
  return minutes < allowed ? 'shortest' : 'none';
}

/** Of a file that was never recorded: longer than most, so that it begins early. */
const UNKNOWN: Taken = { seconds: 30, cpu: 15 };
/** Files at once, for each CPU, however idle it is: when all of them compute at the same time, each still has its deadlines. */
const MOST_PER_CPU = 3;
/** A file that begins keeps nearly a CPU busy until its modules are loaded. */
const ENOUGH_IDLE = 0.4;

/** Machines differ by a factor of three, and files that go on side by side make each other longer. */
const LONGER_AT_MOST = 10;
/** A file that waits for packages, or boots a guest that emulates another machine, however little it took elsewhere. */
const LEAST_LIMIT_S = 600;

/**
 * How long a file may take before it is ended and fails, seconds: one that hangs must not take the time of all others, nor their results.
 * @example `limitOf({ seconds: 90, cpu: 20 })` is 900
 */
export function limitOf({ seconds }: Taken): number {
  return Math.max(LEAST_LIMIT_S, LONGER_AT_MOST * seconds);
}

/** The job of a test file, of which the text is read for `// alone: reason`. */
export function jobOf(name: string, text: string, recorded: Readonly<Record<string, Taken>>): Job {
  return { name, taken: recorded[name] ?? UNKNOWN, alone: /^\/\/ alone: ./m.test(text) };
}

/** A file that has a process of its own: hooks and changes of the process would reach the tests of other files. */
const OWN_PROCESS = /^(?:before|after|beforeEach|afterEach)\(|\bmock\.|\bprocess\.(?:env|chdir|exitCode|on|once)\b/m;
/** CPU seconds of one batch: short beside the whole, and long beside the start of a process, which is a third of a second. */
const BATCH_CPU = 4;

/** Whether a unit test may share its process with others. @param text of its source */
export function canShare(text: string): boolean {
  return !OWN_PROCESS.test(text);
}

/** Jobs in batches that take about as long each; a long one is a batch by itself. Every job is in one batch. */
export function inBatches<J extends Job>(jobs: readonly J[]): J[][] {
  const batches: J[][] = [];
  let room = 0;
  for (const job of jobs) {
    if (room < job.taken.cpu) {
      batches.push([]);
      room = BATCH_CPU;
    }
    batches.at(-1)!.push(job);
    room -= job.taken.cpu;
  }
  return batches;
}

/** What the files of a batch take together. */
export function batchOf(name: string, jobs: readonly Job[]): Job {
  const sum = (key: keyof Taken) => jobs.reduce((all, { taken }) => all + taken[key], 0);
  return { name, taken: { seconds: sum('seconds'), cpu: sum('cpu') }, alone: false };
}

/**
 * The job that begins now, or undefined for none. The longest is first, since one that begins last is waited for alone, as long as there is time for
 * all ({@link Order}). As many go on as there are CPUs, and more as long as CPUs are idle. Jobs that must be alone are last, one after the other.
 */
export function nextJob(
  waiting: readonly Job[],
  running: readonly Job[],
  { cpus, idle, order }: Room,
): Job | undefined {
  if (order === 'none' || running.some(({ alone }) => alone)) return undefined;
  const first = (jobs: readonly Job[]) => firstOf(jobs, order === 'longest' ? 1 : -1);
  const together = waiting.filter(({ alone }) => !alone);
  if (together.length === 0) return running.length === 0 ? first(waiting) : undefined;
  const fits = running.length < cpus || (idle >= ENOUGH_IDLE && running.length < MOST_PER_CPU * cpus);
  return fits ? first(together) : undefined;
}

/** @param sign 1 for the longest, -1 for the shortest; of equal ones the first */
function firstOf(jobs: readonly Job[], sign: 1 | -1): Job | undefined {
  return jobs.reduce<Job | undefined>(
    (best, job) => (best && sign * best.taken.seconds >= sign * job.taken.seconds ? best : job),
    undefined,
  );
}
