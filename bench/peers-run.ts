/**
 * `npm run bench:peers`: a GET each on a connection of its own, by bindstorm and by the load generators that people use. Nothing passes
 * or fails.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../src/agent/place/environment.js';
import { randomStream, shuffled } from '../src/domain/random.js';
import { inLab } from './in-lab.js';
import { type HttpWork, PEERS, type Peer, type PeerName } from './peer.js';
import { type HttpSample, isInstalled } from './peer-lab.js';
import { writeTable } from './readme.js';
import { spread } from './results.js';
import { table, withSpread } from './table.js';

const say = (text: string) => process.stderr.write(`${text}\n`);

type Samples = ReadonlyMap<PeerName, readonly HttpSample[]>;

/** Every peer once a round, in an order that the seed decides. */
async function measure(rounds: number, work: HttpWork, present: readonly PeerName[]): Promise<Samples> {
  const samples = new Map<PeerName, HttpSample[]>(present.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const peer of shuffled(present, randomStream(1, `peers/${round}`)))
      samples.get(peer)!.push(await inLab({ kind: 'http', peer, work }));
    say(`round ${round} of ${rounds} done`);
  }
  return samples;
}

const perSecond = ({ ok, seconds }: HttpSample) => ok / seconds;
const perCpuSecond = ({ ok, cpuSeconds }: HttpSample) => ok / cpuSeconds;

function tableOf(samples: Samples): string[] {
  const ratio = ({ name, strategy, against, program }: Peer, value: (sample: HttpSample) => number) => {
    if (strategy !== undefined && program === 'socket engine') return '';
    const ours = samples.get(against ?? 'bindstorm')!;
    return withSpread(spread(samples.get(name as PeerName)!.map((sample, i) => value(ours[i]!) / value(sample))), (n) =>
      n.toFixed(2),
    );
  };
  const rows = PEERS.filter(({ name }) => samples.has(name)).map((peer) => {
    const { name, remark } = peer;
    const own = samples.get(name)!;
    return [
      name,
      withSpread(spread(own.map(perSecond)), (n) => (Math.round(n / 100) * 100).toLocaleString('en')),
      withSpread(spread(own.map((sample) => 1e6 / perCpuSecond(sample))), (n) => n.toFixed(1)),
      ratio(peer, perSecond),
      ratio(peer, perCpuSecond),
      remark ?? '',
    ];
  });
  return table(['contender', 'requests/s', 'CPU µs each', 'bindstorm ÷ it', 'the same per CPU second', ''], rows);
}

/** What the start of the pool takes, of CPU. */
function startOf(samples: Samples): string {
  const { median, min, max } = spread(
    samples.get('bindstorm')!.map(({ startCpuSeconds }) => (startCpuSeconds ?? 0) * 1e3),
  );
  return `${median.toFixed(0)} ms (${min.toFixed(0)}–${max.toFixed(0)})`;
}

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '120000' },
    rounds: { type: 'string', default: '5' },
    write: { type: 'boolean', default: false },
  },
});
const work: HttpWork = {
  requests: Number(values.requests),
  inFlight: 64,
  seconds: Math.ceil(Number(values.requests) / 40_000),
};
const present = PEERS.filter(({ program }) => isInstalled(program)).map(({ name }) => name);
for (const { name, program, from } of PEERS)
  if (!isInstalled(program)) say(`${name} is left out, since it is not here: ${from}`);
const before = loadavg()[0]!;
const samples = await measure(Number(values.rounds), work, present);
const { kernel, cpus, cpu, node } = describeEnvironment('netns');
const markdown = [
  `${new Date().toISOString().slice(0, 10)}, Linux ${kernel}, ${cpus} × ${cpu}, Node.js ${node}. ${values.rounds} rounds of ` +
    `${work.requests.toLocaleString('en')} requests each, ${work.inFlight} in flight; load average ${before.toFixed(1)} before.`,
  '',
  ...tableOf(samples),
  '',
  `The start of bindstorm's pool is in its CPU time: ${startOf(samples)}.`,
  '',
].join('\n');
process.stdout.write(markdown);
if (values.write) writeTable('peers', markdown);
