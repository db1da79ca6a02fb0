/**
 * Programs on one host, each opening connections in its own way, put through the simulated port choice. Seeded: equal input,
 * equal output. Pure.
 */
import { type Random, randomStream } from '../../domain/random.js';
import { type StrategyName, strategyOf } from '../../domain/strategy.js';
import { type PortRange, portCount } from '../../domain/units.js';
import { hasStrategy } from '../bind-era.js';
import { ANY } from './bucket.js';
import {
  bindSocket,
  closeSocket,
  connectBound,
  connectUnbound,
  createHost,
  expire,
  type Host,
  type HostConfig,
  type Socket,
} from './host.js';

export interface SimulatedProgram {
  readonly strategy: StrategyName;
  /** Local addresses, numbered over the whole host: two programs that name one number share that address. */
  readonly addresses: readonly number[];
  /** Destinations, likewise. Empty: the program only binds, and holds what it gets. */
  readonly destinations: readonly number[];
  readonly pick: 'round-robin' | 'random';
  readonly attempts: number;
  /** Of the first attempt, ms; programs with equal instants take turns in their order. */
  readonly startMs: number;
  /** From one attempt to the next, ms. */
  readonly everyMs: number;
  /** null: held to the end. */
  readonly holdMs: number | null;
  readonly close: 'client' | 'server' | 'reset';
  /** The program's own port list, or the socket's range; null: the host's range. */
  readonly ports: PortRange | null;
}

export interface SimulatedOutcome {
  readonly ok: number;
  readonly bindFailures: number;
  readonly connectFailures: number;
  /** null: none failed. */
  readonly okBeforeFirstFailure: number | null;
}

interface Running {
  readonly program: SimulatedProgram;
  readonly choose: (n: number) => { address: number; destination: number | undefined; visit: number };
  next: number;
  /** Open sockets in the order of their opening, with the instant of their close. */
  readonly open: { readonly socket: Socket; readonly until: number }[];
  closed: number;
  ok: number;
  bindFailures: number;
  connectFailures: number;
  okBeforeFirstFailure: number | null;
}

/** @throws RangeError when a kernel lacks a program's strategy */
export function simulate(config: HostConfig, programs: readonly SimulatedProgram[], seed: number): SimulatedOutcome[] {
  for (const { strategy } of programs) {
    if (hasStrategy(config.kernel, strategy) === 'no')
      throw new RangeError(`${strategy} is not known to Linux ${config.kernel.release}`);
  }
  const random = randomStream(seed, 'simulator');
  const host = createHost(config, random);
  const running = programs.map(
    (program): Running => ({
      program,
      choose: chooser(program, random),
      next: 0,
      open: [],
      closed: 0,
      ok: 0,
      bindFailures: 0,
      connectFailures: 0,
      okBeforeFirstFailure: null,
    }),
  );
  for (;;) {
    const due = earliest(running);
    if (!due) break;
    const now = instant(due);
    for (const other of running) closeDue(host, other, now);
    expire(host, now);
    attempt(host, due, now);
  }
  return running.map(({ ok, bindFailures, connectFailures, okBeforeFirstFailure }) => ({
    ok,
    bindFailures,
    connectFailures,
    okBeforeFirstFailure,
  }));
}

const instant = ({ program, next }: Running) => program.startMs + next * program.everyMs;

function earliest(running: readonly Running[]): Running | undefined {
  let best: Running | undefined;
  for (const one of running) {
    if (one.next < one.program.attempts && (!best || instant(one) < instant(best))) best = one;
  }
  return best;
}

/** Round-robin walks all pairs of address and destination; `visit` counts how often a pair was met. */
function chooser({ addresses, destinations, pick }: SimulatedProgram, random: Random): Running['choose'] {
  const [s, d] = [addresses.length, Math.max(destinations.length, 1)];
  if (pick === 'round-robin') {
    return (n) => {
      const round = Math.floor(n / s);
      return {
        address: addresses[n % s]!,
        destination: destinations[((n % s) + round) % d],
        visit: Math.floor(round / d),
      };
    };
  }
  const visits = new Uint32Array(s * d);
  return () => {
    const [i, j] = [Math.floor(random() * s), Math.floor(random() * d)];
    return { address: addresses[i]!, destination: destinations[j], visit: visits[i * d + j]!++ };
  };
}

function closeDue(host: Host, running: Running, now: number): void {
  const { program, open } = running;
  for (; running.closed < open.length && open[running.closed]!.until <= now; running.closed++) {
    const { socket, until } = open[running.closed]!;
    expire(host, until);
    closeSocket(host, socket, program.close === 'client' && socket.tuple !== null, until);
  }
}

function attempt(host: Host, running: Running, now: number): void {
  const { program } = running;
  const { address, destination, visit } = running.choose(running.next++);
  const result = open(host, program, address, destination, visit, now);
  if (typeof result === 'string') {
    running[result] += 1;
    running.okBeforeFirstFailure ??= running.ok;
    return;
  }
  running.ok += 1;
  if (program.holdMs !== null) running.open.push({ socket: result, until: now + program.holdMs });
}

function open(
  host: Host,
  { strategy, ports, addresses }: SimulatedProgram,
  address: number,
  destination: number | undefined,
  visit: number,
  now: number,
): Socket | 'bindFailures' | 'connectFailures' {
  const row = strategyOf(strategy);
  const options = {
    address: row.address === 'any' ? ANY : address,
    reuse: row.options.includes('SO_REUSEADDR'),
    reuseport: row.options.includes('SO_REUSEPORT'),
  };
  // A route has one preferred source address, whatever number of them the host has.
  const routed = addresses[0]!;
  if (row.port === 'connect') {
    // A bind() that leaves the port for later takes nothing.
    if (destination === undefined) return { binder: { ...options, bound: false }, port: 0, tuple: null };
    const from = row.address === 'none' ? routed : address;
    const own = row.options.includes('IP_LOCAL_PORT_RANGE') && ports ? clamp(ports, host.table) : null;
    return connectUnbound(host, { ...options, address: from }, destination, now, own) ?? 'connectFailures';
  }
  const list = ports ?? host.config.range;
  const named = row.port === 'program' ? list.low + (visit % portCount(list)) : null;
  const socket = bindSocket(host, options, named);
  if (!socket) return 'bindFailures';
  if (destination === undefined) return socket;
  if (connectBound(host, socket, routed, destination, now)) return socket;
  closeSocket(host, socket, false, now);
  return 'connectFailures';
}

function clamp(own: PortRange, { low, high }: PortRange): PortRange {
  const inside = (port: number) => low <= port && port <= high;
  return { low: inside(own.low) ? own.low : low, high: inside(own.high) ? own.high : high };
}
