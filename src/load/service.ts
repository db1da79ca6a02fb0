/**
 * A service that restarts: it listens on some ports of every local address, and gives each up for a moment, one after the other. A port of the
 * ephemeral range may then have become the local port of an outgoing connection, and the service does not get it back. Its sockets have
 * SO_REUSEADDR, as those of services have: TIME_WAIT of connections that it accepted itself does not keep it out, another program's port does.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { PortRange } from '../domain/units.js';
import { errnoName, SystemCallError } from '../kernel/errno.js';
import {
  AF_INET,
  AF_INET6,
  bind,
  close,
  errno,
  listen,
  nativeBuffer,
  SO_REUSEADDR,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  SOL_SOCKET,
  setsockopt,
  socket,
} from '../kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../kernel/sockaddr.js';
import type { Outcomes } from '../results/schema.js';

export interface ServicePlan {
  readonly ports: PortRange;
  /** How long a port is given up for, ms. */
  readonly downMs: number;
  /** Restarts a second, and for how long. */
  readonly rate: number;
  readonly durationMs: number;
  readonly family: 4 | 6;
}

export interface Service {
  /** Begin to restart, so many microseconds from now. */
  start(leadMicros: number): void;
  /** Every restart has its outcome. */
  readonly drained: Promise<void>;
  /** End early. */
  stop(): void;
  /** Close all. @returns `ok`, and `listen:` with the errno, by how often */
  finish(): Outcomes;
}

const BACKLOG = 16;

/** Listen on all of the ports. @throws SystemCallError when one of them cannot be had, which belongs to nobody yet */
export function createService({ ports, downMs, rate, durationMs, family }: ServicePlan): Service {
  const numbers = Array.from({ length: ports.high - ports.low + 1 }, (_, i) => ports.low + i);
  const open = new Map<number, number>();
  const outcomes: Outcomes = {};
  const end = new AbortController();
  let over = () => {};
  const drained = new Promise<void>((resolve) => {
    over = resolve;
  });
  for (const port of numbers) {
    const error = begin(port);
    if (error !== 0) throw new SystemCallError('listen', error, `port ${port}`);
  }

  /** @returns 0 or an errno */
  function begin(port: number): number {
    const fd = socket(family === 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return errno();
    const one = nativeBuffer(4);
    one.view.setInt32(0, 1, true);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, one.address, 4);
    const any = sockaddrTable([{ address: family === 4 ? '0.0.0.0' : '::', port }]);
    if (bind(fd, sockaddrAt(any, 0), any.length) < 0 || listen(fd, BACKLOG) < 0) {
      const error = errno();
      close(fd);
      return error;
    }
    open.set(port, fd);
    return 0;
  }

  function give(port: number): void {
    const fd = open.get(port);
    if (fd !== undefined) close(fd);
    open.delete(port);
  }

  async function restart(port: number): Promise<void> {
    give(port);
    await sleep(downMs, undefined, { signal: end.signal });
    const error = begin(port);
    const outcome = error === 0 ? 'ok' : `listen:${errnoName(error)}`;
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }

  /** One after the other: two restarts of a port would meet themselves. */
  async function run(leadMicros: number): Promise<void> {
    await sleep(leadMicros / 1000, undefined, { signal: end.signal });
    const began = performance.now();
    for (let i = 0; i < Math.round((rate * durationMs) / 1000); i++) {
      const due = began + (i * 1000) / rate - performance.now();
      if (due > 0) await sleep(due, undefined, { signal: end.signal });
      await restart(numbers[i % numbers.length]!);
    }
  }

  return {
    // Rejects only when it is ended early.
    start: (leadMicros) => void run(leadMicros).then(over, over),
    drained,
    stop: () => end.abort(),
    finish() {
      for (const port of numbers) give(port);
      return outcomes;
    },
  };
}
