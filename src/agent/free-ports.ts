/**
 * Waiting until the ports of the run before are free again. In the netns lab each run has fresh namespaces and nothing to wait for;
 * on the host, the TIME_WAIT of one run would be counted against the next, and the verdict would be about the order of the runs. Where
 * the run comes to no wall in spite of them, they change nothing, and are not waited for (capacity/spare-ports.ts).
 */
import { TIME_WAIT_SECONDS } from '../capacity/time-wait.js';
import { LOCAL_PORT_RANGE, parseLocalPortRange } from '../domain/sysctl-syntax.js';
import { createSocketObserver } from '../kernel/sock-diag.js';
import type { Arm } from '../plan/plan.js';
import { ephemeralRange } from './place/sysctls.js';

const LONGEST_MS = (TIME_WAIT_SECONDS + 1) * 1000;
const LOOK_EVERY_MS = 250;

/**
 * Wait until no more ports of an address than `spare` are in use, but not for sockets that are not in TIME_WAIT, not longer than TIME_WAIT
 * lasts, and not once the run is stopped. Called before the run's sysctls are written.
 * @param onWait told what is waited for, once
 * @returns warnings for the run
 */
export async function awaitFreePorts(
  { addresses, load, sysctls }: Arm,
  spare: number,
  stopped: Promise<void>,
  onWait: (what: string) => void,
): Promise<string[]> {
  const range = sysctls[LOCAL_PORT_RANGE];
  const ports = load.ports ?? (range === undefined ? ephemeralRange() : parseLocalPortRange(range));
  const observer = createSocketObserver(addresses, ports);
  let stop = false;
  void stopped.then(() => {
    stop = true;
  });
  const deadline = performance.now() + LONGEST_MS;
  let waiting = false;
  try {
    for (;;) {
      const { portsInUse, portsPerAddress, states } = observer.snapshot();
      if (Math.max(0, ...portsPerAddress) <= spare) return [];
      if (stop || states.TIME_WAIT === undefined || performance.now() > deadline)
        return [`${portsInUse} ports of the local addresses were already in use when the load began`];
      if (!waiting)
        onWait(
          `up to a minute for ${portsInUse} ports in TIME_WAIT, of which an address may have ${spare} before they matter`,
        );
      waiting = true;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  } finally {
    observer.close();
  }
}
