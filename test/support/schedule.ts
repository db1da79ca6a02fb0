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
}

/** Of a file that was never recorded: longer than most, so that it begins early. */
const UNKNOWN: Taken = { seconds: 30, cpu: 15 };
/** Files at once, for each CPU, however idle it is: when all of them compute at the same time, each still has its deadlines. */
const MOST_PER_CPU = 3;
/** A file that begins keeps nearly a CPU busy until its modules are loaded. */
const ENOUGH_IDLE = 0.4;

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
 * The job that begins now, or undefined for none. The longest is first, since one that begins last is waited for alone. As many go on as there are CPUs, and
 * more as long as CPUs are idle. Jobs that must be alone are last, one after the other.
 */
export function nextJob(waiting: readonly Job[], running: readonly Job[], { cpus, idle }: Room): Job | undefined {
  if (running.some(({ alone }) => alone)) return undefined;
  const together = waiting.filter(({ alone }) => !alone);
  if (together.length === 0) return running.length === 0 ? longestOf(waiting) : undefined;
  const fits = running.length < cpus || (idle >= ENOUGH_IDLE && running.length < MOST_PER_CPU * cpus);
  return fits ? longestOf(together) : undefined;
}

function longestOf(jobs: readonly Job[]): Job | undefined {
  return jobs.reduce<Job | undefined>(
    (best, job) => (best && best.taken.seconds >= job.taken.seconds ? best : job),
    undefined,
  );
}
