/**
 * When a client that nobody answers sends its SYNs, and when connect() gives up: what an attempt costs whose SYN a full NAT dropped.
 * tcp_retransmit_timer() and tcp_write_timeout(), net/ipv4/tcp_timer.c; tcp_syn_linear_timeouts came with 6.5 (ccce324dabfe). Pure.
 */
import { atLeast, type KernelVersion } from '../kernel-version.js';

/** TCP_TIMEOUT_INIT and TCP_RTO_MAX, seconds. */
const FIRST = 1;
const LONGEST = 120;

export interface SynSchedule {
  /** Seconds after connect() at which SYNs are sent, the first at 0. */
  readonly sent: readonly number[];
  /** Seconds after which connect() fails with ETIMEDOUT. */
  readonly timeout: number;
}

/**
 * @param retries `tcp_syn_retries` (default 6): a bound of time, not of SYNs
 * @param linear `tcp_syn_linear_timeouts` (default 4 since 6.5): retransmissions a second apart, before the doubling
 */
export function synSchedule(retries: number, linear: number): SynSchedule {
  // What as many doublings would take (tcp_model_timeout()).
  let [limit, step] = [0, FIRST];
  for (let i = 0; i <= retries; i++, step = Math.min(2 * step, LONGEST)) limit += step;
  const sent = [0];
  let [at, wait] = [FIRST, FIRST];
  while (sent.length <= retries + linear && at < limit) {
    sent.push(at);
    if (sent.length - 1 > linear) wait = Math.min(2 * wait, LONGEST);
    at += wait;
  }
  return { sent, timeout: at };
}

/** The schedule of a client by its sysctls, name → value; what they do not name has the kernel's default. */
export function scheduleOf(kernel: KernelVersion, sysctls: Readonly<Record<string, string>>): SynSchedule {
  const number = (name: string, byDefault: number) => {
    const value = Number.parseInt(sysctls[`net.ipv4.${name}`] ?? '', 10);
    return Number.isNaN(value) ? byDefault : value;
  };
  const linear = atLeast(kernel, '6.5') ? number('tcp_syn_linear_timeouts', 4) : 0;
  return synSchedule(number('tcp_syn_retries', 6), linear);
}
