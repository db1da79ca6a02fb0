/**
 * `npm run bench:peers`: a GET each on a connection of its own, by bindstorm and by the load generators that people use. Nothing passes
 * or fails.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../src/agent/environment.js';
import { randomStream, shuffled } from '../src/profile/random.js';
import { inLab } from './in-lab.js';
import { type HttpWork, PEERS, type PeerName } from './peer.js';
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
  const ours = samples.get('bindstorm')!;
  const ratio = (name: PeerName, value: (sample: HttpSample) => number) =>
    withSpread(spread(samples.get(name)!.map((sample, i) => value(ours[i]!) / value(sample))), (n) => n.toFixed(2));
  const rows = PEERS.filter(({ name }) => samples.has(name)).map(({ name, ...more }) => {
    const own = samples.get(name)!;
    return [
      name,
      withSpread(spread(own.map(perSecond)), (n) => (Math.round(n / 100) * 100).toLocaleString('en')),
      withSpread(spread(own.map((sample) => 1e6 / perCpuSecond(sample))), (n) => n.toFixed(1)),
      name === 'bindstorm' ? '' : ratio(name, perSecond),
      name === 'bindstorm' ? '' : ratio(name, perCpuSecond),
      'remark' in more ? more.remark : '',
    ];
  });
  return table(['contender', 'requests/s', 'CPU µs each', 'bindstorm ÷ it', 'the same per CPU second', ''], rows);
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, write: { type: 'boolean', default: false } },
});
const work: HttpWork = { requests: 40_000, inFlight: 64 };
const present = PEERS.map(({ name }) => name).filter(isInstalled);
for (const { name, from } of PEERS) if (!isInstalled(name)) say(`${name} is left out, since it is not here: ${from}`);
const before = loadavg()[0]!;
const samples = await measure(Number(values.rounds), work, present);
const { kernel, cpus, cpu, node } = describeEnvironment('netns');
const markdown = [
  `${new Date().toISOString().slice(0, 10)}, Linux ${kernel}, ${cpus} × ${cpu}, Node.js ${node}. ${values.rounds} rounds of ` +
    `${work.requests.toLocaleString('en')} requests each, ${work.inFlight} in flight; load average ${before.toFixed(1)} before.`,
  '',
  ...tableOf(samples),
  '',
].join('\n');
process.stdout.write(markdown);
if (values.write) writeTable('peers', markdown);
