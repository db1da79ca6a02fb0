/**
 * The descriptor limit of this process. Node raises the soft limit to the hard one when it starts.
 */
import { readFileSync } from 'node:fs';
import { openAtOnce } from '../../plan/arrival.js';
import type { LoadPlan } from '../../plan/plan.js';

/** Larger tables would cost memory for descriptors that no run here opens. */
const MOST = 1 << 20;

/** RLIMIT_NOFILE, soft (proc(5), /proc/self/limits). */
export function descriptorLimit(): number {
  const soft = /^Max open files +(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  const limit = soft === 'unlimited' ? MOST : Number(soft ?? 1024);
  return Math.min(limit, MOST);
}

/** Threads that the origin needs, each with a table of descriptors of its own, for what a load holds: at most one for each load worker. */
export function originThreads(load: LoadPlan): number {
  return Math.min(Math.max(Math.ceil(openAtOnce(load) / (descriptorLimit() - DESCRIPTOR_RESERVE)), 1), load.workers);
}

/** Descriptors that the agent keeps for itself: standard streams, epolls, netlink, libuv. */
export const DESCRIPTOR_RESERVE = 128;
