/**
 * The rules of a NAT: what the router does with a connection, and how nft(8) and iptables(8) are told so. Pure.
 */
import { addressAfter, familyOf } from '../../domain/addresses.js';
import { LAB_ADDRESSES } from '../../domain/lab-addresses.js';
import type { PortRange } from '../../domain/units.js';
import type { NatSettings } from './nat.js';

/** Where the router's own proxy listens, with `redirect` and `tproxy`. */
export const ROUTER_PORT = 3128;

/** The addresses that a rule names, consecutive; null: it takes that of the link. */
export function natAddresses(
  { rule, natAddresses: count }: Pick<NatSettings, 'rule' | 'natAddresses'>,
  family: 4 | 6,
): readonly [string, ...string[]] | null {
  const { natAddress: first } = LAB_ADDRESSES[family];
  return rule === 'snat' ? [first, ...Array.from({ length: count - 1 }, (_, i) => addressAfter(first, i + 1))] : null;
}

/** Which connections a rule is for. */
export type NatMatch =
  | { readonly kind: 'all' }
  /** Of so many connections that come to the rule the first. */
  | { readonly kind: 'turn'; readonly of: number }
  /** Of so many parts of the source ports one. */
  | { readonly kind: 'source-port'; readonly of: number; readonly which: number };

type NatAction =
  | { readonly kind: 'masquerade' }
  /** The kernel takes one of the addresses from first to last by a hash of client and destination. */
  | { readonly kind: 'snat'; readonly first: string; readonly last: string }
  | { readonly kind: 'redirect' | 'tproxy'; readonly port: number };

export interface NatRule {
  readonly match: NatMatch;
  readonly action: NatAction;
}

/**
 * The rules of a router, in their order.
 * @param addresses the NAT addresses, consecutive; with `masquerade` that of the link
 */
export function natRules({ rule, choose }: NatSettings, addresses: readonly [string, ...string[]]): NatRule[] {
  const all = { kind: 'all' } as const;
  if (rule === 'masquerade') return [{ match: all, action: { kind: rule } }];
  if (rule === 'redirect' || rule === 'tproxy') return [{ match: all, action: { kind: rule, port: ROUTER_PORT } }];
  const [first, last] = [addresses[0], addresses.at(-1)!];
  if (choose === 'hash') return [{ match: all, action: { kind: 'snat', first, last } }];
  return addresses.map((address, i) => ({
    match: matchOf(choose, addresses.length, i),
    action: { kind: 'snat', first: address, last: address },
  }));
}

function matchOf(choose: 'numgen' | 'jhash', of: number, i: number): NatMatch {
  if (choose === 'jhash') return { kind: 'source-port', of, which: i };
  // Each rule counts what the ones before it have left.
  return i === of - 1 ? { kind: 'all' } : { kind: 'turn', of: of - i };
}

/** The rules as nft(8) takes them, one a line, without the chain around them. */
export function nftLines(settings: NatSettings, rules: readonly NatRule[]): string[] {
  return rules.map(({ match, action }) => [...nftMatch(match), nftAction(settings, action)].join(' '));
}

function nftMatch(match: NatMatch): string[] {
  switch (match.kind) {
    case 'all':
      return [];
    case 'turn':
      return [`numgen inc mod ${match.of} 0`];
    case 'source-port':
      return [`jhash tcp sport mod ${match.of} ${match.which}`];
  }
}

function nftAction({ natPorts, flags }: NatSettings, action: NatAction): string {
  const tail = flags.length > 0 ? ` ${flags.join(',')}` : '';
  const ports = natPorts ? `:${natPorts.low}-${natPorts.high}` : '';
  switch (action.kind) {
    case 'masquerade':
      return `masquerade${ports ? ` to ${ports}` : ''}${tail}`;
    case 'snat': {
      const range = action.first === action.last ? action.first : `${action.first}-${action.last}`;
      return `snat to ${ports && familyOf(action.first) === 6 ? `[${range}]` : range}${ports}${tail}`;
    }
    case 'redirect':
      return `tcp redirect to :${action.port}`;
    case 'tproxy':
      return `meta l4proto tcp tproxy to :${action.port} accept`;
  }
}

/**
 * The same for iptables(8): the arguments of one call each, behind the name of the program.
 * Rules that choose by turn or by port have no form here; the check of the settings refuses them.
 */
export function iptablesCalls({ natPorts, flags }: NatSettings, rules: readonly NatRule[]): string[][] {
  const options = flags.map((flag) => `--${flag === 'fully-random' ? 'random-fully' : flag}`);
  const range = natPorts ? portText(natPorts) : null;
  // Ports are those of a protocol.
  const protocols =
    range === null
      ? [[]]
      : [
          ['-p', 'tcp'],
          ['-p', 'udp'],
        ];
  return rules.flatMap(({ action }) =>
    action.kind === 'redirect'
      ? [['-t', 'nat', '-A', 'PREROUTING', '-p', 'tcp', '-j', 'REDIRECT', '--to-ports', String(action.port)]]
      : protocols.map((protocol) => [
          ...['-t', 'nat', '-A', 'POSTROUTING', ...protocol, '-j'],
          ...(action.kind === 'snat'
            ? ['SNAT', '--to-source', sourceText(action.first, action.last, range)]
            : ['MASQUERADE', ...(range === null ? [] : ['--to-ports', range])]),
          ...options,
        ]),
  );
}

function portText({ low, high }: PortRange): string {
  return `${low}-${high}`;
}

function sourceText(first: string, last: string, ports: string | null): string {
  const range = first === last ? first : `${first}-${last}`;
  if (ports === null) return range;
  return familyOf(first) === 6 ? `[${range}]:${ports}` : `${range}:${ports}`;
}
