/**
 * Waiting until the ports of the run before are free again. In the netns lab each run has fresh namespaces and nothing to wait for;
 * on the host, the TIME_WAIT of one run would be counted against the next, and the verdict would be about the order of the runs.
 */
import { TIME_WAIT_LATEST_SECONDS } from '../capacity/time-wait.js';
import type { SocketObserver } from '../kernel/sock-diag.js';

const DRAIN_MS = (TIME_WAIT_LATEST_SECONDS + 1) * 1000;
const LOOK_EVERY_MS = 250;

/**
 * Resolve when no port of the watched addresses is in use, or when what holds them is not in TIME_WAIT, or after DRAIN_MS, or at
 * once when the run is stopped.
 * @returns warnings for the run
 */
export async function drained(observer: SocketObserver, stopped: Promise<void>): Promise<string[]> {
  let stop = false;
  void stopped.then(() => {
    stop = true;
  });
  const deadline = performance.now() + DRAIN_MS;
  for (;;) {
    const { portsInUse, states } = observer.snapshot();
    if (portsInUse === 0) return [];
    if (stop || states.TIME_WAIT === undefined || performance.now() > deadline)
      return [`${portsInUse} ports of the local addresses were in use already when the load began`];
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
