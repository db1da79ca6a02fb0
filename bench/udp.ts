/**
 * `npm run bench:udp -- [--rounds N] [--attempts N] [--write]`: datagrams with answers per second and per CPU second of one thread, beside a C program and node:dgram. Each round has
 * all of them, in an order that the seed decides, and ratios are taken within a round. UDP leaves nothing behind, so all rounds are in one lab. Who
 * answers is a program that never sleeps (udp-echo.c).
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { loadavg, release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { originTargets, setUpClient } from '../src/agent/place/network.js';
import { launchOrigin } from '../src/agent/roles/launch.js';
import { connectOrigin } from '../src/agent/roles/origin-client.js';
import { SOCKET_SHARES, type SocketShare } from '../src/domain/datagram.js';
import { formatTarget } from '../src/domain/format.js';
import { randomStream, shuffled } from '../src/domain/random.js';
import type { Target } from '../src/domain/target.js';
import { writeSysctl } from '../src/kernel/sysctl.js';
import { unshareCommand } from '../src/lab/netns.js';
import { LOAD } from '../src/plan/load-settings.js';
import type { LoadPlan } from '../src/plan/plan.js';
import type { Sample } from './churn.js';
import { compilePrograms } from './compile.js';
import { runPlan } from './contender.js';
import { writeTable } from './readme.js';
import { spread } from './results.js';
import { table, withSpread } from './table.js';
import { BYTES, type DatagramWork } from './udp-work.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    attempts: { type: 'string', default: '200000' },
    write: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const ROUNDS = Number(values.rounds);
const ATTEMPTS = Number(values.attempts);
const WORK: Omit<DatagramWork, 'sockets' | 'targets'> = {
  attempts: ATTEMPTS,
  warmUp: Math.min(20_000, Math.floor(ATTEMPTS / 2)),
  inFlight: 128,
};
const SOURCE = '10.50.0.1';
const CONTENDERS = ['bindstorm', 'C', 'C, same books', 'node:dgram'] as const;
type Contender = (typeof CONTENDERS)[number];
const EXCHANGE = { request: BYTES, response: BYTES };
/** Where the echo listens, beside the origin, which only makes the network. */
const ECHO_PORT = 10_000;

const run = promisify(execFile);
const inside = process.argv[2] === 'inside';
if (inside) await measureAll(process.argv[3]!, process.argv[4]!);
else startInside();

/** In a network namespace of its own, which ends with it. */
function startInside(): void {
  const compiled = compilePrograms('udp', 'udp-echo');
  if (typeof compiled === 'string') throw new Error(compiled);
  try {
    const self = [process.execPath, fileURLToPath(import.meta.url), 'inside', ...compiled.programs];
    const [program, ...rest] = unshareCommand([...self, ...process.argv.slice(2)], process.getuid?.() === 0);
    process.exitCode = spawnSync(program!, rest, { stdio: 'inherit' }).status ?? 1;
  } finally {
    compiled.remove();
  }
}

async function measureAll(program: string, echoProgram: string): Promise<void> {
  const listeners = originTargets(4, false, 4, 4);
  const origin = await connectOrigin(launchOrigin(true));
  setUpClient([SOURCE], 4, origin.pid);
  writeSysctl('net.ipv4.ip_local_port_range', '1024 65535');
  const plan = { ...LOAD, protocol: 'udp', exchange: EXCHANGE } as const;
  await origin.serve({ network: 'veth', family: 4, hosts: [{ listen: listeners, threads: 1, plan }], neighbours: [] });
  const targets = listeners.map(({ address }, i) => ({ address, port: ECHO_PORT + i }));
  const echo = await startEcho(echoProgram, origin.pid, targets);
  const before = loadavg()[0]!;
  const found = new Map<string, Sample[]>();
  for (let round = 0; round < ROUNDS; round++) {
    const pairs = SOCKET_SHARES.flatMap((sockets) => CONTENDERS.map((contender) => ({ sockets, contender })));
    for (const { sockets, contender } of shuffled(pairs, randomStream(1, `udp/${round}`))) {
      const sample = await measure(contender, { ...WORK, sockets, targets }, program);
      if (sample.ok !== WORK.attempts) throw new Error(`${contender}, ${sockets}: ${sample.failed} attempts failed`);
      const key = `${sockets}/${contender}`;
      found.set(key, [...(found.get(key) ?? []), sample]);
    }
  }
  echo.kill();
  origin.stop();
  const text = markdownOf(found, before);
  process.stdout.write(`${text}\n`);
  if (values.write) writeTable('udp', text);
  process.exit(0);
}

/** In the network of the origin. */
async function startEcho(program: string, origin: number, targets: readonly Target[]) {
  const args = [String(origin), targets.map(formatTarget).join()];
  const echo = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const listens = await Promise.race([once(echo.stdout, 'data'), once(echo, 'exit').then(() => null)]);
  if (listens === null) throw new Error('the echo does not listen');
  return echo;
}

async function measure(contender: Contender, work: DatagramWork, program: string): Promise<Sample> {
  switch (contender) {
    case 'bindstorm':
      return runPlan(planOf(work.sockets), { ...work, sources: [SOURCE] });
    case 'C':
    case 'C, same books': {
      const books = contender === 'C' ? 0 : 1;
      const numbers = [work.attempts, work.warmUp, work.inFlight, books].map(String);
      return runProcess(program, [work.sockets, ...numbers, work.targets.map(formatTarget).join()]);
    }
    case 'node:dgram':
      return runProcess(process.execPath, [
        fileURLToPath(new URL('./node-dgram.js', import.meta.url)),
        JSON.stringify(work),
      ]);
  }
}

function planOf(sockets: SocketShare): Partial<LoadPlan> {
  const how = { protocol: 'udp', exchange: EXCHANGE } as const;
  return sockets === 'one'
    ? { ...how, strategy: 'sendto', peer: 'sendto', sockets }
    : { ...how, strategy: 'connect', peer: 'connect' };
}

async function runProcess(program: string, args: readonly string[]): Promise<Sample> {
  const { stdout } = await run(program, args, { timeout: 60_000, killSignal: 'SIGKILL' });
  return JSON.parse(stdout) as Sample;
}

function markdownOf(found: ReadonlyMap<string, readonly Sample[]>, before: number): string {
  const perCpuSecond = ({ timed, cpuSeconds }: Sample) => timed / cpuSeconds;
  const rate = ({ timed, seconds }: Sample) => timed / seconds;
  const rows = SOCKET_SHARES.flatMap((sockets) => {
    const own = found.get(`${sockets}/bindstorm`)!;
    return CONTENDERS.map((contender) => {
      const samples = found.get(`${sockets}/${contender}`)!;
      const ratios = (value: (sample: Sample) => number) =>
        contender === 'bindstorm'
          ? ''
          : withSpread(spread(samples.map((sample, i) => value(own[i]!) / value(sample))), (n) => n.toFixed(2));
      return [
        sockets === 'one' ? 'one for all' : 'one each',
        contender,
        withSpread(spread(samples.map(rate)), (n) => (Math.round(n / 100) * 100).toLocaleString('en')),
        withSpread(spread(samples.map((sample) => 1e6 / perCpuSecond(sample))), (n) => n.toFixed(1)),
        ratios(rate),
        ratios(perCpuSecond),
      ];
    });
  });
  return [
    '',
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, Node.js ${process.versions.node}. ${ROUNDS} rounds of ${WORK.attempts.toLocaleString('en')} datagrams with answers, ${BYTES} B each way, ${WORK.inFlight} in flight; load average ${before.toFixed(1)} before.`,
    '',
    ...table(['sockets', 'contender', 'answers/s', 'CPU µs each', 'bindstorm ÷ it', 'the same per CPU second'], rows),
    '',
  ].join('\n');
}
