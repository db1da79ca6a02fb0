/**
 * The oracle of UDP: oracle-udp.tsv, measured by a Python program on 6.18.44 with the range 40000–40019, addresses on lo, and every row in a
 * namespace of its own: 7 ways to get a port × options × addresses × destinations × families, sockets held open. And how rows are put to
 * the kernel.
 */
import type { Peer } from '../../src/domain/datagram.js';
import { optionsOf, type SocketOption, type StrategyName } from '../../src/domain/strategy.js';
import type { PortRange } from '../../src/domain/units.js';
import { readTable } from './oracle.js';

/** P of the table, and the part of it that the rows with IP_LOCAL_PORT_RANGE have. */
export const RANGE: PortRange = { low: 40_000, high: 40_019 };
export const OWN_RANGE: PortRange = { low: 40_005, high: 40_009 };

/** A way to use UDP sockets. */
export interface DatagramCase {
  readonly family: 4 | 6;
  readonly strategy: StrategyName;
  readonly peer: Peer;
  /** Beside those of the strategy, which here has none. */
  readonly options: readonly SocketOption[];
  readonly addresses: number;
  readonly destinations: number;
}

export interface DatagramRow extends DatagramCase {
  /** Sockets that there were at once; with `refused` null there were as many as were tried. */
  readonly most: number;
  /** The call and errno of the next. */
  readonly refused: string | null;
}

const WAYS: Readonly<Record<string, readonly [StrategyName, Peer]>> = {
  bind: ['bind', 'none'],
  'bind+connect': ['bind', 'connect'],
  'bind+sendto': ['bind', 'sendto'],
  bindany: ['bind-any', 'none'],
  'bindany+connect': ['bind-any', 'connect'],
  connect: ['connect', 'connect'],
  sendto: ['sendto', 'sendto'],
};

const OPTIONS: Readonly<Record<string, readonly SocketOption[]>> = {
  none: [],
  REUSEADDR: ['SO_REUSEADDR'],
  REUSEPORT: ['SO_REUSEPORT'],
  'REUSEADDR+REUSEPORT': ['SO_REUSEADDR', 'SO_REUSEPORT'],
  NO_PORT: ['IP_BIND_ADDRESS_NO_PORT'],
  'LPR 40005-40009': ['IP_LOCAL_PORT_RANGE'],
  'NO_PORT+LPR 40005-40009': ['IP_BIND_ADDRESS_NO_PORT', 'IP_LOCAL_PORT_RANGE'],
};

/** All rows of the table. */
export function readDatagramOracle(): DatagramRow[] {
  return readTable('oracle-udp.tsv').lines.map((cells) => {
    const [, , family, way, options, , s, d, most, , refused] = cells as [string, ...string[]];
    const [strategy, peer] = WAYS[way!]!;
    return {
      family: family === 'v6' ? 6 : 4,
      strategy,
      peer,
      options: OPTIONS[options!]!,
      addresses: Number(s),
      destinations: Number(d),
      most: Number(most!.replace('>=', '')),
      refused: refused === '-' ? null : refused!,
    };
  });
}

/** The whole grid that the table has a part of. */
export function datagramGrid(): DatagramCase[] {
  return ([4, 6] as const).flatMap((family) =>
    Object.values(WAYS).flatMap(([strategy, peer]) =>
      Object.values(OPTIONS).flatMap((options) =>
        (strategy === 'bind' ? [1, 2, 3] : [1]).flatMap((addresses) =>
          (strategy === 'bind' && peer === 'none' ? [1] : [1, 2, 4]).map((destinations) => ({
            family,
            strategy,
            peer,
            options,
            addresses,
            destinations,
          })),
        ),
      ),
    ),
  );
}

export function titleOfDatagrams({ family, strategy, peer, options, addresses, destinations }: DatagramCase): string {
  const all = optionsOf(strategy, options);
  return `v${family} ${strategy}, ${peer}, ${all.length > 0 ? all.join('+') : 'no option'}, S=${addresses} D=${destinations}`;
}

/**
 * More than P·S. Each that is refused takes the kernel a millisecond, whatever P is: it looks into all of its table.
 * @param beyond how many more; absent: as many again, and ten
 */
export function attemptsOf({ addresses }: DatagramCase, beyond = 20 * addresses + 10): number {
  return 20 * addresses + beyond;
}
