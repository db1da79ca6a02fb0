/**
 * How many sockets a network namespace has, by the kernel's own counters (proc_pid_net(5)): what need not be listed is told without a walk. A dump of
 * sock_diag walks past every TCP socket of the machine, whatever namespace asks, since they share one table (net/ipv4/inet_diag.c).
 */
import { readFileSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';

export interface SocketTotals {
  /** TCP sockets in the table that a dump walks, TIME_WAIT included: of the namespace. */
  readonly hashed: number;
  /** At most as many sockets of the namespace can be bound to a port and connected to nothing. Those of the kernel itself are not told apart. */
  readonly unconnected: number;
  /** TCP sockets of all namespaces that are looked at. */
  readonly machine: number;
}

/** Three small files of /proc/net, of the namespace that the calling thread, the main one, is in. @returns null where one cannot be read */
export function readSocketTotals(): Omit<SocketTotals, 'machine'> | null {
  return unlessThrown(
    () =>
      socketTotals(
        readFileSync('/proc/self/net/sockstat', 'utf8'),
        readFileSync('/proc/self/net/protocols', 'utf8'),
        readFileSync('/proc/self/net/netlink', 'utf8'),
      ),
    null,
  );
}

/**
 * What the files say. `used` counts every socket of a program; the rows of `protocols` those that are hashed, which a TCP socket is once it listens
 * or connects (__inet_hash()); sockets of netlink stand in a file of their own, those of the kernel with pid 0.
 * @returns null where a number is missing
 */
export function socketTotals(
  sockstat: string,
  protocols: string,
  netlink: string,
): Omit<SocketTotals, 'machine'> | null {
  const number = (pattern: RegExp) => Number(pattern.exec(sockstat)?.[1] ?? Number.NaN);
  const rows = protocols.split('\n').flatMap((line) => {
    const [name, , sockets] = line.split(/\s+/);
    return Number(sockets) > 0 ? [{ name: name!, sockets: Number(sockets) }] : [];
  });
  const sum = (which: readonly { readonly sockets: number }[]) => which.reduce((all, { sockets }) => all + sockets, 0);
  const ofPrograms = netlink.split('\n').filter((line) => /^\S+\s+\d+\s+[1-9]\d*\s/.test(line)).length;
  const used = number(/^sockets: used (\d+)/m);
  const hashed = sum(rows.filter(({ name }) => /TCP/.test(name))) + number(/^TCP: .*\btw (\d+)/m);
  if (![used, hashed].every(Number.isFinite)) return null;
  return {
    hashed,
    unconnected: Math.max(0, used - sum(rows.filter(({ name }) => name !== 'NETLINK')) - ofPrograms),
  };
}
