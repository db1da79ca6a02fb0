/**
 * A process inside a fresh lab that lets the engine connect, with several clocks, to a listener which keeps the SYNs
 * (TCP_SAVE_SYN, Linux 4.2), and says what was in them.
 *
 * Standard input: DriverInput. Standard output: one JSON object a connection (SeenSyn), those of one destination after the other.
 */
import { text } from 'node:stream/consumers';
import type { StrategyName } from '../../src/domain/strategy.js';
import {
  accept4,
  errno,
  getsockopt,
  nativeBuffer,
  SOCK_CLOEXEC,
  SOL_TCP,
  setsockopt,
  close as sysClose,
} from '../../src/kernel/libc.js';
import { openRouteControl } from '../../src/kernel/rtnetlink.js';
import { listenAll } from '../../src/load/origin/listen.js';
import { outcomesOf } from '../../src/load/outcome.js';
import { CONTROL, createSharedLoad } from '../../src/load/shared.js';
import { runSocketEngine } from '../../src/load/socket/engine-socket.js';
import { LOAD } from '../../src/plan/load-settings.js';

export interface DriverInput {
  readonly address: string;
  readonly clocks: number;
  /** Ports to connect to, in turn; a divisor of `attempts`. */
  readonly destinations: number;
  readonly attempts: number;
  readonly strategy: StrategyName;
}

export interface SeenSyn {
  readonly port: number;
  /** TSval of the timestamps option (RFC 7323, 3.2). */
  readonly timestamp: number;
  /** Kinds of the TCP options, without padding. */
  readonly options: readonly number[];
  /** Bytes behind the headers. */
  readonly data: number;
}

const TCP_SAVE_SYN = 27;
const TCP_SAVED_SYN = 28;
const PORT = 9000;

const input = JSON.parse(await text(process.stdin)) as DriverInput;
const control = openRouteControl();
control.linkUp('lo');
control.close();
const targets = Array.from({ length: input.destinations }, (_, i) => ({ address: input.address, port: PORT + i }));
const listeners = listenAll(targets);
const one = nativeBuffer(4);
one.view.setInt32(0, 1, true);
for (const listener of listeners) setsockopt(listener, SOL_TCP, TCP_SAVE_SYN, one.address, 4);

const shared = createSharedLoad(1);
Atomics.store(shared.control, CONTROL.release, 1);
await runSocketEngine(
  {
    plan: {
      ...LOAD,
      pick: 'round-robin',
      strategy: input.strategy,
      clocks: input.clocks,
      arrival: { shape: 'fill', attempts: input.attempts, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
      holdMs: null,
    },
    addresses: [input.address],
    targets,
    ports: { low: 40_000, high: 40_999 },
    worker: 0,
    slot: 0,
    seed: 1,
    ownDescriptors: false,
    descriptorLimit: 1000,
    descriptorReserve: 100,
    shared,
  },
  () => {},
);
const { ok } = outcomesOf(shared.counters);
if (ok !== input.attempts) throw new Error(`${JSON.stringify(outcomesOf(shared.counters))}`);
for (const listener of listeners) {
  for (let i = 0; i < input.attempts / input.destinations; i++)
    process.stdout.write(`${JSON.stringify(nextSyn(listener))}\n`);
}

function nextSyn(listener: number): SeenSyn {
  const fd = accept4(listener, 0, 0, SOCK_CLOEXEC);
  const bytes = nativeBuffer(256);
  const size = nativeBuffer(4);
  size.view.setUint32(0, 256, true);
  if (fd < 0 || getsockopt(fd, SOL_TCP, TCP_SAVED_SYN, bytes.address, size.address) < 0)
    throw new Error(`no SYN was saved (errno ${errno()})`);
  sysClose(fd);
  const { view } = bytes;
  const tcp = view.getUint8(0) >> 4 === 6 ? 40 : (view.getUint8(0) & 15) * 4;
  const end = tcp + (view.getUint8(tcp + 12) >> 4) * 4;
  const options: number[] = [];
  let timestamp = 0;
  for (let at = tcp + 20; at < end; ) {
    const kind = view.getUint8(at);
    if (kind === 8) timestamp = view.getUint32(at + 2);
    if (kind > 1) options.push(kind);
    at += kind > 1 ? view.getUint8(at + 1) : 1;
  }
  return { port: view.getUint16(tcp), timestamp, options, data: size.view.getUint32(0, true) - end };
}
