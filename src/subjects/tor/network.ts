/**
 * A private Tor network as the subject: started from the cache or from nothing, ready when a byte came through every exit, watched
 * and stopped like any other.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { watchStarvation } from '../../machine/waited-for-cpu.js';
import { atHand } from '../running/at-hand.js';
import { giveAway, withoutRoot } from '../running/child.js';
import { createLogBook, type LogBook, STANDARD_OUTPUT } from '../running/log-book.js';
import { ProxyError } from '../running/proxy-error.js';
import { tailFile } from '../running/tail.js';
import type { ProxySetup, RunningProxy, StartInput } from '../subject.js';
import { type NetworkCache, networkCache } from './cache.js';
import type { Control } from './control.js';
import { makeKeys } from './keys.js';
import {
  isInClientsNamespace,
  type NetworkIdentity,
  NOTICE_LOG,
  type TorLayout,
  type TorNode,
  TRIAL_PORT,
  torLayout,
  torrcOf,
  votingTimes,
} from './layout.js';
import { readTorLine } from './log.js';
import { listedRelays, type RunningNodes, startNodes, whyNotReady } from './nodes.js';
import type { TorSettings } from './settings.js';
import { createAttacher, type StreamAttacher } from './streams.js';
import { startTrialServer, tryStream } from './trial.js';

const LOOK_EVERY_MS = 50;
const TRIAL_DEADLINE_MS = 5000;
/** At the most its deadline is put off by so many times its length, for want of a CPU. */
const MOST_STARVED = 5;
/** A first consensus that lacks a relay is followed by no other for a day: start again, and vote later. */
const BOOTSTRAPS = 3;
/** 198.18.0.0/15 as /proc/net/route writes it. */
const LAB_NET = /^[0-9A-F]{4}1[23]C6$/;

interface TorStart extends Omit<StartInput, 'version'> {
  readonly settings: TorSettings;
}

/** The exits as one proxy. Rejects with ProxyError when the network is not ready in time: which relay, and in which phase. */
export async function startTorNetwork(settings: TorSettings, input: StartInput): Promise<RunningProxy> {
  const start = { ...input, settings, binary: atHand(settings, input) };
  refuseWayOut(start.clientNamespace);
  const layout = torLayout(start.setup, start.roleAddress);
  const begun = performance.now();
  const cache = networkCache(layout, (await input.version) ?? 'unknown', Date.now);
  empty(layout);
  const kept = cache.restore();
  const cached = kept !== null;
  const identityOf = kept ?? (await bootstrap(start, layout, cache));
  try {
    const started = await bringUp(start, layout, identityOf, 0, true);
    return { ...started, bootstrap: { seconds: (performance.now() - begun) / 1000, cached } };
  } catch (error) {
    // What is kept may be at fault, if the profile is not: the next start makes it anew.
    if (settings.config.length === 0) cache.drop();
    throw error;
  }
}

/** From nothing: keys, and a first consensus. @returns when all that a later start needs is kept */
async function bootstrap(start: TorStart, layout: TorLayout, cache: NetworkCache): Promise<NetworkIdentity> {
  for (let attempt = 0; ; attempt++) {
    empty(layout);
    const made = await makeKeys(start.binary, layout);
    try {
      const up = await bringUp(start, layout, made, attempt, false);
      await up.stop();
      cache.keep(made);
      return made;
    } catch (error) {
      if (!(error instanceof ShortConsensus) || attempt + 1 >= BOOTSTRAPS) throw error;
    }
  }
}

class ShortConsensus extends ProxyError {}

function empty({ directory }: TorLayout): void {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true, mode: 0o755 });
}

/** @param last the network that is then used: before it, nothing is traced and no log is kept */
async function bringUp(
  start: TorStart,
  layout: TorLayout,
  known: NetworkIdentity,
  attempt: number,
  last: boolean,
): Promise<RunningProxy> {
  const { settings, setup, root } = start;
  const times = votingTimes(Date.now() / 1000, attempt);
  const files: Record<string, string> = {};
  for (const node of layout.nodes) {
    const folder = join(layout.directory, node.name);
    const torrc = torrcOf(node, layout, known, times, last ? settings.config : []);
    files[`${node.name}.torrc`] = torrc;
    rmSync(join(folder, NOTICE_LOG), { force: true });
    writeFileSync(join(folder, 'torrc'), torrc);
    closeToOthers(folder);
  }
  if (last) start.configured(files);
  if (root) giveAway(layout.directory);

  const book = createLogBook();
  const note = (node: TorNode, log: string, line: string) => noteLine(book, node, log, line);
  const nodes = startNodes({
    binary: start.binary,
    layout,
    prefix: (node) => prefixOf(start, layout, node, last),
    note,
  });
  const tails = nodes.nodes.map(({ node, log }) => ({ node, tail: tailFile(log) }));
  const attacher = attacherFor(layout, known, setup, nodes, book);
  let how: string | null = null;
  const ended = nodes.ended.then((text) => {
    how = text;
    return text;
  });
  const readLogs = () => {
    for (const { node, tail } of tails) for (const line of tail()) note(node, NOTICE_LOG, line);
    return book;
  };
  const started = { ended, end: () => how, readLogs, stop: () => nodes.stop() };
  try {
    await ready(layout, nodes, attacher, settings.deadline, () => how);
  } catch (error) {
    await nodes.stop();
    if (!(error instanceof Error)) throw error;
    const tail = readLogs().tail();
    const why = how !== null ? book.troubles().join('; ') || tail.at(-1) : undefined;
    const Kind = error instanceof ShortConsensus ? ShortConsensus : ProxyError;
    throw new Kind(`${error.message}${why ? `: ${why}` : ''}`, tail);
  }
  return started;
}

/** Tor makes no control socket in a folder that others can read, as those of a guest's image are. */
function closeToOthers(folder: string): void {
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) closeToOthers(join(folder, entry.name));
}

function prefixOf(start: TorStart, layout: TorLayout, node: TorNode, last: boolean): string[] {
  const place = isInClientsNamespace(node)
    ? ['nsenter', `--net=${start.clientNamespace}`, '--']
    : last
      ? [...start.prefix(layout.exits.indexOf(node))]
      : [];
  return [...place, ...withoutRoot(start.root)];
}

/** The exits are what is under test: of the others only warnings are of interest. */
function noteLine(book: LogBook, node: TorNode, log: string, line: string): void {
  // Before it reads its configuration, and when it refuses it, Tor writes there what would be in the log.
  const isLog = log === NOTICE_LOG || log === STANDARD_OUTPUT;
  if (EXPECTED.test(line)) return;
  if (node.kind === 'exit') return book.add(line, isLog ? readTorLine(line) : null);
  const event = readTorLine(line);
  if (event?.kind === 'trouble') book.add(`${node.name}: ${line}`, event);
  else if (/\[warn\]/.test(line)) book.add(`${node.name}: ${line}`, null);
}

/** What every private network says at its start and at its end. */
const EXPECTED =
  /giving Tor only an IP address|running Tor as root|TestingTorNetwork is set|No available nodes when trying|You have used DirAuthority|You specified a public address|Your log may contain sensitive information|Interrupt: we have stopped accepting|Clean shutdown finished/;

function attacherFor(
  layout: TorLayout,
  { fingerprints }: NetworkIdentity,
  setup: ProxySetup,
  nodes: RunningNodes,
  book: LogBook,
): StreamAttacher {
  const exitOf = new Map(setup.clients.flatMap((addresses, i) => addresses.map((address) => [address, i] as const)));
  const client = nodes.nodes.find(({ node }) => node.kind === 'client')!;
  return createAttacher({
    ask: (command) => client.control()?.ask(command) ?? Promise.reject(new Error('the client has no control port')),
    paths: layout.exits.map((exit) => [layout.authority, layout.middle, exit].map(({ name }) => fingerprints[name]!)),
    exitOf: (source) => exitOf.get(source) ?? 0,
    note: (result) => book.add('', { kind: 'request', result }),
  });
}

/** Until a byte came through every exit. Rejects with what is missing when the time is over, or when a node has ended. */
async function ready(
  layout: TorLayout,
  nodes: RunningNodes,
  attacher: StreamAttacher,
  deadlineMs: number,
  end: () => string | null,
): Promise<void> {
  const begun = performance.now();
  // Those of this process and of all nodes: /proc may be that of another PID namespace.
  const starvation = watchStarvation(Number(readlinkSync('/proc/self')));
  const starved = () => Math.min(starvation.ms(), MOST_STARVED * deadlineMs);
  let missing: string | null = 'nothing was asked yet';
  const until = async (look: () => Promise<string | null>) => {
    for (;;) {
      missing = await look();
      if (missing === null) return;
      const how = end();
      if (how !== null) throw new ProxyError(`the private Tor network did not come up: ${how}`, []);
      if (performance.now() - begun > deadlineMs && performance.now() - begun - starved() > deadlineMs) {
        const seconds = Math.round(starved() / 1000);
        throw new ProxyError(
          `the private Tor network was not ready within ${deadlineMs / 1000} s${seconds > 0 ? `, and ${seconds} s for want of a CPU` : ''}: ${missing} (subject.deadline allows it more)`,
          [],
        );
      }
      await wait(LOOK_EVERY_MS);
    }
  };
  const client = nodes.nodes.find(({ node }) => node.kind === 'client')!;

  let server: Server | undefined;
  try {
    await until(async () => {
      await nodes.connect((line) => attacher.event(line));
      await refuseShortConsensus(layout, client.control());
      const reasons = await Promise.all(nodes.nodes.map(whyNotReady));
      return reasons.filter((reason) => reason !== null).join('; ') || null;
    });
    await client.control()!.ask('SETEVENTS STREAM CIRC');
    server = await startTrialServer(layout.exitAddress);
    for (const [i, { name }] of layout.exits.entries()) {
      attacher.tryOut(`${layout.exitAddress}:${TRIAL_PORT}`, i);
      await until(async () => {
        const built = await attacher.build(i);
        if (built !== null) return `the circuit to ${name} is not there; ${built}`;
        const path = join(layout.directory, layout.client.name, 'socks');
        const tried = await tryStream(path, layout.exitAddress, TRIAL_DEADLINE_MS);
        return tried === null ? null : `no byte came through ${name}: ${tried}`;
      });
    }
  } finally {
    starvation.stop();
    server?.close();
  }
}

/** The first consensus is followed by no other for a day, so that there is nothing to wait for when it lacks a relay. */
async function refuseShortConsensus(layout: TorLayout, client: Control | null): Promise<void> {
  const listed = client === null ? [] : await listedRelays(client).catch(() => []);
  if (listed.length === 0) return;
  const absent = layout.nodes.filter(({ kind, name }) => kind !== 'client' && !listed.includes(name));
  if (absent.length > 0)
    throw new ShortConsensus(
      `the first consensus of the private Tor network lacks ${absent.map(({ name }) => name).join(', ')}`,
      [],
    );
}

/** @throws ProxyError when a packet to an address outside the lab would have a way */
function refuseWayOut(clients: string): void {
  for (const table of ['/proc/self/net/route', clients.replace(/ns\/net$/, 'net/route')]) {
    const foreign = foreignRoutes(readFileSync(table, 'latin1'));
    if (foreign.length > 0)
      throw new ProxyError(
        `a private Tor network is started only where no route leads out of the lab, and here is one: ${foreign[0]}`,
        [],
      );
  }
}

/** Lines of /proc/net/route whose destinations are not of the lab. Pure. */
export function foreignRoutes(table: string): string[] {
  return table
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '' && !LAB_NET.test(line.split('\t')[1] ?? ''));
}
