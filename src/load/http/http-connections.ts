/**
 * The life of an attempt in the HTTP engine: dial or take a connection that is open, tunnel, TLS, GET, then hold, keep or close.
 */
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, createSecureContext, type TLSSocket } from 'node:tls';
import type { Client } from 'undici';
import { formatTarget } from '../../domain/format.js';
import type { Target } from '../../domain/target.js';
import { monotonicMicros as now } from '../../kernel/libc.js';
import type { LoadPlan } from '../../plan/plan.js';
import type { Engine, Equipment } from '../engine.js';
import { failureSlot, SLOT_OK, SLOT_SHED, SLOT_TIMEOUT } from '../outcome.js';
import { openSocksTunnel } from '../socket/socks-tunnel.js';
import { count } from '../tally.js';
import { connectTo, dial } from './http-dial.js';
import { errnoOf } from './http-error.js';
import { type Answer, askForTunnel, clientOn, get } from './http-request.js';

/** How long a client keeps a connection that it does not use: what undici does by default. */
const IDLE_MS = 4000;

interface HttpConnectionsInput extends Equipment {
  readonly plan: LoadPlan;
  readonly family: number;
  /** The proxy in between, if any. A forward proxy must be told where to go. */
  readonly via: 'none' | 'forward' | 'reverse';
  readonly targets: readonly Target[];
  /** With TLS: the certificate that the origin must have, PEM. */
  readonly certificate: string | undefined;
  /** An attempt has its outcome, or a connection was closed. */
  readonly onChange: () => void;
}

interface Connection {
  readonly socket: Socket;
  /** Which attempts may use it again. */
  readonly key: string;
  client: Client | null;
  /** Begun on it. */
  requests: number;
  /** An attempt on it was ok. */
  established: boolean;
  closed: boolean;
  release: NodeJS.Timeout | null;
}

interface Attempt {
  readonly address: number;
  readonly destination: number;
  readonly visit: number;
  /** It uses a connection of another one, and leaves it to the next. */
  readonly shares: boolean;
  readonly scheduled: number;
  readonly started: number;
  settled: boolean;
  deadline: NodeJS.Timeout | null;
}

type Step = { readonly slot: number; readonly stale?: boolean };
const FINE: Step = { slot: SLOT_OK };

/** The golden ratio's fraction: the fractions of its multiples are spread evenly, over any stretch and any residue class (Weyl 1916). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * Whether the n-th attempt is one of those that share connections. Evenly spread also among the attempts of one address or one worker,
 * which every k-th attempt would not be.
 * @param share of the attempts, from 0 to 1; true: all
 */
export function sharesConnection(n: number, share: boolean | number): boolean {
  return (n * GOLDEN) % 1 < Number(share);
}

/** The connections of one worker, none yet. */
export function createHttpConnections(input: HttpConnectionsInput): Engine['connections'] {
  const { plan, picker, remotes, targets, recorder } = input;
  const { tallies } = recorder;
  const tunnels = plan.protocol !== 'get';
  /** The proxy may be asked for any target on one connection. */
  const asksProxy = input.via === 'forward' && !tunnels;
  const dialling = { dialer: input.dialer, family: input.family, reset: plan.close === 'reset', tallies };
  const secureContext = input.certificate === undefined ? null : createSecureContext({ ca: input.certificate });
  const connections = new Set<Connection>();
  /** Connections that wait for a request, by key; the last one used is the first to be used again. */
  const idle = new Map<string, Connection[]>();
  const waiting = new Set<Attempt>();
  // With GET it is the origin that takes its time. With close: server the peer closes; if it never does, the timeout ends the wait.
  const holdMs = plan.close === 'server' ? plan.timeoutMs : !tunnels ? 0 : (plan.holdMs ?? Number.POSITIVE_INFINITY);

  function attempt(n: number, scheduled: number, started: number): void {
    picker.pick(n);
    const { address, destination, visit } = picker;
    const shares = sharesConnection(n, plan.keepAlive);
    const kept = shares ? takeIdle(keyOf(address, destination)) : undefined;
    if (kept === undefined && recorder.open() >= input.budget) return recorder.shed();
    const own: Attempt = { address, destination, visit, shares, scheduled, started, settled: false, deadline: null };
    if (kept === undefined) return dialFor(own, true);
    count(tallies.lag, started - scheduled);
    begin(own);
    void talk(own, kept).then((step) => (step.stale ? again(own, kept) : settle(own, kept, step.slot)));
  }

  /** A proxy may be asked for any destination on one connection; a tunnel has one end. */
  function keyOf(address: number, destination: number): string {
    return asksProxy ? String(address) : `${address} ${destination}`;
  }

  function begin(own: Attempt): void {
    waiting.add(own);
  }

  /** @param first no connection was tried for this attempt before */
  function dialFor(own: Attempt, first: boolean): void {
    const dialled = dial(dialling, own.address, own.visit);
    if (!dialled.ok) {
      if (dialled.slot === SLOT_SHED) {
        end(own);
        return recorder.shed();
      }
      if (first) count(tallies.lag, own.started - own.scheduled);
      end(own);
      return recorder.failed(dialled.slot, now() - own.started);
    }
    if (first) count(tallies.lag, own.started - own.scheduled);
    recorder.opened();
    const connection: Connection = {
      socket: dialled.socket,
      key: keyOf(own.address, own.destination),
      client: null,
      requests: 0,
      established: false,
      closed: false,
      release: null,
    };
    connections.add(connection);
    // Whoever waits for the connection hears of it; a connection that nobody uses just ends.
    dialled.socket.on('error', () => {});
    dialled.socket.on('close', () => close(connection));
    if (first) begin(own);
    arm(own, connection);
    void talk(own, connection).then(({ slot }) => settle(own, connection, slot));
  }

  function arm(own: Attempt, connection: Connection): void {
    if (own.deadline !== null) clearTimeout(own.deadline);
    const left = plan.timeoutMs - (now() - own.started) / 1000;
    // Timers come before what has come from the network, in a turn of Node's loop; where the machine kept this process from its CPU, the answer may
    // be there.
    const timer = setTimeout(
      () => setImmediate(() => own.deadline === timer && settle(own, connection, SLOT_TIMEOUT)),
      Math.max(1, left),
    );
    own.deadline = timer;
  }

  /** The peer has closed a connection while nobody used it: RFC 9112 §9.3.1 has the client try a new one. */
  function again(own: Attempt, kept: Connection): void {
    close(kept);
    if (!own.settled) dialFor(own, false);
  }

  async function talk(own: Attempt, connection: Connection): Promise<Step> {
    const reused = connection.client !== null;
    if (!reused) {
      const slot = await open(own, connection);
      if (slot !== SLOT_OK) return { slot };
    } else {
      arm(own, connection);
    }
    const target = targets[own.destination]!;
    const authority = formatTarget(target);
    const path = asksProxy ? `http://${authority}/` : '/';
    const begun = now();
    connection.requests++;
    const answer = await get(
      connection.client!,
      authority,
      path,
      !tunnels && !staysOpen(own, connection),
      tunnels ? 'exchange' : 'response',
    );
    if (answer.kind === 'failed') return { slot: answer.slot, stale: reused && answer.silent };
    if (own.settled) return FINE;
    if (answer.status >= 300) return { slot: refused(answer) };
    if (!tunnels) recorder.answered(now() - begun);
    return FINE;
  }

  /** Connect, and what comes before the first GET. */
  async function open(own: Attempt, connection: Connection): Promise<number> {
    const { socket } = connection;
    const target = targets[own.destination]!;
    const connected = await connectTo(socket, remotes[own.destination]!, tallies);
    if (connected !== SLOT_OK) return connected;
    if (tunnels) {
      const begun = now();
      const slot = await openTunnel(own, socket, target);
      if (slot !== SLOT_OK || own.settled) return slot;
      recorder.answered(now() - begun);
    }
    let stream: Duplex = socket;
    if (secureContext !== null) {
      const secured = await secure(socket, target);
      if (typeof secured === 'number') return secured;
      stream = secured;
    }
    connection.client = clientOn(stream, own.shares ? IDLE_MS : null);
    return SLOT_OK;
  }

  async function openTunnel(own: Attempt, socket: Socket, target: Target): Promise<number> {
    if (plan.protocol === 'socks5') return openSocksTunnel(socket, target, recorder, () => own.settled);
    const answer = await askForTunnel(clientOn(socket, null), formatTarget(target));
    if (answer.kind === 'failed') return answer.slot;
    return own.settled || answer.status < 300 ? SLOT_OK : refused(answer);
  }

  function refused({ status, squidError }: Extract<Answer, { kind: 'response' }>): number {
    return recorder.refused(status, squidError);
  }

  /** @returns the stream inside of TLS, or the slot of the failure */
  function secure(socket: Socket, target: Target): Promise<TLSSocket | number> {
    return new Promise((resolve) => {
      const stream = connectTls({
        socket,
        host: target.address,
        secureContext: secureContext!,
        ALPNProtocols: ['http/1.1'],
      });
      stream.once('secureConnect', () => resolve(stream));
      stream.on('error', (error) => resolve(failureSlot('tls', errnoOf(error))));
    });
  }

  /** The attempt is over, if it was not before. */
  function settle(own: Attempt, connection: Connection, slot: number): void {
    if (own.settled) return;
    end(own);
    const at = now();
    if (slot === SLOT_OK) {
      succeed(own, connection, at);
    } else {
      // Closed first: what is open at the first failure does not include the connection that failed.
      close(connection);
      recorder.failed(slot, at - own.started);
    }
    input.onChange();
  }

  function end(own: Attempt): void {
    own.settled = true;
    if (own.deadline !== null) clearTimeout(own.deadline);
    waiting.delete(own);
  }

  function succeed(own: Attempt, connection: Connection, at: number): void {
    const [total, service] = [at - own.scheduled, at - own.started];
    if (connection.established || connection.closed) recorder.okAgain(total, service);
    else recorder.ok(total, service);
    connection.established = true;
    if (connection.closed) return;
    if (connection.socket.destroyed) return close(connection);
    if (staysOpen(own, connection)) return keep(connection);
    if (holdMs === 0) return close(connection);
    if (holdMs !== Number.POSITIVE_INFINITY) connection.release = setTimeout(() => close(connection), holdMs);
  }

  /** The request under way is not the last one of its connection. */
  function staysOpen(own: Attempt, { requests }: Connection): boolean {
    return own.shares && requests < (plan.keepAliveRequests ?? Number.POSITIVE_INFINITY);
  }

  function keep(connection: Connection): void {
    const group = idle.get(connection.key);
    if (group === undefined) idle.set(connection.key, [connection]);
    else group.push(connection);
  }

  function takeIdle(key: string): Connection | undefined {
    const group = idle.get(key);
    for (let found = group?.pop(); found !== undefined; found = group?.pop()) if (!found.closed) return found;
    return undefined;
  }

  function close(connection: Connection): void {
    if (connection.closed) return;
    connection.closed = true;
    connections.delete(connection);
    if (connection.release !== null) clearTimeout(connection.release);
    connection.socket.destroy();
    recorder.closed(connection.established);
    input.onChange();
  }

  return {
    pending: () => waiting.size,
    attempt,
    closeAll() {
      for (const own of [...waiting]) end(own);
      for (const connection of [...connections]) close(connection);
      idle.clear();
    },
  };
}
