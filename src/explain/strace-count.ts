/**
 * The system calls of a program that take local ports, counted from what strace(1) writes: those that were refused, how the ports of
 * connections were chosen, and how many connections were open at once. Only calls for IPv4 and IPv6. Pure.
 */
import type { StrategyName } from '../domain/strategy.js';
import type { SyscallCount, Syscalls } from '../subjects/proxy-report.js';
import { createTraceReader, type SeenCall } from './trace/sockets.js';

/** Strategies and destinations that are told apart; the rest is counted with the last. */
const MOST_WAYS = 64;
const OTHERS = 'others';

/**
 * Counts the lines of `strace -f -e trace=…` with the calls of observe.ts, each of which begins with the pid.
 * @param most connections and refusals, of which it is told apart what they were
 */
export function countStrace(most: number | null = null): SyscallCount {
  const reader = createTraceReader();
  const calls = { bind: 0, connect: 0 };
  const failures = new Map<string, Syscalls['failures'][number]>();
  const ways = new Map<string, { strategy: StrategyName; to: string; connections: number }>();
  const ended = new Set<number>();
  let [begun, open, peak] = [0, 0, 0];
  const datagrams = { sockets: 0, peak: 0, strategies: {} as Record<string, number> };
  let openDatagrams = 0;
  let first: { readonly open: number; readonly begun: number } | null = null;
  let events = 0;
  let upTo: Syscalls['upTo'];

  function fail({ pid, name, errno }: SeenCall): void {
    if (name === 'close' || errno === null) return;
    if (name === 'bind' || name === 'connect') first ??= { open, begun };
    const key = `${pid} ${name} ${errno}`;
    const before = failures.get(key)?.count ?? 0;
    failures.set(key, { pid, call: name, errno, count: before + 1 });
    count();
  }

  function count(): void {
    if (++events === most) upTo = { begun, failures: listed() };
  }

  /** UDP sockets, by the ports that the kernel chose for them. */
  function countDatagrams({ name, errno, port, takesPort, strategy }: SeenCall): void {
    if (takesPort) {
      datagrams.sockets++;
      // What is not bound takes its port with its first call, whichever that is.
      const way = strategy === 'connect' && name !== 'connect' ? 'sendto' : strategy;
      datagrams.strategies[way] = (datagrams.strategies[way] ?? 0) + 1;
      datagrams.peak = Math.max(datagrams.peak, ++openDatagrams);
    } else if (name === 'close' && errno === null && port === 'chosen') openDatagrams--;
  }

  function listed(): Syscalls['failures'] {
    return [...failures.values()].sort((a, b) => b.count - a.count || a.pid - b.pid);
  }

  function connect({ strategy, to, connected }: SeenCall): void {
    // A second connect() asks how the first one goes.
    if (connected || to === null) return;
    begun++;
    open++;
    peak = Math.max(peak, open);
    const wanted = `${strategy} ${to}`;
    const key = ways.has(wanted) || ways.size < MOST_WAYS ? wanted : OTHERS;
    const way = ways.get(key) ?? { strategy, to: key === OTHERS ? OTHERS : to, connections: 0 };
    way.connections++;
    ways.set(key, way);
    count();
  }

  return {
    add(line) {
      const end = /^(\d+)\s+\+\+\+ /.exec(line)?.[1];
      if (end !== undefined) ended.add(Number(end));
      const { call } = reader.read(line);
      if (call === null) return;
      const { name, errno, stream } = call;
      countDatagrams(call);
      if (name === 'bind' || name === 'connect') calls[name]++;
      if (isRefusal(call)) fail(call);
      else if (name === 'connect' && errno === null && stream !== false) connect(call);
      // A descriptor that another process has a copy of is closed more than once.
      else if (name === 'close' && errno === null && call.connected && stream !== false) open = Math.max(0, open - 1);
    },
    hasEnded: (pid) => ended.has(pid),
    result: () => ({
      by: 'strace',
      calls,
      failures: listed(),
      connections: {
        begun,
        peak,
        open,
        openAtFirstFailure: first?.open ?? null,
        begunBeforeFirstFailure: first?.begun ?? null,
      },
      ways: [...ways.values()].sort((a, b) => b.connections - a.connections),
      ...(datagrams.sockets > 0 ? { datagrams: { ...datagrams } } : {}),
      ...(upTo ? { upTo } : {}),
    }),
  };
}

/**
 * What a datagram socket is refused is for want of a port only where it is EAGAIN and the socket has none yet: with connect() C libraries try which
 * addresses can be reached (RFC 6724), and a full buffer is EAGAIN too.
 */
function isRefusal({ name, errno, stream, port }: SeenCall): boolean {
  if (errno === null || name === 'close') return false;
  if (stream === false) return name === 'bind' || (errno === 'EAGAIN' && port === 'none');
  return name === 'bind' || name === 'connect' || errno === 'EADDRNOTAVAIL' || errno === 'EADDRINUSE';
}
