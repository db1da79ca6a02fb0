/**
 * What a NAT can hold: for each NAT address and destination the ports of the rule, and which clients share them. Pure.
 */
import { familyOf } from '../../domain/addresses.js';
import { LAB_ADDRESSES } from '../../domain/lab-addresses.js';
import { portCount } from '../../domain/units.js';
import type { Arm } from '../../plan/plan.js';
import type { RouterSettings } from '../../subjects/index.js';
import { natAddresses } from '../../subjects/nat/rules.js';
import { natAddressFor } from './address-hash.js';
import { UNNAMED } from './unnamed.js';

/** The ports of one NAT address towards one destination. */
interface Pool {
  readonly ports: number;
  /** Pairs of a client and a destination whose connections come to it, as a share of all pairs. */
  readonly share: number;
}

export interface NatPools {
  readonly ports: number;
  readonly pools: readonly Pool[];
  /** Connections at once. */
  readonly concurrent: number;
  readonly formula: string;
  /** A clause without a full stop. */
  readonly rule: string;
  /** Which connection comes to which pool is the kernel's to draw. */
  readonly drawn: boolean;
}

/** @returns null where the rule takes no ports, so that the NAT holds whatever the client can */
export function poolsOf(
  arm: Pick<Arm, 'addresses' | 'destinations' | 'load'>,
  settings: RouterSettings,
): NatPools | null {
  const { rule, natPorts, holds, zones } = settings;
  if (rule === 'redirect' || rule === 'tproxy' || arm.destinations.kind !== 'lab') return null;
  const ports = portCount(natPorts ?? UNNAMED);
  const { addresses: hosts, ports: perHost } = arm.destinations;
  const destinations = hosts * perHost;
  if (zones === 'both')
    return {
      ports,
      pools: [],
      concurrent: 0,
      formula: '0',
      rule: 'the connection is in a zone, and its answers, which no rule puts there, are in none: conntrack does not know them',
      drawn: false,
    };
  const chosen = chosenAddresses(arm, settings, hosts);
  const pools = chosen.perHost.flatMap((shares) =>
    Array.from({ length: perHost }, () => shares.map((share) => ({ ports, share: share / destinations }))).flat(),
  );
  // Those of its own program are the first pool's.
  const first = pools[0]!;
  const all = holds > 0 ? [{ ...first, ports: Math.max(0, ports - holds) }, ...pools.slice(1)] : pools;
  const concurrent = all.reduce((sum, pool) => sum + pool.ports, 0);
  const product = `${ports} · ${pools.length} = ${ports * pools.length}`;
  return {
    ports,
    pools: all,
    concurrent,
    formula: `P · (NAT address, destination) = ${product}${holds > 0 ? ` − ${holds} of the router's own = ${concurrent}` : ''}`,
    rule: chosen.rule,
    drawn: chosen.drawn,
  };
}

/** Per host of the origin, what share of the clients comes to each NAT address that any of them does. */
function chosenAddresses(
  { addresses: clients, load }: Pick<Arm, 'addresses' | 'load'>,
  { rule, natAddresses: count, choose, flags }: RouterSettings,
  hosts: number,
): { readonly perHost: readonly (readonly number[])[]; readonly rule: string; readonly drawn: boolean } {
  const each = <T>(of: (host: number) => T) => Array.from({ length: hosts }, (_, host) => of(host));
  if (count === 1)
    return {
      perHost: each(() => [1]),
      rule: 'a port serves once for each NAT address and destination, since the answers must lead back to one client',
      drawn: false,
    };
  if (choose !== 'hash')
    return {
      perHost: each(() => Array.from({ length: count }, () => 1 / count)),
      rule: `each NAT address has a rule of its own, and ${choose === 'numgen' ? 'connections take them in turn' : 'the source port chooses'}`,
      drawn: choose === 'jhash',
    };
  const family = familyOf(clients[0]!);
  const [first] = natAddresses({ rule, natAddresses: count }, family)!;
  const persistent = flags.includes('persistent');
  const perHost = each((host) => {
    const used = new Map<string, number>();
    for (const client of clients) {
      const address = natAddressFor(client, LAB_ADDRESSES[family].originAddress(host), { first, count, persistent });
      used.set(address, (used.get(address) ?? 0) + 1 / clients.length);
    }
    return [...used.values()];
  });
  const of = persistent ? 'the client’s address alone' : 'client and destination';
  const random = flags.some((flag) => flag !== 'persistent');
  return {
    perHost,
    rule: `which of ${count} NAT addresses is a hash of ${of}, so that one client has one address${persistent ? '' : ' to a destination'}`,
    // A client's port that has a mapping keeps it towards other hosts, whatever they hash to (find_appropriate_src()).
    drawn: !persistent && !random && hosts > 1 && load.strategy !== 'bind',
  };
}
