/**
 * What becomes of a NAT's port when its connection is over: how long connection tracking keeps it, and, where a new connection may end such
 * an entry, how many may be open so that it nearly always finds one to end. Pure.
 */
import { transportOf } from '../../domain/protocol.js';
import type { Arm } from '../../plan/plan.js';
import { atLeast, type KernelVersion } from '../kernel-version.js';
import { HARDER, WHOLE } from './port-search.js';

/**
 * Since which release entries that are closing are ended for a new connection (nf_nat_used_tuple_harder(); 458972550287, 6.5). Measured:
 * 5.10 and 6.1 end none, 6.12 and later do.
 */
export const EVICTS_SINCE = '6.5';

export interface AfterClose {
  /** How long the port is kept from a new connection. */
  readonly seconds: number;
  /** A clause without a full stop. */
  readonly why: string;
  /** A new connection ends such an entry, one in two that it tries. */
  readonly ends: boolean;
}

/** By the router's nf_conntrack_tcp_timeout_* and nf_conntrack_udp_timeout, and its kernel. */
export function afterClose({ load, roles }: Pick<Arm, 'load' | 'roles'>, kernel: KernelVersion): AfterClose {
  const timeout = (name: string, byDefault: number) => {
    const value = Number.parseInt(roles?.router?.[`net.netfilter.nf_conntrack_${name}`] ?? '', 10);
    return Number.isNaN(value) ? byDefault : value;
  };
  if (transportOf(load.protocol) === 'udp') {
    const seconds = timeout('udp_timeout', 30);
    // An exchange of more than two seconds makes it nf_conntrack_udp_timeout_stream, 120 s; those of a load are shorter.
    return { seconds, why: `after the last datagram conntrack keeps it for ${seconds} s`, ends: false };
  }
  const [state, seconds] =
    load.close === 'reset'
      ? (['CLOSE', timeout('tcp_timeout_close', 10)] as const)
      : (['TIME_WAIT', timeout('tcp_timeout_time_wait', 120)] as const);
  if (atLeast(kernel, EVICTS_SINCE))
    return {
      seconds: 0,
      why: `after the close conntrack keeps it in ${state}, and ends that for a new connection when it finds no free port`,
      ends: true,
    };
  return { seconds, why: `after the close conntrack keeps it for ${seconds} s (${state})`, ends: false };
}

/** One connection in so many may find nothing to end: fewer than anybody would see. */
const LOSS = 1e-4;
/** Of the windows of 128, 64, 32, 16 and 8 ports, the ports at which an entry may be ended. */
const TRIED = 3 * HARDER + 16 + 8;

/**
 * Connections that may be open of so many ports, when all others are held by closed ones: each of these that is tried gives way one time in
 * two, so that a few must be among those that are tried.
 */
export function openAtMost(ports: number): number {
  if (ports <= HARDER) return Math.max(0, ports - Math.ceil(-Math.log2(LOSS)));
  const tried = ports <= WHOLE ? HARDER : TRIED;
  return Math.floor(ports * (1 - 2 * (1 - LOSS ** (1 / tried))));
}
