/**
 * What one look at the sockets costs (src/kernel/sock-diag.ts). The agent takes one with every sample, while the load runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AF_INET } from '../src/kernel/libc.js';
import { NETLINK_SOCK_DIAG, openNetlink } from '../src/kernel/netlink.js';
import {
  createSocketObserver,
  dumpRequest,
  SOCK_DIAG_BY_FAMILY,
  type SocketObserver,
} from '../src/kernel/sock-diag.js';
import type { Churn } from './churn.js';
import { runBindstorm } from './contender.js';

export interface SnapshotCost {
  /** Sockets in TIME_WAIT. */
  readonly sockets: number;
  /** Milliseconds of each snapshot, in the order in which they were taken. */
  readonly snapshots: readonly number[];
  /** The same dump read by nobody: the kernel's walk, the copy out of it, and the framing of the messages. */
  readonly dumps: readonly number[];
}

const SETTLE_MS = 5_000;
/** The first ones are compiled while they run. */
const WARM_UP = 5;

/** Make the churn's sockets with our own engine, wait until all are in TIME_WAIT, and take snapshots. */
export async function measureSnapshots(churn: Churn, count: number): Promise<SnapshotCost> {
  if (churn.attempts > 0) await runBindstorm(churn);
  const observer = createSocketObserver(churn.sources, { low: 1024, high: 65_535 });
  const netlink = openNetlink(NETLINK_SOCK_DIAG);
  await settled(observer, churn.attempts);
  const request = dumpRequest(AF_INET);
  const snapshots: number[] = [];
  const dumps: number[] = [];
  for (let i = -WARM_UP; i < count; i++) {
    const begin = performance.now();
    observer.snapshot();
    const middle = performance.now();
    netlink.dump(SOCK_DIAG_BY_FAMILY, request, () => {});
    const end = performance.now();
    if (i < 0) continue;
    snapshots.push(middle - begin);
    dumps.push(end - middle);
  }
  await settled(observer, churn.attempts);
  observer.close();
  netlink.close();
  return { sockets: churn.attempts, snapshots, dumps };
}

/** Wait until so many sockets are in TIME_WAIT and none in another state. Rejects when they never are. */
async function settled(observer: SocketObserver, sockets: number): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const { TIME_WAIT = 0, ...others } = observer.snapshot().states;
    if (TIME_WAIT === sockets && Object.keys(others).length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`found ${TIME_WAIT} sockets in TIME_WAIT and ${JSON.stringify(others)}, not ${sockets}`);
    }
    await sleep(50);
  }
}
