/**
 * Which sysctls leave the outcome counts of a run to the kernel's rules alone. Data and a look-up; pure. What is not in a table here may
 * matter, for all that is known, so that no count is promised under it.
 */
import type { KernelVersion } from './kernel-version.js';

/** What a sysctl is judged by. */
export interface SysctlContext {
  readonly kernel: KernelVersion;
  /** Attempts of the run; infinite for `fill` until it fails. */
  readonly attempts: number;
  /** The first port that is searched. */
  readonly lowestPort: number;
}

/**
 * `irrelevant`: no value of it decides how many attempts succeed in a lab. `read`: the prediction reads it. Otherwise: why a value
 * leaves the counts to time, as a clause; undefined: it does not.
 */
type SysctlDecision = 'irrelevant' | 'read' | ((value: string, context: SysctlContext) => string | undefined);

type Table = ReadonlyMap<string, SysctlDecision>;

const rows = (decision: SysctlDecision, names: string): [string, SysctlDecision][] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => [name, decision]);

/** A limit of a table or queue: a run that stays below it does not notice it, nor one in a queue of the usual length. */
function limit(name: string, usual: number): [string, SysctlDecision] {
  return [
    name,
    (value, { attempts }) =>
      Number(value) >= Math.min(attempts, usual)
        ? undefined
        : `${name} = ${value} is below the number of attempts, so time decides how many go over it`,
  ];
}

/**
 * They are about bytes, losses and retransmissions of connections that exist (the lab loses nothing), about dead peers, or about
 * connection tracking, which a fresh namespace has no rule for. Documentation/networking/ip-sysctl.rst, nf_conntrack-sysctl.rst.
 */
const HARMLESS = rows(
  'irrelevant',
  `
  net.core.optmem_max net.core.rmem_default net.core.rmem_max net.core.wmem_default net.core.wmem_max
  net.ipv4.ip_default_ttl net.ipv4.ip_forward net.ipv4.ip_nonlocal_bind net.ipv4.tcp_adv_win_scale net.ipv4.tcp_app_win
  net.ipv4.tcp_autocorking net.ipv4.tcp_challenge_ack_limit net.ipv4.tcp_congestion_control net.ipv4.tcp_dsack
  net.ipv4.tcp_early_retrans net.ipv4.tcp_ecn net.ipv4.tcp_fack net.ipv4.tcp_fastopen net.ipv4.tcp_frto
  net.ipv4.tcp_keepalive_intvl net.ipv4.tcp_keepalive_probes net.ipv4.tcp_keepalive_time net.ipv4.tcp_moderate_rcvbuf
  net.ipv4.tcp_mtu_probing net.ipv4.tcp_no_metrics_save net.ipv4.tcp_notsent_lowat net.ipv4.tcp_orphan_retries
  net.ipv4.tcp_recovery net.ipv4.tcp_reordering net.ipv4.tcp_retries1 net.ipv4.tcp_retries2 net.ipv4.tcp_rfc1337
  net.ipv4.tcp_rmem net.ipv4.tcp_sack net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_syn_retries
  net.ipv4.tcp_synack_retries net.ipv4.tcp_syncookies net.ipv4.tcp_window_scaling net.ipv4.tcp_wmem
  net.netfilter.nf_conntrack_acct net.netfilter.nf_conntrack_checksum net.netfilter.nf_conntrack_log_invalid
  net.netfilter.nf_conntrack_tcp_be_liberal net.netfilter.nf_conntrack_tcp_loose
  net.netfilter.nf_conntrack_tcp_timeout_close net.netfilter.nf_conntrack_tcp_timeout_close_wait
  net.netfilter.nf_conntrack_tcp_timeout_established net.netfilter.nf_conntrack_tcp_timeout_fin_wait
  net.netfilter.nf_conntrack_tcp_timeout_last_ack net.netfilter.nf_conntrack_tcp_timeout_syn_recv
  net.netfilter.nf_conntrack_tcp_timeout_syn_sent net.netfilter.nf_conntrack_tcp_timeout_time_wait
  vm.min_free_kbytes vm.swappiness
  `,
);

/** Of the whole machine; larger than usual is what tuning lists make them. */
const TABLES = [
  limit('net.core.netdev_max_backlog', 1000),
  ...['net.netfilter.nf_conntrack_max', 'net.nf_conntrack_max', 'net.ipv4.netfilter.ip_conntrack_max'].map((name) =>
    limit(name, 65_536),
  ),
];

/** A queue of a listener: more than these are never in it at once, since the origin and a proxy accept as fast as they can. */
const LISTENER = [limit('net.core.somaxconn', 4096), limit('net.ipv4.tcp_max_syn_backlog', 1024)];

const CHOOSES_PORTS = `
  net.ipv4.ip_local_port_range net.ipv4.ip_local_reserved_ports net.ipv4.ip_autobind_reuse net.ipv4.tcp_tw_reuse
  net.ipv4.tcp_tw_reuse_delay`;

/** Of the role that opens the connections under test. */
const OPENER: Table = new Map<string, SysctlDecision>([
  ...HARMLESS,
  ...TABLES,
  ...rows('read', CHOOSES_PORTS),
  // Its random step has no factor in common with the range, so that each search still comes to every port, one parity after the other
  // (__inet_hash_connect(), 7da62262ec96). Measured on 7.2 with widths from 1 to 5000: all P ports, and the same counts each time.
  ...rows('irrelevant', 'net.ipv4.ip_local_port_step_width'),
  ...rows(
    'read',
    'net.ipv4.tcp_tw_recycle net.ipv4.tcp_timestamps net.ipv4.tcp_fin_timeout net.ipv4.tcp_max_tw_buckets',
  ),
  [
    'net.ipv4.ip_unprivileged_port_start',
    (value, { lowestPort }) =>
      Number(value) <= lowestPort ? undefined : 'ports below ip_unprivileged_port_start are for the privileged only',
  ],
]);

/** A program that listens nowhere has no queue. */
const CLIENT: Table = new Map([
  ...OPENER,
  ...rows('irrelevant', 'net.core.somaxconn net.ipv4.tcp_max_syn_backlog net.ipv4.tcp_abort_on_overflow'),
]);

const PROXY: Table = new Map([...OPENER, ...LISTENER]);

/** It opens no connection, and a TIME_WAIT of its own holds no port of the client. */
const ORIGIN: Table = new Map<string, SysctlDecision>([
  ...HARMLESS,
  ...TABLES,
  ...LISTENER,
  ...rows('irrelevant', CHOOSES_PORTS),
  ...rows('irrelevant', 'net.ipv4.tcp_fin_timeout net.ipv4.tcp_max_tw_buckets net.ipv4.ip_local_port_step_width'),
  ...rows('read', 'net.ipv4.tcp_timestamps'),
]);

/** Of the clients of a proxy. Their ports are not what is under test, and nobody predicts when they run out. */
const PROXY_CLIENT: Table = new Map<string, SysctlDecision>([
  ...HARMLESS,
  ...TABLES,
  ...rows('irrelevant', 'net.core.somaxconn net.ipv4.tcp_max_syn_backlog net.ipv4.tcp_timestamps'),
]);

/** It chooses no local port: those of a NAT are the rule's. */
const ROUTER: Table = new Map<string, SysctlDecision>([
  ...HARMLESS,
  ...TABLES,
  ...rows('irrelevant', CHOOSES_PORTS),
  ...rows('irrelevant', 'net.ipv4.tcp_fin_timeout net.ipv4.tcp_max_tw_buckets net.ipv4.tcp_timestamps'),
]);

const TABLES_OF = {
  client: CLIENT,
  router: ROUTER,
  proxy: PROXY,
  origin: ORIGIN,
  'client of the proxy': PROXY_CLIENT,
} as const;

/** Who has the sysctl: the role under test (client or proxy), or one beside it. */
export type SysctlRole = keyof typeof TABLES_OF;

/**
 * Why the sysctls of a role leave the counts of a run to time, or to what nobody predicts.
 * @param sysctls those that the profile sets, name → value
 * @returns a clause; undefined: they do not
 */
export function sysctlDoubt(
  role: SysctlRole,
  sysctls: Readonly<Record<string, string>>,
  context: SysctlContext,
): string | undefined {
  for (const [name, value] of Object.entries(sysctls)) {
    const decision = TABLES_OF[role].get(name);
    if (decision === undefined) return `what ${name} of the ${role} does to the counts is not predicted`;
    const doubt = typeof decision === 'string' ? undefined : decision(value, context);
    if (doubt !== undefined) return role === 'client' || role === 'proxy' ? doubt : `${doubt} (${role})`;
  }
  return undefined;
}
