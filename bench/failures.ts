/**
 * `npm run bench:failures`: what `watch --failures` costs a program beside it: CPU a turn at 10,000 turns a second, with and without it, of turns
 * whose calls it looks at and of others. Each round has all of them, in an order that the seed decides, and differences are taken within a round.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { loadavg, release } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { studentQuantile } from '../src/analysis/student.js';
import { randomStream, shuffled } from '../src/domain/random.js';
import type { Look } from '../src/gauge/look.js';
import { bringLoopbackUp, startInside } from './inside.js';
import { writeTable } from './readme.js';

const ROUNDS = 15;
const RATE = 10_000;
const SECONDS = 1;
const CLI = fileURLToPath(new URL('../bundle/cli/main.js', import.meta.url));
const WORK = {
  bind: 'socket, bind to port 0, close',
  send: 'sendto, UDP',
  other: 'dup, close: nothing that is counted',
} as const;
type Work = keyof typeof WORK;
const WORKS = Object.keys(WORK) as Work[];

interface Round {
  readonly alone: Readonly<Record<Work, number>>;
  readonly watched: Readonly<Record<Work, number>>;
}

if (process.argv[2] === 'inside') await measureAll(process.argv[3]!);
else if (process.getuid?.() !== 0) throw new Error('watch --failures takes root, and so does this bench');
else startInside('failures', fileURLToPath(import.meta.url));

async function measureAll(program: string): Promise<void> {
  bringLoopbackUp();
  const before = loadavg()[0]!;
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const random = randomStream(1, `failures/${round}`);
    const found: Partial<Record<keyof Round, Record<Work, number>>> = {};
    for (const how of shuffled(['alone', 'watched'] as const, random)) {
      const stop = how === 'watched' ? await startWatch() : () => {};
      const each = {} as Record<Work, number>;
      for (const work of shuffled(WORKS, random)) each[work] = nanosecondsOf(program, work);
      await stop();
      found[how] = each;
    }
    rounds.push(found as Round);
  }
  const table = markdownOf(rounds, before);
  process.stdout.write(`${table}\n`);
  if (process.argv.includes('--write')) writeTable('failures', table);
}

/** The gauge beside it, which has begun to count. Rejects when it cannot. */
async function startWatch(): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [CLI, 'watch', '--failures', '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [first] = (await once(child.stdout!, 'data')) as [Buffer];
  const { refused } = JSON.parse(String(first).split('\n')[0]!) as Look;
  if (refused?.kind !== 'counted') throw new Error(`refused calls are not counted: ${refused?.reason}`);
  child.stdout!.resume();
  await sleep(500);
  return async () => {
    child.kill('SIGTERM');
    await once(child, 'close');
  };
}

/** Nanoseconds of CPU a turn. @throws Error when the program fails */
function nanosecondsOf(program: string, work: Work): number {
  const { status, stdout } = spawnSync(program, [work, String(RATE), String(SECONDS)], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${work}: ended with ${status}`);
  return Number(stdout);
}

function markdownOf(rounds: readonly Round[], before: number): string {
  const rows = WORKS.map((work) => {
    const alone = rounds.map((round) => round.alone[work] / 1000);
    const added = rounds.map((round) => (round.watched[work] - round.alone[work]) / 1000);
    const ofProgram = rounds.map((round) => (100 * (round.watched[work] - round.alone[work])) / round.alone[work]);
    // Microseconds a turn × turns a second, of the 1e6 µs that a CPU has.
    const ofCpu = added.map((micros) => (100 * micros * RATE) / 1e6);
    return `| ${WORK[work]} | ${spread(alone)} | ${spread(added)} | ${spread(ofProgram)} | ${spread(ofCpu)} |`;
  });
  return [
    '',
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, Node.js ${process.versions.node}. ${RATE.toLocaleString('en')} turns a second for ${SECONDS} s, ${ROUNDS} rounds, of each the median of batches of ten turns; means of the rounds, and 95 % intervals of the mean (Student's t); load average ${before.toFixed(1)} before.`,
    '',
    '| a turn | µs of CPU alone | µs more with `watch --failures` | more, % of the program | more, % of a CPU |',
    '|--------|-----------------|---------------------------------|------------------------|------------------|',
    ...rows,
    '',
  ].join('\n');
}

function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
  const half = studentQuantile(0.05, values.length - 1) * Math.sqrt(variance / values.length);
  return `${mean.toFixed(2)} (${(mean - half).toFixed(2)} to ${(mean + half).toFixed(2)})`;
}
