/**
 * The server of a fleet: started here, or made of one that runs.
 */
import { isLoopback } from '../domain/addresses.js';
import {
  AGENT_CREDS_VARIABLE,
  AGENT_KEY_VARIABLE,
  accessFile,
  accessOf,
  areOne,
  enteredBy,
  fleetFolder,
  pemText,
  secretsOf,
  serverFolder,
  writeAccess,
} from '../fleet/access.js';
import { FleetError, openBus } from '../fleet/bus.js';
import { startServer } from '../fleet/server/embedded.js';
import { makeStreams } from '../fleet/server/streams.js';
import { makeFolder } from '../machine/folders.js';
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
  if (nats !== undefined) return useServer(nats, beatMs, options);
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
      sayHow(accessFile(folder, 'agent'), accessFile(folder, 'controller'));
      const interrupted = new Promise<null>((resolve) => signal.addEventListener('abort', () => resolve(null)));
      const why = await Promise.race([signal.aborted ? null : interrupted, server.ended]);
      if (why !== null)
        throw new FleetError(`the server has ended: ${why}`, 'start it again; its streams are on the disk');
      await server.stop();
      return EXIT.ok;
    },
  ).finally(server.stop);
}

/** Make a fleet of a server that runs, and write what lets in there, where a URL names it. @returns the exit code */
async function useServer(nats: string, beatMs: number, options: Omit<UpOptions, 'nats' | 'beat'>): Promise<number> {
  const isUrl = /^\w+:\/\//.test(nats);
  const { tlsCa, folder, ...rest } = options;
  const client = tlsOf(rest);
  if (!isUrl && (client || tlsCa))
    throw new UserError('--tls-ca, --tls-cert and --tls-key go with the URL of a server; the file has them already');
  const tls = {
    ...(tlsCa === undefined ? {} : { ca: pemText(tlsCa) }),
    ...(client ? { cert: pemText(client.cert), key: pemText(client.key) } : {}),
  };
  const access = { ...accessOf(nats, 'controller'), ...tls };
  const bus = await openBus(access, 'up');
  await makeStreams(bus, { beatMs }).finally(bus.close);
  note(`the server at ${access.url} has a fleet`);
  if (!isUrl) return EXIT.ok;
  const own = folder ?? serverFolder(access.url);
  makeFolder(own, 0o700);
  const controller = writeAccess(own, access);
  const ofAgents = { ...enteredBy(access, secretsOf('agent')), role: 'agent' } as const;
  const agent = writeAccess(own, ofAgents);
  if (areOne(access, ofAgents))
    note(
      `note: its agents have the key of the controller, so that the server cannot tell them apart; ${AGENT_KEY_VARIABLE} or ${AGENT_CREDS_VARIABLE} gives them one of their own (\`bindstorm fleet permissions\` says what each needs)`,
    );
  sayHow(agent, controller);
  return EXIT.ok;
}

function sayHow(agent: string, controller: string): void {
  note(`agents:     bindstorm fleet agent --join ${agent}    (copy the file to other machines; it is a secret)`);
  note(`experiments: bindstorm run PROFILE --fleet ${controller}`);
}

function tlsOf({ tlsCert: cert, tlsKey: key, tlsCa: ca }: Pick<UpOptions, 'tlsCert' | 'tlsKey' | 'tlsCa'>) {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new UserError('--tls-cert and --tls-key go together; give both');
  return { cert, key, ca };
}

/** @throws UserError for what would be open to others by mistake */
function refuseOpenDoor(listen: string, isMeant: boolean): void {
  if (/^(?:0\.0\.0\.0|\[::\]):/.test(listen))
    throw new UserError(`--listen ${listen} is every address of this machine; name the one at which agents reach it`);
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
