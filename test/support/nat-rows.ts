/**
 * The NAT oracle: oracle-nat.tsv, measured by real connections in three network namespaces on 6.18.44 (nft 1.0.6, iptables 1.8.9), each
 * row in fresh ones. How a row is put to the lab.
 */
import { readFileSync } from 'node:fs';
import type { Arm } from '../../src/plan/plan.js';
import type { RouterSettings } from '../../src/subjects/index.js';
import { nat } from '../../src/subjects/nat/nat.js';
import { labArm, tenAddresses } from './lab.js';

export interface NatRow {
  readonly config: string;
  readonly ports: number;
  readonly natAddresses: number;
  readonly clients: number;
  readonly destinations: number;
  /** As the table has it; some rows have a range of counts. */
  readonly held: string;
  readonly counters: string;
}

/** All rows of the table. */
export function readNatOracle(): NatRow[] {
  const text = readFileSync(new URL('../../../test/lab/oracle-nat.tsv', import.meta.url), 'utf8');
  const [, ...lines] = text.trimEnd().split('\n');
  return lines.map((line) => {
    const [, , , config, ports, natAddresses, clients, destinations, held, , , counters] = line.split('\t');
    return {
      config: config!,
      ports: Number(ports),
      natAddresses: Number(natAddresses),
      clients: Number(clients),
      destinations: Number(destinations),
      held: held!,
      counters: counters!,
    };
  });
}

/** Long enough for a busy machine. Meanwhile a SYN without a port is sent again, and finds none: nothing is closed before all have their outcome. */
const DEADLINE_MS = 4000;

/** An arm that holds `attempts` connections behind a router, all at once. */
export function natArm(
  settings: Partial<RouterSettings>,
  attempts: number,
  {
    load,
    ...rest
  }: Partial<Omit<Parameters<typeof labArm>[0], 'load'>> & { readonly load?: Partial<Arm['load']> } = {},
): Arm {
  return {
    ...labArm({
      ...rest,
      // Client ports that the rules of the rows do not have.
      sysctls: { 'net.ipv4.ip_local_port_range': '20000 39999', ...rest.sysctls },
      load: {
        holdMs: null,
        timeoutMs: DEADLINE_MS,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 512, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    router: { ...nat.defaults, ...settings },
  };
}

const FIRST = 40_000;
/** The ports of a rule. */
export const natPorts = (count: number, low = FIRST) => ({ low, high: low + count - 1 });

/** Whether a row is one of those that a formula of its words says whole: a rule with ports, addresses and flags. */
export function isPlain({ config }: NatRow): boolean {
  return (
    /^(?:nft (?:masquerade|snat)|iptables-(?:nft|legacy) )/.test(config) &&
    !/plain/.test(config) &&
    !/^nft masq to/.test(config)
  );
}

/** The arm of such a row: as many more attempts than it held as that some are dropped at each destination. */
export function armOfPlain({ config, ports, natAddresses, clients, destinations, held }: NatRow): Arm {
  const flags = (['random', 'fully-random', 'persistent'] as const).filter((flag) =>
    new RegExp(
      `(?:^|[ ,-])(?:${flag === 'fully-random' ? 'fully-random|random-fully' : flag === 'random' ? '(?<!fully-)random(?!-fully)' : flag})`,
    ).test(config),
  );
  const tool = /^iptables-nft/.test(config)
    ? 'iptables-nft'
    : /^iptables-legacy/.test(config)
      ? 'iptables-legacy'
      : 'nft';
  const named = !(config === 'nft masquerade fully-random' && ports > 1000);
  const more = named ? 4 * destinations * clients * Math.max(1, clients > 1 ? 20 : 1) : 0;
  return natArm(
    {
      rule: /snat/i.test(config) ? 'snat' : 'masquerade',
      natAddresses: /snat/i.test(config) ? natAddresses : 1,
      natPorts: named ? natPorts(ports) : null,
      flags,
      tool,
    },
    Number(held) + more,
    {
      addresses: tenAddresses(clients),
      destinations: { kind: 'lab', addresses: 1, ports: destinations },
      ...(clients > 1 ? { load: { strategy: 'bind-no-port' } } : {}),
    },
  );
}
