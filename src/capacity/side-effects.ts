/**
 * What a change of a sysctl costs that a lab shows to nobody: it has no losses, no NAT and no services of others. Data and a look-up; pure.
 */
import { own } from '../domain/own.js';

/** The value is the kernel's or the profile's, words apart by one blank; `before` is null where it is not known. */
export interface SysctlStep {
  readonly name: string;
  readonly value: string;
  readonly before: string | null;
}

export interface SideEffect {
  /** A protection that is lost; so much that it is never recommended. Reads on from "gives up". */
  readonly givesUp: string | null;
  /** One sentence for who applies it. */
  readonly text: string;
}

interface Rule {
  /** Whether the step has the effect; going back from one has none. */
  readonly when: (step: SysctlStep) => boolean;
  readonly givesUp?: string;
  readonly text: string;
}

const lowered = ({ value, before }: SysctlStep) => before === null || Number(value) < Number(before);
const setTo =
  (wanted: string) =>
  ({ value }: SysctlStep) =>
    value === wanted;

const RULES: Readonly<Record<string, Rule>> = {
  'net.ipv4.tcp_max_tw_buckets': {
    when: lowered,
    givesUp: 'what TIME_WAIT protects from',
    text: 'a close beyond tcp_max_tw_buckets leaves no TIME_WAIT: a late segment, or a SYN that should wait, meets the next connection of the same addresses and ports (RFC 1337; inet_twsk_alloc())',
  },
  'net.ipv4.tcp_tw_recycle': {
    when: ({ value }) => value !== '0',
    givesUp: 'connections from clients behind one NAT',
    text: 'tcp_tw_recycle drops connections of clients behind one NAT, whose timestamps are unrelated (commit 4396e46187ca, which removed it in 4.12)',
  },
  'net.ipv4.tcp_timestamps': {
    when: setTo('0'),
    text: 'without TCP timestamps old segments are not told from new ones when sequence numbers wrap (PAWS, RFC 7323), round trips are measured less often, and tcp_tw_reuse does nothing',
  },
  'net.ipv4.tcp_tw_reuse': {
    when: setTo('1'),
    text: 'tcp_tw_reuse acts only for ports that connect() chooses, and only where both ends use TCP timestamps, by which late segments are then told; where a peer or a middlebox has none, nothing is gained (tcp_twsk_unique())',
  },
  'net.ipv4.tcp_tw_reuse_delay': {
    when: lowered,
    text: 'below a second tcp_tw_reuse_delay may be shorter than a tick of the peer’s timestamp clock (1 ms to 1 s, RFC 7323, 5.4), so that a late segment of the old connection need not look older than the new one’s',
  },
  'net.ipv4.tcp_fin_timeout': {
    when: lowered,
    text: 'a peer that takes longer than tcp_fin_timeout to close after us has its FIN answered by RST; TIME_WAIT is not shortened by it (TCP_TIMEWAIT_LEN, include/net/tcp.h)',
  },
  'net.ipv4.tcp_rfc1337': {
    when: setTo('0'),
    text: 'with tcp_rfc1337 = 0, the kernel’s own default, a RST ends a TIME_WAIT early (TIME-WAIT assassination, RFC 1337)',
  },
  'net.ipv4.ip_autobind_reuse': {
    when: setTo('1'),
    text: 'with ip_autobind_reuse connect() may fail with EADDRNOTAVAIL, at random, where the port that bind() shared is in use to the same destination (4b01a9674231, Linux 5.7)',
  },
  'net.ipv4.ip_local_port_range': {
    when: () => true,
    text: 'ports of the range that services listen on belong into net.ipv4.ip_local_reserved_ports, or a connection may take one while its service restarts (bindstorm watch lists them); a machine whose range is wider already has no use for it',
  },
  'net.ipv4.ip_local_reserved_ports': {
    when: () => true,
    text: 'the value replaces the whole list, so that ports reserved already must be in it too; a port that is no longer reserved may be taken by an outgoing connection before the service that listens on it starts',
  },
};

/** What is known of a step; null: nothing that a reader must be told. */
export function sideEffectOf(step: SysctlStep): SideEffect | null {
  const rule = own(RULES, step.name);
  return rule?.when(step) ? { givesUp: rule.givesUp ?? null, text: rule.text } : null;
}
