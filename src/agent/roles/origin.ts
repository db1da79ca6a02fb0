/**
 * Entry of the origin process: the lab's own server, in a namespace of its own. Commands and answers are NDJSON.
 */
import { readNetCounters } from '../../kernel/counters.js';
import { dieWithParent } from '../../kernel/libc.js';
import { writeSysctl } from '../../kernel/sysctl.js';
import { type Sink, startSink } from '../../load/origin/sink-worker.js';
import { readLines, writeMessage } from '../../machine/ndjson.js';
import { descriptorLimit } from '../place/limits.js';
import { setUpOrigin } from '../place/network.js';
import { applySysctls } from '../place/sysctls.js';
import type { OriginCommand, OriginEvent } from './origin-protocol.js';

const say = (event: OriginEvent) => writeMessage(process.stdout, event);
let sink: Sink | undefined;
let ownNamespace = false;

async function serve(command: Extract<OriginCommand, { type: 'serve' }>): Promise<void> {
  ownNamespace = command.network === 'veth';
  if (ownNamespace) {
    const all = [...command.listen, ...(command.neighbours ?? []).flatMap(({ listen }) => listen)];
    setUpOrigin([...new Set(all.map(({ address }) => address))], command.family);
    // The origin must not be what runs out. Its namespace is its own, so the profile's sysctls do not reach it.
    for (const name of ['net.core.somaxconn', 'net.ipv4.tcp_max_syn_backlog']) {
      if (!writeSysctl(name, '4000000').ok) writeSysctl(name, '65535');
    }
  }
  const sysctls = ownNamespace ? applySysctls(command.sysctls ?? {}) : {};
  sink = await startSink({
    plan: command.plan,
    listen: command.listen,
    threads: command.threads,
    descriptorLimit: descriptorLimit(),
    ...(command.certificate ? { certificate: command.certificate } : {}),
  });
  for (const { plan, listen } of command.neighbours ?? [])
    await startSink({ plan, listen, threads: 1, descriptorLimit: descriptorLimit() });
  say({ type: 'listening', sysctls });
}

function stats(): void {
  const counts = sink?.counts() ?? { accepted: 0, refused: 0 };
  const { user, system } = process.cpuUsage();
  const counters = ownNamespace ? readNetCounters() : {};
  const listenOverflows = counters['TcpExt.ListenOverflows'] ?? null;
  const pawsPassive = counters['TcpExt.PAWSPassive'] ?? null;
  say({ type: 'stats', ...counts, listenOverflows, pawsPassive, cpu: { user: user / 1e6, system: system / 1e6 } });
}

const parent = process.ppid;
if (!dieWithParent(parent)) process.exit(1);
say({ type: 'ready' });
try {
  for await (const line of readLines(process.stdin)) {
    const command = JSON.parse(line) as OriginCommand;
    if (command.type === 'serve') await serve(command);
    else stats();
  }
} catch (error) {
  say({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
}
// The agent has closed the pipe: the run is over.
process.exit(0);
