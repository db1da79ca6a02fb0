/**
 * The rules of a NAT in the network namespace of the calling process: nf_tables by netlink, or iptables(8).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { familyOf } from '../../domain/addresses.js';
import { messageOf } from '../../domain/error.js';
import * as libc from '../../kernel/libc.js';
import {
  addChains,
  type Expression,
  ifFrom,
  ifFromAddress,
  ifSourcePort,
  ifTcp,
  ifTurn,
  masquerade,
  NFT_PRIORITY,
  type NftChain,
  redirectTo,
  setZone,
  snat,
  toTransparent,
} from '../../kernel/nftables.js';
import { transparentSocket } from '../../load/origin/internet/any-address.js';
import { listenAll } from '../../load/origin/listen.js';
import { findProgram } from '../../machine/programs.js';
import type { RouterSettings } from '../../subjects/index.js';
import {
  iptablesCalls,
  type NatMatch,
  type NatRule,
  natRules,
  nftLines,
  ROUTER_PORT,
} from '../../subjects/nat/rules.js';
import { TO_CLIENTS_LINK } from './links.js';

const TABLE = 'bindstorm';
const LACKING =
  'NAT of nf_tables (CONFIG_NFT_NAT, CONFIG_NFT_MASQ, CONFIG_NFT_REDIR), or what the rule chooses by (CONFIG_NFT_NUMGEN, CONFIG_NFT_HASH)';
const BACKLOG = 65_535;

/** The rules as a reader would type them. */
export function describeNat(settings: RouterSettings, addresses: readonly [string, ...string[]]): string[] {
  const rules = natRules(settings, addresses);
  if (settings.tool === 'nft') return nftLines(settings, rules);
  const program = programOf(settings.tool, addresses[0]);
  return iptablesCalls(settings, rules).map((call) => [program, ...call].join(' '));
}

/**
 * Make the rules.
 * @param addresses the NAT addresses @param clients for a zone each
 * @returns why they cannot be made, and what to do; undefined: they are there
 */
export function applyNat(
  settings: RouterSettings,
  addresses: readonly [string, ...string[]],
  clients: readonly string[],
): string | undefined {
  const rules = natRules(settings, addresses);
  if (settings.tool !== 'nft') return callIptables(settings.tool, addresses[0], iptablesCalls(settings, rules));
  try {
    // NAT for both families in one table came with 5.2; TPROXY by the family of the packet is of such a table only.
    const family = settings.rule === 'tproxy' ? 'inet' : familyOf(addresses[0]) === 4 ? 'ip' : 'ip6';
    addChains(family, TABLE, chainsOf(settings, rules, clients), LACKING);
    return undefined;
  } catch (error) {
    return `this kernel does not make the rules of the NAT: ${messageOf(error)}; it needs nf_tables with NAT, as modules: modprobe nft_chain_nat nft_masq nft_nat nf_conntrack_netlink (Debian's User-Mode Linux has none: for a guest use engine qemu)`;
  }
}

function chainsOf(settings: RouterSettings, rules: readonly NatRule[], clients: readonly string[]): NftChain[] {
  const { zones, rule } = settings;
  const zoned: NftChain[] =
    zones === 'none'
      ? []
      : [
          {
            name: 'zones',
            type: 'filter',
            hook: 'prerouting',
            priority: NFT_PRIORITY.raw,
            rules: clients.map((client, i) => [...ifFromAddress(client), ...setZone(i + 1, zones === 'original')]),
          },
        ];
  const made = rules.map((each) => [...ofMatch(each.match), ...ofAction(settings, each)]);
  const inside = made.map((each) => [...ifFrom(TO_CLIENTS_LINK), ...ifTcp, ...each]);
  switch (rule) {
    case 'redirect':
      return [...zoned, { name: 'nat', type: 'nat', hook: 'prerouting', priority: NFT_PRIORITY.dstnat, rules: inside }];
    case 'tproxy':
      return [
        ...zoned,
        { name: 'divert', type: 'filter', hook: 'prerouting', priority: NFT_PRIORITY.mangle, rules: inside },
      ];
    case 'masquerade':
    case 'snat':
      return [...zoned, { name: 'nat', type: 'nat', hook: 'postrouting', priority: NFT_PRIORITY.srcnat, rules: made }];
  }
}

function ofMatch(match: NatMatch): readonly Expression[] {
  switch (match.kind) {
    case 'all':
      return [];
    case 'turn':
      return ifTurn(match.of);
    case 'source-port':
      return ifSourcePort(match.of, match.which);
  }
}

function ofAction({ natPorts, flags }: RouterSettings, { action }: NatRule): readonly Expression[] {
  switch (action.kind) {
    case 'masquerade':
      return masquerade(natPorts, flags);
    case 'snat':
      return snat([action.first, action.last], natPorts, flags);
    case 'redirect':
      return redirectTo(action.port);
    case 'tproxy':
      return toTransparent(action.port);
  }
}

/** `iptables-nft`, for IPv6 `ip6tables-nft`. */
function programOf(tool: 'iptables-nft' | 'iptables-legacy', address: string): string {
  return familyOf(address) === 4 ? tool : tool.replace('iptables', 'ip6tables');
}

function callIptables(
  tool: 'iptables-nft' | 'iptables-legacy',
  address: string,
  calls: readonly (readonly string[])[],
): string | undefined {
  const name = programOf(tool, address);
  const program = findProgram(name);
  if (program === undefined)
    return `the program ${name} is not here; install iptables, for example: apt-get install iptables`;
  // Who is no root of the machine may not write /run/xtables.lock, and nobody else is in this namespace.
  const folder = mkdtempSync(join(tmpdir(), 'bindstorm-iptables-'));
  const env = { ...process.env, XTABLES_LOCKFILE: join(folder, 'lock') };
  try {
    for (const call of calls) {
      const { status, stderr, error } = spawnSync(program, call, { encoding: 'utf8', env });
      if (status !== 0) return `${name} ${call.join(' ')} failed: ${error?.message ?? stderr.trim()}`;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return undefined;
}

/** The router's own listener, and with `redirect` and `tproxy` its proxy: it takes connections, and holds them in its accept queue. */
export function servePort({ rule, listens }: RouterSettings, family: 4 | 6): void {
  const any = family === 4 ? '0.0.0.0' : '::';
  if (listens !== null) listenAll([{ address: any, port: listens }]);
  if (rule === 'redirect') listenAll([{ address: any, port: ROUTER_PORT }]);
  if (rule === 'tproxy') libc.listen(transparentSocket(ROUTER_PORT), BACKLOG);
}
