/**
 * The server of a fleet: started here, or made of one that runs.
 */
import { isLoopback } from '../domain/addresses.js';
import { accessFile, accessOf, fleetFolder } from '../fleet/access.js';
import { FleetError, openBus } from '../fleet/bus.js';
import { startServer } from '../fleet/server/embedded.js';
import { makeStreams } from '../fleet/server/streams.js';
import { interruptible } from '../machine/interrupts.js';
import { parseTarget } from '../plan/targets.js';
import { EXIT, UserError } from './exit.js';
import { note } from './terminal.js';

export interface UpOptions {
  readonly listen: string;
  readonly url?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tlsCa?: string;
  readonly plain: boolean;
  readonly folder?: string;
  readonly nats?: string;
  /** Milliseconds. */
  readonly beat: number;
}

/** How long a server may take to answer; one with many streams on its disk reads them first. */
const START_MS = 30_000;

/** @returns the exit code, when it was interrupted. Rejects with UserError, LabError, FleetError */
export async function fleetUp({ nats, beat: beatMs, ...options }: UpOptions): Promise<number> {
  if (beatMs < 50 || beatMs > 60_000) throw new UserError('--beat takes a duration from 50ms to 60s');
  if (nats !== undefined) {
    const bus = await openBus(accessOf(nats, 'controller'), 'up');
    await makeStreams(bus, { beatMs }).finally(bus.close);
    note(`the server at ${nats} has a fleet; agents join with: bindstorm fleet agent --join FILE or URL`);
    return EXIT.ok;
  }
  const { folder = fleetFolder(), listen, url, ...rest } = options;
  const tls = tlsOf(rest);
  refuseOpenDoor(listen, tls !== undefined || rest.plain);
  const server = startServer({ folder, listen, url, tls });
  return interruptible(
    () => note('the server ends; what waits on its disk is kept'),
    async (signal) => {
      const bus = await Promise.race([
        patiently(() => openBus(server.access.controller, 'up')),
        server.ended.then((why) => {
          throw new FleetError(`the server has ended: ${why}`, `see to --listen ${listen} and to the folder ${folder}`);
        }),
      ]);
      await makeStreams(bus, { beatMs }).finally(bus.close);
      note(`the fleet is up at ${server.access.controller.url} (nats-server, process ${server.pid})`);
      note(
        `agents:     bindstorm fleet agent --join ${accessFile(folder, 'agent')}    (copy the file to other machines; it is a secret)`,
      );
      note(`experiments: bindstorm run PROFILE --fleet ${accessFile(folder, 'controller')}`);
      const interrupted = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null)));
      const why = await Promise.race([signal.aborted ? null : interrupted, server.ended]);
      if (why !== null)
        throw new FleetError(`the server has ended: ${why}`, 'start it again; its streams are on the disk');
      await server.stop();
      return EXIT.ok;
    },
  ).finally(server.stop);
}

function tlsOf({ tlsCert: cert, tlsKey: key, tlsCa: ca }: Pick<UpOptions, 'tlsCert' | 'tlsKey' | 'tlsCa'>) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new UserError('--tls-cert and --tls-key go together; give both');
  return { cert, key, ca };
}

/** @throws UserError for what would be open to others by mistake */
function refuseOpenDoor(listen: string, isMeant: boolean): void {
  const { address } = parseTarget(listen);
  if (!isMeant && !isLoopback(address))
    throw new UserError(
      `--listen ${listen} is open to others, and without TLS they can read and change what is sent; give --tls-cert and --tls-key, or --plain in a network that you trust`,
    );
}

async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
