/**
 * Sysctls that a network namespace cannot have for itself, and those that are gone. Data only; sources as in sysctl-data.ts.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Removed from the kernel. `why` continues the sentence `<name> was removed in <removedIn>: …`. */
export interface GoneKey {
  /** The name, or everything below it where it ends with a dot. */
  readonly name: string;
  readonly removedIn: string;
  /** Whether `removedIn` is the very release that removed it. */
  readonly exact: boolean;
  readonly why: string;
  readonly instead: string;
}

function gone(name: string, removedIn: string, why: string, instead: string, exact?: 'exact'): GoneKey {
  return { name, removedIn, exact: exact === 'exact', why, instead };
}

export const GONE_KEYS: readonly GoneKey[] = [
  gone(
    'net.ipv4.tcp_tw_recycle',
    '4.12',
    'it dropped new connections of clients behind one NAT, whose timestamps are unrelated (commit 4396e46187ca)',
    'net.ipv4.tcp_tw_reuse=1 where connect() chooses the port (the strategies connect, bind-no-port and local-port-range); for a plain bind no sysctl shortens TIME_WAIT',
    'exact',
  ),
  gone(
    'net.ipv4.netfilter.ip_conntrack_max',
    '4.9',
    'it was the old name of another key',
    'net.netfilter.nf_conntrack_max',
    'exact',
  ),
  gone(
    'net.ipv4.netfilter.',
    '4.9',
    'the ip_conntrack names were kept only for old scripts',
    'the net.netfilter.nf_conntrack_ key of the same ending',
    'exact',
  ),
  gone('net.ipv4.ip_conntrack_max', '2.6.32', 'it was the old name of another key', 'net.netfilter.nf_conntrack_max'),
  gone('net.ipv4.tcp_thin_dupack', '4.15', 'loss detection by time replaced it', 'net.ipv4.tcp_recovery'),
  gone(
    'net.netfilter.nf_conntrack_helper',
    '6.1',
    'helpers are no longer attached by themselves',
    'a rule with the CT target',
  ),
  gone('net.ipv4.rt_cache_rebuild_count', '3.10', 'the route cache is gone', 'nothing: it has no successor'),
];

/** One value for the whole machine. `note` reads as a sentence of its own. */
export interface GlobalKeys {
  /** Full names; a `*` stands for any rest. */
  readonly names: readonly string[];
  readonly note?: string;
}

export const GLOBAL_KEYS: readonly GlobalKeys[] = [
  {
    names: words('net.core.rmem_max net.core.wmem_max net.core.rmem_default net.core.wmem_default'),
    note: 'TCP takes its buffer sizes from net.ipv4.tcp_rmem and net.ipv4.tcp_wmem, which are per network namespace since 4.15.',
  },
  {
    names: words(
      'net.netfilter.nf_conntrack_max net.netfilter.nf_conntrack_buckets net.netfilter.nf_conntrack_expect_max',
    ),
    note: 'Each namespace counts its own entries and compares the count with this one value.',
  },
  { names: ['net.nf_conntrack_max'], note: 'It is another name of net.netfilter.nf_conntrack_max.' },
  {
    names: words(`net.ipv4.tcp_mem net.ipv4.udp_mem net.ipv4.tcp_max_orphans net.ipv4.tcp_low_latency
      net.ipv4.tcp_tx_skb_cache net.ipv4.tcp_rx_skb_cache net.ipv4.inet_peer_* net.ipv4.fib_sync_mem net.ipv4.cipso_*
      net.ipv4.ipfrag_secret_interval net.ipv6.ip6frag_secret_interval net.ipv6.mld_* net.ipv6.calipso_*
      net.ipv4.neigh.default.* net.ipv6.neigh.default.* net.netfilter.nf_log_all_netns`),
  },
  { names: words(`net.ipv4.route.error_* net.ipv4.route.gc_* net.ipv4.route.max_size net.ipv4.route.redirect_*`) },
  {
    names:
      words(`net.core.bpf_* net.core.busy_* net.core.default_qdisc net.core.dev_weight* net.core.devconf_inherit_init_net
      net.core.fb_tunnels_only_for_init_net net.core.flow_limit_* net.core.gro_normal_batch net.core.high_order_alloc_disable
      net.core.max_skb_frags net.core.mem_pcpu_rsv net.core.message_* net.core.netdev_* net.core.rps_sock_flow_entries
      net.core.skb_defer_max net.core.warnings`),
  },
];

/** Keys that can be read and never written, or not in a namespace. */
export const READ_ONLY_KEYS = words(`
  net.ipv4.tcp_available_congestion_control net.ipv4.tcp_available_ulp net.ipv4.tcp_ehash_entries net.ipv4.udp_hash_entries
  net.netfilter.nf_conntrack_count net.mptcp.available_path_managers net.mptcp.available_schedulers net.core.netdev_rss_key`);

/** Refused in every lab; the text reads on from the name. */
export const NEVER_KEYS: Readonly<Record<string, string>> = {
  // The file shows up as writable in each namespace, and behind it is one static key of the whole kernel.
  'net.netfilter.nf_hooks_lwtunnel':
    'is one switch of the whole machine, also when a namespace writes it, and cannot be switched off again before a reboot (net/netfilter/nf_hooks_lwtunnel.c)',
  'net.ipv4.route.flush': 'is an action and not a setting: there is no value to put back',
  'net.ipv6.route.flush': 'is an action and not a setting: there is no value to put back',
  'vm.drop_caches': 'is an action and not a setting: there is no value to put back',
  'vm.compact_memory': 'is an action and not a setting: there is no value to put back',
};

/** Per namespace, and hidden by the kernel where the namespace belongs to an unprivileged user; `*` as above. */
export const HIDDEN_FROM_USERS = words('net.ipv6.route.* net.core.xfrm_*');

/** In a namespace these are read-only since 5.12; before, a namespace's choice reached all others (97684f0970f6). */
export const HOST_ONLY_KEYS = words('net.ipv4.tcp_allowed_congestion_control');

/** Keys of kernel.* that the host lab may change, because it can put them back. */
export const KERNEL_KEYS = words('kernel.pid_max kernel.threads-max kernel.numa_balancing kernel.timer_migration');
