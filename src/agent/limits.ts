/**
 * The descriptor limit of this process. Node raises the soft limit to the hard one when it starts.
 */
import { readFileSync } from 'node:fs';

/** Larger tables would cost memory for descriptors that no run here opens. */
const MOST = 1 << 20;

/** RLIMIT_NOFILE, soft (proc(5), /proc/self/limits). */
export function descriptorLimit(): number {
  const soft = /^Max open files +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const limit = soft === 'unlimited' ? MOST : Number(soft ?? 1024);
  return Math.min(limit, MOST);
}

/** Descriptors that the agent keeps for itself: standard streams, epolls, netlink, libuv. */
export const DESCRIPTOR_RESERVE = 128;
