/**
 * `npm run bench:pacing`: how near a rate of new connections is to the one asked for. Nothing passes or fails.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../src/agent/place/environment.js';
import { randomStream, shuffled } from '../src/domain/random.js';
import { inLab } from './in-lab.js';
import { PACERS, type Pacer, type PacingSample } from './pacing-lab.js';
import { isInstalled } from './peer-lab.js';
import { writeTable } from './readme.js';
import { spread } from './results.js';
import { table, withSpread } from './table.js';

const say = (text: string) => process.stderr.write(`${text}\n`);
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    rates: { type: 'string', default: '1000,5000,10000,20000' },
    seconds: { type: 'string', default: '4' },
    write: { type: 'boolean', default: false },
  },
});
const rates = values.rates.split(',').map(Number);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
const present = PACERS.filter(isInstalled);
const before = loadavg()[0]!;
const samples = new Map<string, PacingSample[]>();
const keyOf = (pacer: Pacer, rate: number) => `${pacer} ${rate}`;

for (let round = 1; round <= rounds; round++) {
  const pairs = rates.flatMap((rate) => present.map((pacer) => ({ rate, pacer })));
  for (const { rate, pacer } of shuffled(pairs, randomStream(1, `pacing/${round}`))) {
    const key = keyOf(pacer, rate);
    samples.set(key, [...(samples.get(key) ?? []), await inLab({ kind: 'pacing', pacer, work: { rate, seconds } })]);
  }
  say(`round ${round} of ${rounds} done`);
}

const rows = rates.flatMap((rate) =>
  present.map((pacer) => {
    const own = samples.get(keyOf(pacer, rate))!;
    const of = (value: (sample: PacingSample) => number, digits: number) =>
      withSpread(spread(own.map(value)), (n) => n.toFixed(digits));
    const lag = (value: (lag: NonNullable<PacingSample['lag']>) => number) =>
      own[0]!.lag ? of((sample) => value(sample.lag!) / 1e3, 2) : '';
    return [
      `${rate.toLocaleString('en')}/s`,
      pacer,
      of((sample) => (sample.achieved / rate - 1) * 100, 2),
      of((sample) => sample.off.p50, 2),
      of((sample) => sample.off.p99, 2),
      lag(({ p99 }) => p99),
      lag(({ p999 }) => p999),
    ];
  }),
);
const { kernel, cpus, cpu, node } = describeEnvironment('netns');
const markdown = [
  `${new Date().toISOString().slice(0, 10)}, Linux ${kernel}, ${cpus} × ${cpu}, Node.js ${node}. ${rounds} rounds of ${seconds} s each; ` +
    `load average ${before.toFixed(1)} before. Medians over the rounds, with minimum and maximum.`,
  '',
  ...table(
    ['asked', 'contender', 'achieved, % off', 'off the line, ms, p50', 'p99', 'own lag, ms, p99', 'p99.9'],
    rows,
  ),
  '',
].join('\n');
process.stdout.write(markdown);
if (values.write) writeTable('pacing', markdown);
