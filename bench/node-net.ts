/**
 * The contender node:net, a process of its own: `node node-net.js CHURN`, the churn as JSON. With a source address libuv sets
 * SO_REUSEADDR and binds to port 0, which is the strategy bind-reuseaddr.
 */
import { connect } from 'node:net';
import type { Churn, Sample } from './churn.js';

const churn = JSON.parse(process.argv[2] ?? '') as Churn;
const { attempts, warmUp, inFlight, sources, targets } = churn;
const binds = churn.strategy !== 'connect';
let started = 0;
let ok = 0;
let failed = 0;
let cpuBefore = process.cpuUsage();
let begin = performance.now();

function attempt(n: number): void {
  const source = n % sources.length;
  const { address, port } = targets[(source + Math.floor(n / sources.length)) % targets.length]!;
  const socket = connect(binds ? { host: address, port, localAddress: sources[source]! } : { host: address, port });
  // destroy() is close(2) at once, as the others do; end() would first wait for the peer's FIN.
  socket.once('connect', () => {
    ok++;
    socket.destroy();
    next();
  });
  socket.once('error', () => {
    failed++;
    next();
  });
}

function next(): void {
  if (ok + failed === warmUp) startClock();
  if (started < attempts) attempt(started++);
  else if (ok + failed === attempts) finish();
}

function startClock(): void {
  cpuBefore = process.cpuUsage();
  begin = performance.now();
}

function finish(): void {
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  const timed = attempts - warmUp;
  console.log(JSON.stringify({ ok, failed, timed, seconds, cpuSeconds: (user + system) / 1e6 } satisfies Sample));
}

startClock();
while (started < Math.min(inFlight, attempts)) attempt(started++);
