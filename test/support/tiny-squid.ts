/** The smallest experiment through a real squid: 20 ports for each of two outgoing addresses, and 50 tunnels wanted. */
export const TINY_SQUID_OUTCOMES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  baseline: { ok: 40, 'http:503 ERR_CONNECT_FAIL': 10 },
  'wider-range': { ok: 50 },
};

/** @param load the keys of the load, as YAML in one line; tunnels held open unless it says otherwise */
export function tinySquidProfile(load = 'arrival: { shape: fill, attempts: 50 }, timeout: 30s'): string {
  return `name: tiny-squid
addresses: { cidr: 10.50.0.0/24, count: 2 }
subject: { kind: squid }
load: { ${load} }
sysctls: { net.ipv4.ip_local_port_range: 40000 40019 }
variants:
  - { name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }
repeat: 2
warmup: 0
goal: outcomes["http:503 ERR_CONNECT_FAIL"].share
`;
}
