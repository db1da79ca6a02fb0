/**
 * `npm run bench:supervisor`: what the supervisor of a what-if costs a program that binds, a call, and one that does not; beside strace, which
 * sees the same calls. Each round has all of them, in an order that the seed decides, and ratios are taken within a round.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { loadavg, release } from 'node:os';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { randomStream, shuffled } from '../src/domain/random.js';
import { findProgram } from '../src/machine/programs.js';
import { supervision } from '../src/subjects/what-if/supervise.js';
import { bringLoopbackUp, startInside } from './inside.js';
import { writeTable } from './readme.js';

const ROUNDS = 5;
/** Hundreds of turns. */
const HUNDREDS = { bind: 60, close: 100 } as const;
const HOW = ['alone', 'what-if', 'strace', 'strace, all calls'] as const;
type Work = keyof typeof HUNDREDS;
type How = (typeof HOW)[number];

const WORK: Readonly<Record<Work, string>> = {
  bind: 'socket, bind to port 0, close',
  close: 'socket, close',
};

const inside = process.argv[2] === 'inside';
if (inside) await measureAll(process.argv[3]!);
else startInside('what-if', fileURLToPath(import.meta.url));

async function measureAll(program: string): Promise<void> {
  bringLoopbackUp();
  const before = loadavg()[0]!;
  const found = new Map<string, number[]>();
  for (let round = 0; round < ROUNDS; round++) {
    const pairs = (Object.keys(HUNDREDS) as Work[]).flatMap((work) => HOW.map((how) => ({ work, how })));
    for (const { work, how } of shuffled(pairs, randomStream(1, `what-if/${round}`))) {
      if (how.startsWith('strace') && findProgram('strace') === undefined) continue;
      const key = `${work}/${how}`;
      found.set(key, [...(found.get(key) ?? []), await nanosecondsOf(program, work, how)]);
    }
  }
  const table = markdownOf(found, before);
  process.stdout.write(`${table}\n`);
  if (process.argv.includes('--write')) writeTable('what-if', table);
}

/** Nanoseconds a turn, of the fastest hundred. Rejects when the program fails, or a bind() was not changed. */
async function nanosecondsOf(program: string, work: Work, how: How): Promise<number> {
  const supervised = how === 'what-if' ? supervision({ bind: 'no-port' }) : null;
  const tracer = ['strace', '-f', '-DD', '-q', '-e', 'trace=bind', '-e', 'signal=none', '-o', '/dev/null'];
  const prefixes: Readonly<Record<How, readonly string[]>> = {
    alone: [],
    'what-if': supervised?.prefix ?? [],
    strace: [...tracer, '--seccomp-bpf', '--'],
    'strace, all calls': [...tracer, '--'],
  };
  const [first, ...rest] = [...prefixes[how], program, work, String(HUNDREDS[work])];
  const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'inherit', ...(supervised ? ['pipe' as const] : [])] });
  supervised?.follow(child);
  const [printed, [code]] = await Promise.all([text(child.stdout!), once(child, 'close')]);
  const troubles = supervised?.troubles() ?? [];
  supervised?.end();
  if (code !== 0 || troubles.length > 0) throw new Error(`${work}, ${how}: ended with ${code} ${troubles.join('; ')}`);
  return Number(printed);
}

function markdownOf(found: ReadonlyMap<string, readonly number[]>, before: number): string {
  const rows = (Object.keys(HUNDREDS) as Work[]).flatMap((work) => {
    const alone = found.get(`${work}/alone`)!;
    return HOW.flatMap((how) => {
      const times = found.get(`${work}/${how}`);
      if (times === undefined) return [];
      const added = times.map((time, i) => (time - alone[i]!) / 1000);
      const ratio = times.map((time, i) => time / alone[i]!);
      return `| ${WORK[work]} | ${how} | ${spread(times.map((time) => time / 1000))} | ${how === 'alone' ? '' : spread(added)} | ${how === 'alone' ? '' : spread(ratio)} |`;
    });
  });
  return [
    '',
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, Node.js ${process.versions.node}. ${ROUNDS} rounds, of each the fastest hundred turns of some thousands; medians of the rounds, and the least and the most; load average ${before.toFixed(1)} before.`,
    '',
    '| a turn | how | µs a turn | µs more than alone | ÷ alone |',
    '|--------|-----|-----------|--------------------|---------|',
    ...rows,
    '',
  ].join('\n');
}

function spread(values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, median, most] = [sorted[0]!, sorted[sorted.length >> 1]!, sorted.at(-1)!];
  return `${median.toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}
