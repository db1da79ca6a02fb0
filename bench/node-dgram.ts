/**
 * The contender node:dgram, a process of its own: `node node-dgram.js WORK`, the work as JSON. It binds to 0.0.0.0 before it connects or sends, which
 * nobody can change.
 */
import { createSocket } from 'node:dgram';
import type { Sample } from './churn.js';
import { BYTES, type DatagramWork } from './udp-work.js';

const { sockets, attempts, warmUp, inFlight, targets } = JSON.parse(process.argv[2] ?? '') as DatagramWork;
const request = Buffer.alloc(BYTES);
const shared = sockets === 'one' ? createSocket('udp4', () => done(true)) : null;
let started = 0;
let ok = 0;
let failed = 0;
let cpuBefore = process.cpuUsage();
let begin = performance.now();

function attempt(n: number): void {
  const { address, port } = targets[n % targets.length]!;
  request.writeUInt32LE(n, 4);
  if (shared) return void shared.send(request, port, address, (error) => error && done(false));
  const socket = createSocket('udp4');
  const over = (isOk: boolean) => {
    socket.close();
    done(isOk);
  };
  socket.once('message', () => over(true));
  socket.once('error', () => over(false));
  socket.connect(port, address, () => socket.send(request));
}

function done(isOk: boolean): void {
  if (isOk) ok++;
  else failed++;
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
  shared?.close();
}

startClock();
while (started < Math.min(inFlight, attempts)) attempt(started++);
