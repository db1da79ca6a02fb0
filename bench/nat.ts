/**
 * `npm run bench:nat -- [--rounds N] [--attempts N] [--write]`: what a NAT router between costs a connection, and whether it costs the engine more than
 * it costs a C program. All three network namespaces are on one machine, so that the kernel forwards and translates in the very system calls of the
 * client, and its work is in the client's CPU time. What NAT adds to C is the kernel's; what it adds to the engine beyond that would be ours.
 */
import { loadavg, release } from 'node:os';
import { parseArgs } from 'node:util';
import { randomStream, shuffled } from '../src/domain/random.js';
import type { Sample } from './churn.js';
import { compileProgram } from './compile.js';
import { churnOf, inLab } from './in-lab.js';
import { writeTable } from './readme.js';
import { spread } from './results.js';
import { table, withSpread } from './table.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    attempts: { type: 'string', default: '40000' },
    write: { type: 'boolean', default: false },
  },
});
const ROUNDS = Number(values.rounds);
/** Each leaves an entry of conntrack behind for two minutes, of which the table of the machine has room for some 260,000. */
const ATTEMPTS = Number(values.attempts);
const WORK = { strategy: 'connect', attempts: ATTEMPTS, warmUp: Math.floor(ATTEMPTS / 4) } as const;
const SETTINGS = { rounds: ROUNDS, ...WORK, inFlight: 128, sources: 1, destinations: 16, seed: 1 };
const CONTENDERS = ['bindstorm', 'c'] as const;
const WAYS = ['direct', 'NAT'] as const;
type Cell = `${(typeof CONTENDERS)[number]}, ${(typeof WAYS)[number]}`;

const cpuMicros = ({ timed, cpuSeconds }: Sample) => (1e6 * cpuSeconds) / timed;

async function measureAll(churnProgram: string): Promise<ReadonlyMap<Cell, readonly Sample[]>> {
  const found = new Map<Cell, Sample[]>();
  for (let round = 0; round < ROUNDS; round++) {
    const cells = WAYS.flatMap((way) => CONTENDERS.map((contender) => ({ way, contender })));
    for (const { way, contender } of shuffled(cells, randomStream(SETTINGS.seed, `nat/${round}`))) {
      const churn = churnOf(SETTINGS, WORK);
      const sample = await inLab({ kind: 'churn', contender, churn, churnProgram, nat: way === 'NAT' });
      const cell: Cell = `${contender}, ${way}`;
      found.set(cell, [...(found.get(cell) ?? []), sample]);
    }
  }
  return found;
}

function markdownOf(found: ReadonlyMap<Cell, readonly Sample[]>, before: number): string {
  const of = (cell: Cell) => found.get(cell)!;
  const added = (contender: (typeof CONTENDERS)[number], i: number) =>
    cpuMicros(of(`${contender}, NAT`)[i]!) - cpuMicros(of(`${contender}, direct`)[i]!);
  const rounds = Array.from({ length: ROUNDS }, (_, i) => i);
  const micros = (values: readonly number[]) => withSpread(spread(values), (n) => n.toFixed(1));
  const ratio = (values: readonly number[]) => withSpread(spread(values), (n) => n.toFixed(2));
  const rows = WAYS.map((way) => {
    const [own, c] = [of(`bindstorm, ${way}`), of(`c, ${way}`)];
    return [
      way,
      micros(own.map(cpuMicros)),
      micros(c.map(cpuMicros)),
      micros(rounds.map((i) => cpuMicros(own[i]!) - cpuMicros(c[i]!))),
      ratio(rounds.map((i) => cpuMicros(own[i]!) / cpuMicros(c[i]!))),
    ];
  });
  const difference = [
    'NAT adds',
    micros(rounds.map((i) => added('bindstorm', i))),
    micros(rounds.map((i) => added('c', i))),
    micros(rounds.map((i) => added('bindstorm', i) - added('c', i))),
    '',
  ];
  return [
    '',
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, Node.js ${process.versions.node}. ${ROUNDS} rounds of ${ATTEMPTS.toLocaleString('en')} connections, ${SETTINGS.inFlight} in flight; load average ${before.toFixed(1)} before.`,
    '',
    ...table(
      ['between', 'CPU µs a connection: bindstorm', 'C', 'bindstorm − C', 'bindstorm ÷ C'],
      [...rows, difference],
    ),
    '',
  ].join('\n');
}

const compiled = compileProgram('churn');
if (typeof compiled === 'string') throw new Error(compiled);
try {
  const before = loadavg()[0]!;
  const text = markdownOf(await measureAll(compiled.program), before);
  process.stdout.write(`${text}\n`);
  if (values.write) writeTable('nat', text);
} finally {
  compiled.remove();
}
