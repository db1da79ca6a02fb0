/**
 * What is known of sysctls and network namespaces. Data only; the look-ups are in sysctl-catalogue.ts.
 *
 * Sources: `ipv4_net_table`, `netns_core_table` and their like in the trees of 3.2.71, 3.10.65, 4.9.154, 4.15.18, 5.7.14,
 * 5.15.135, 6.1.20, 6.8.1, 6.12.19, 6.18.2 and 7.1.3 (net/ipv4/sysctl_net_ipv4.c, net/core/sysctl_net_core.c,
 * net/ipv6/sysctl_net_ipv6.c, net/netfilter/nf_conntrack_standalone.c …), the files that a fresh namespace of 6.18 shows as
 * writable to root and to the root of a user namespace, and those that guests of 5.10.46, 6.1.176, 6.12.101 and 7.2.7 have.
 * Where the exact release is not known, `since` is the first of these that has it, and `exact` is absent.
 */

/** Keys of which each network namespace has a value of its own, on `since` and newer. */
export interface NetnsKeys {
  /** The first kernel known to have it per namespace. */
  readonly since: string;
  /** Whether `since` is the very release that changed it. */
  readonly exact?: true;
  /** What older kernels do: have one value for the whole machine, or lack the key. */
  readonly before: 'global' | 'absent';
  /** Follows the names to their place, with the dot. */
  readonly prefix: string;
  readonly names: readonly string[];
}

const words = (text: string): readonly string[] => text.trim().split(/\s+/);
type Row = (since: string, before: NetnsKeys['before'], prefix: string) => (names: TemplateStringsArray) => NetnsKeys;
const since: Row = (release, before, prefix) => (names) => ({
  since: release,
  before,
  prefix,
  names: words(names.join('')),
});
const exactly: Row =
  (...row) =>
  (names) => ({ ...since(...row)(names), exact: true });

export const NETNS_KEYS: readonly NetnsKeys[] = [
  // The keys that decide about ports and TIME_WAIT, to the release.
  exactly('3.13', 'global', 'net.ipv4.')`ip_local_port_range`,
  exactly('3.16', 'global', 'net.ipv4.')`ip_local_reserved_ports`,
  exactly('4.5', 'global', 'net.ipv4.')`tcp_keepalive_time tcp_keepalive_intvl tcp_keepalive_probes`,
  exactly('4.6', 'global', 'net.ipv4.')`tcp_fin_timeout tcp_syncookies`,
  exactly('4.10', 'global', 'net.ipv4.')`tcp_tw_reuse`,
  exactly('4.11', 'global', 'net.ipv4.')`tcp_max_tw_buckets tcp_max_syn_backlog tcp_tw_recycle`,
  exactly('4.11', 'absent', 'net.ipv4.')`ip_unprivileged_port_start`,
  exactly('4.13', 'global', 'net.ipv4.')`tcp_timestamps`,
  exactly('4.15', 'global', 'net.ipv4.')`tcp_rmem tcp_wmem tcp_no_metrics_save tcp_moderate_rcvbuf`,
  exactly('5.7', 'absent', 'net.ipv4.')`ip_autobind_reuse`,
  exactly('6.14', 'absent', 'net.ipv4.')`tcp_tw_reuse_delay`,
  exactly('7.1', 'absent', 'net.ipv4.')`ip_local_port_step_width`,
  exactly('2.6.24', 'global', 'net.core.')`somaxconn`,

  since('3.2', 'global', 'net.ipv4.')`
    icmp_echo_ignore_all icmp_echo_ignore_broadcasts icmp_errors_use_inbound_ifaddr
    icmp_ignore_bogus_error_responses icmp_ratelimit icmp_ratemask ping_group_range ipfrag_high_thresh
    ipfrag_low_thresh ipfrag_time`,
  since('3.10', 'global', 'net.ipv4.')`tcp_ecn xfrm4_gc_thresh`,
  since('4.9', 'global', 'net.ipv4.')`
    igmp_max_memberships igmp_max_msf ip_default_ttl ip_dynaddr ip_early_demux ip_no_pmtu_disc ip_nonlocal_bind
    ipfrag_max_dist tcp_base_mss tcp_mtu_probing tcp_orphan_retries tcp_reordering tcp_retries1 tcp_retries2
    tcp_syn_retries tcp_synack_retries`,
  since('3.2', 'global', 'net.ipv4.')`ip_forward`,
  since('4.9', 'absent', 'net.ipv4.')`
    fib_multipath_use_neigh fwmark_reflect igmp_link_local_mcast_reports igmp_qrv ip_forward_use_pmtu
    tcp_ecn_fallback tcp_fwmark_accept tcp_l3mdev_accept tcp_notsent_lowat tcp_probe_interval tcp_probe_threshold`,
  since('4.15', 'global', 'net.ipv4.')`
    tcp_abort_on_overflow tcp_adv_win_scale tcp_app_win tcp_autocorking tcp_challenge_ack_limit tcp_dsack
    tcp_early_retrans tcp_fack tcp_fastopen tcp_fastopen_key tcp_frto tcp_invalid_ratelimit tcp_limit_output_bytes
    tcp_max_reordering tcp_min_rtt_wlen tcp_min_tso_segs tcp_pacing_ca_ratio tcp_pacing_ss_ratio tcp_recovery
    tcp_retrans_collapse tcp_rfc1337 tcp_sack tcp_slow_start_after_idle tcp_stdurg tcp_thin_linear_timeouts
    tcp_tso_win_divisor tcp_window_scaling tcp_workaround_signed_windows`,
  since('4.15', 'absent', 'net.ipv4.')`
    fib_multipath_hash_policy tcp_fastopen_blackhole_timeout_sec tcp_min_snd_mss udp_l3mdev_accept`,
  // Before 5.13 the choice of one namespace made the algorithm available in all (8d432592f30f).
  since('5.15', 'global', 'net.ipv4.')`tcp_congestion_control`,
  // Each namespace has a value since 4.15, but until 6.0 a write changed the handlers of all (11052589cf5c).
  since('6.1', 'global', 'net.ipv4.')`tcp_early_demux udp_early_demux`,
  since('5.7', 'global', 'net.ipv4.')`udp_rmem_min udp_wmem_min`,
  since('5.7', 'absent', 'net.ipv4.')`
    ip_forward_update_priority raw_l3mdev_accept tcp_comp_sack_delay_ns tcp_comp_sack_nr tcp_mtu_probe_floor
    tcp_no_ssthresh_metrics_save`,
  since('5.10', 'absent', 'net.ipv4.')`nexthop_compat_mode tcp_comp_sack_slack_ns tcp_reflect_tos`,
  since('5.15', 'absent', 'net.ipv4.')`
    fib_multipath_hash_fields fib_notify_on_flag_change icmp_echo_enable_probe tcp_migrate_req`,
  since('6.1', 'absent', 'net.ipv4.')`tcp_child_ehash_entries tcp_tso_rtt_log`,
  since('6.1', 'global', 'net.ipv4.route.')`min_pmtu mtu_expires min_adv_mss`,
  since('6.8', 'absent', 'net.ipv4.')`
    tcp_backlog_ack_defer tcp_pingpong_thresh tcp_plb_cong_thresh tcp_plb_enabled tcp_plb_idle_rehash_rounds
    tcp_plb_rehash_rounds tcp_plb_suspend_rto_sec tcp_syn_linear_timeouts udp_child_hash_entries`,
  // Younger in mainline (b650d953cd39), and brought to the long-term 6.1.
  since('6.1.176', 'absent', 'net.ipv4.')`tcp_shrink_window`,
  since('6.12', 'global', 'net.ipv4.')`icmp_msgs_burst icmp_msgs_per_sec`,
  since('6.12', 'absent', 'net.ipv4.')`fib_multipath_hash_seed tcp_rto_min_us`,
  since('6.18', 'absent', 'net.ipv4.')`tcp_ecn_option tcp_ecn_option_beacon tcp_rto_max_ms`,
  since('7.1', 'absent', 'net.ipv4.')`icmp_errors_extension_mask tcp_comp_sack_rtt_percent tcp_rcvbuf_low_rtt`,

  since('6.1', 'absent', 'net.core.')`txrehash`,
  since('6.8', 'absent', 'net.core.')`rps_default_mask`,
  since('6.8', 'global', 'net.core.')`optmem_max`,
  since('6.18', 'global', 'net.core.')`tstamp_allow_data`,
  since('3.2', 'global', 'net.unix.')`max_dgram_qlen`,

  since('3.2', 'global', 'net.ipv6.')`bindv6only ip6frag_high_thresh ip6frag_low_thresh ip6frag_time`,
  since('3.10', 'global', 'net.ipv6.')`icmp.ratelimit xfrm6_gc_thresh`,
  since('4.9', 'absent', 'net.ipv6.')`
    anycast_src_echo_reply auto_flowlabels flowlabel_consistency flowlabel_state_ranges fwmark_reflect idgen_delay
    idgen_retries ip_nonlocal_bind`,
  since('4.15', 'absent', 'net.ipv6.')`
    flowlabel_reflect max_dst_opts_length max_dst_opts_number max_hbh_length max_hbh_opts_number`,
  since('5.7', 'absent', 'net.ipv6.')`
    fib_multipath_hash_policy seg6_flowlabel icmp.echo_ignore_all icmp.echo_ignore_anycast
    icmp.echo_ignore_multicast icmp.ratemask`,
  since('5.15', 'absent', 'net.ipv6.')`fib_multipath_hash_fields fib_notify_on_flag_change ioam6_id ioam6_id_wide`,
  since('6.8', 'absent', 'net.ipv6.')`icmp.error_anycast_as_unicast`,

  since('2.6.32', 'global', 'net.netfilter.')`nf_conntrack_checksum`,
  since('3.2', 'global', 'net.netfilter.')`nf_conntrack_log_invalid`,
  since('3.10', 'global', 'net.netfilter.')`
    nf_conntrack_frag6_high_thresh nf_conntrack_frag6_low_thresh nf_conntrack_frag6_timeout
    nf_conntrack_tcp_be_liberal nf_conntrack_tcp_loose nf_conntrack_tcp_max_retrans nf_conntrack_tcp_timeout_close
    nf_conntrack_tcp_timeout_close_wait nf_conntrack_tcp_timeout_established nf_conntrack_tcp_timeout_fin_wait
    nf_conntrack_tcp_timeout_last_ack nf_conntrack_tcp_timeout_max_retrans nf_conntrack_tcp_timeout_syn_recv
    nf_conntrack_tcp_timeout_syn_sent nf_conntrack_tcp_timeout_time_wait nf_conntrack_tcp_timeout_unacknowledged
    nf_conntrack_udp_timeout nf_conntrack_udp_timeout_stream`,
  since('5.7', 'global', 'net.netfilter.')`
    nf_conntrack_acct nf_conntrack_events nf_conntrack_generic_timeout nf_conntrack_gre_timeout
    nf_conntrack_gre_timeout_stream nf_conntrack_icmp_timeout nf_conntrack_icmpv6_timeout
    nf_conntrack_sctp_timeout_closed nf_conntrack_sctp_timeout_cookie_echoed nf_conntrack_sctp_timeout_cookie_wait
    nf_conntrack_sctp_timeout_established nf_conntrack_sctp_timeout_heartbeat_sent
    nf_conntrack_sctp_timeout_shutdown_ack_sent nf_conntrack_sctp_timeout_shutdown_recd
    nf_conntrack_sctp_timeout_shutdown_sent nf_conntrack_timestamp`,
  since('5.15', 'absent', 'net.netfilter.')`
    nf_conntrack_tcp_ignore_invalid_rst nf_flowtable_tcp_timeout nf_flowtable_udp_timeout`,
  since('4.15', 'global', 'net.netfilter.nf_log.')`0 1 2 3 4 5 6 7 8 9 10`,
  since('5.7', 'global', 'net.bridge.')`
    bridge-nf-call-arptables bridge-nf-call-ip6tables bridge-nf-call-iptables bridge-nf-filter-pppoe-tagged
    bridge-nf-filter-vlan-tagged bridge-nf-pass-vlan-input-dev`,

  since('5.7', 'absent', 'net.mptcp.')`enabled`,
  since('5.15', 'absent', 'net.mptcp.')`add_addr_timeout allow_join_initial_addr_port checksum_enabled stale_loss_cnt`,
  since('6.1', 'absent', 'net.mptcp.')`pm_type`,
  since('6.8', 'absent', 'net.mptcp.')`close_timeout scheduler`,
  since('6.12', 'absent', 'net.mptcp.')`blackhole_timeout`,
  since('6.18', 'absent', 'net.mptcp.')`path_manager syn_retrans_before_tcp_fallback`,
];

/** The trees with one folder per interface: per namespace wherever they exist, for an interface is in one namespace. */
export const INTERFACE_TREES: readonly { readonly tree: string; readonly keys: readonly string[] }[] = [
  {
    tree: 'net.ipv4.conf',
    keys: words(`
      accept_local accept_redirects accept_source_route arp_accept arp_announce arp_evict_nocarrier arp_filter arp_ignore
      arp_notify bc_forwarding bootp_relay disable_policy disable_xfrm drop_gratuitous_arp drop_unicast_in_l2_multicast
      force_igmp_version forwarding igmpv2_unsolicited_report_interval igmpv3_unsolicited_report_interval
      ignore_routes_with_linkdown log_martians medium_id promote_secondaries proxy_arp proxy_arp_pvlan route_localnet
      rp_filter secure_redirects send_redirects shared_media src_valid_mark tag`),
  },
  {
    tree: 'net.ipv6.conf',
    keys: words(`
      accept_dad accept_ra accept_ra_defrtr accept_ra_from_local accept_ra_min_hop_limit accept_ra_min_lft accept_ra_mtu
      accept_ra_pinfo accept_ra_rt_info_max_plen accept_ra_rt_info_min_plen accept_ra_rtr_pref accept_redirects
      accept_source_route accept_untracked_na addr_gen_mode autoconf dad_transmits disable_ipv6 disable_policy
      drop_unicast_in_l2_multicast drop_unsolicited_na enhanced_dad force_forwarding force_mld_version force_tllao
      forwarding hop_limit ignore_routes_with_linkdown ioam6_enabled ioam6_id ioam6_id_wide keep_addr_on_down
      max_addresses max_desync_factor mldv1_unsolicited_report_interval mldv2_unsolicited_report_interval mtu
      ndisc_evict_nocarrier ndisc_notify ndisc_tclass optimistic_dad proxy_ndp ra_defrtr_metric ra_honor_pio_life
      ra_honor_pio_pflag regen_max_retry regen_min_advance router_probe_interval router_solicitation_delay
      router_solicitation_interval router_solicitation_max_interval router_solicitations rpl_seg_enabled seg6_enabled
      seg6_require_hmac stable_secret suppress_frag_ndisc temp_prefered_lft temp_valid_lft use_oif_addrs_only
      use_optimistic use_tempaddr`),
  },
  ...['net.ipv4.neigh', 'net.ipv6.neigh'].map((tree) => ({
    tree,
    keys: words(`
      anycast_delay app_solicit base_reachable_time base_reachable_time_ms delay_first_probe_time gc_stale_time
      interval_probe_time_ms locktime mcast_resolicit mcast_solicit proxy_delay proxy_qlen retrans_time retrans_time_ms
      ucast_solicit unres_qlen unres_qlen_bytes`),
  })),
];
