/**
 * The program of the proxy's role: it is in a network and a mount namespace of its own, makes its side of the network,
 * starts the proxy, watches it and looks at its sockets.
 *
 * What the proxy writes goes to a tmpfs over /dev/shm, which is in this mount namespace only: logs, shared memory and pid files are
 * gone with the role, also when it is killed.
 */
import '../../machine/no-debugger.js';
import { mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { PORT_SYSCTLS } from '../../capacity/sysctl-catalogue.js';
import { familyOf } from '../../domain/addresses.js';
import { messageOf } from '../../domain/error.js';
import { countStrace } from '../../explain/strace-count.js';
import { mount, setDescriptorLimit } from '../../kernel/boot.js';
import { readNetCounters } from '../../kernel/counters.js';
import { createSocketObserver, listeners, type SocketObserver } from '../../kernel/sock-diag.js';
import { reachMachine, readSysctls } from '../../kernel/sysctl.js';
import { findProgram } from '../../machine/programs.js';
import { isRootOfMachine } from '../../machine/rights.js';
import { programOf, proxySubjectOf } from '../../subjects/index.js';
import { boundedConfiguration } from '../../subjects/proxy-report.js';
import { asCaller } from '../../subjects/running/child.js';
import { type Observation, startObservation } from '../../subjects/running/observe.js';
import { versionOf } from '../../subjects/running/program.js';
import { ProxyError } from '../../subjects/running/proxy-error.js';
import { childrenUsage, type Usage } from '../../subjects/running/usage.js';
import type { RunningProxy } from '../../subjects/subject.js';
import { seenUnder } from '../../subjects/what-if/seen.js';
import { keepFiles } from '../place/files.js';
import { giveInternet } from '../place/internet.js';
import { descriptorLimit } from '../place/limits.js';
import {
  joinInternet,
  proxyAddresses,
  setUpClient,
  setUpProxyToClients,
  withBothFamilies,
  withUnbound,
} from '../place/network.js';
import { applyLabSysctls, applySysctls, ephemeralRange, LAB_SYSCTLS, reservedIn } from '../place/sysctls.js';
import { freePorts } from '../recovery.js';
import type { ProxyLogs, ProxyProtocol } from './proxy-protocol.js';
import { serveRole } from './serve.js';

const SCRATCH = '/dev/shm';
const DIRECTORY = `${SCRATCH}/proxy`;
const TRACE = `${SCRATCH}/trace`;
/** A proxy sizes its tables by its limit; more than this no run here opens. */
const MOST_DESCRIPTORS = 65_536;
/** How long a program may take until it listens; in a guest of a busy machine all takes ten times as long. */
const READY_MS = { here: 15_000, guest: 60_000 } as const;

const RANGE = 'net.ipv4.ip_local_port_range';
/** Of a machine that was not tuned. */
const USUAL_RANGE = '32768 60999';

let observer: SocketObserver | undefined;
/** Those that are observed: the addresses of the arm first. */
let own: readonly string[] = [];
/** How many are the arm's. */
let watched = 0;
let inGuest = false;
let proxy: RunningProxy | undefined;
/** What it was configured with. */
let configuration: Record<string, string> = {};
/** Of an observed run; a text: why nothing is observed. */
let observation: Observation | string | undefined;
let usage: () => Usage = () => ({ processes: 0, cpu: { user: 0, system: 0 }, memory: 0, descriptors: null });

function setUpNetwork(command: ProxyProtocol['network']['request']) {
  const { outgoing, family, originPid, neighbours, unbound, machine } = command;
  if (machine !== undefined) reachMachine(machine);
  inGuest = machine !== undefined;
  const addresses = command.internet ? withBothFamilies(outgoing) : outgoing;
  if (command.internet) joinInternet(addresses, originPid, neighbours, unbound);
  else setUpClient(outgoing, family, originPid, neighbours, unbound);
  if (command.listeners > 0) setUpProxyToClients(command.family, command.listeners);
  applyLabSysctls();
  applySysctls(command.sysctls);
  const range = command.ports ?? ephemeralRange();
  own = withUnbound(addresses, unbound);
  observer = createSocketObserver(own, range, { onlyThese: true, transport: command.transport });
  watched = outgoing.length;
  const names = [...PORT_SYSCTLS, ...Object.keys(LAB_SYSCTLS), ...Object.keys(command.sysctls)];
  return { range, reserved: reservedIn(range), sysctls: readSysctls(names) };
}

async function start(command: ProxyProtocol['start']['request']): Promise<ProxyProtocol['start']['answer']> {
  const { settings, listen, destinations, outgoing, clients } = command;
  const limit = descriptorLimit();
  const wanted = 'descriptors' in settings ? settings.descriptors : null;
  if (wanted !== null && wanted > limit)
    throw new ProxyError(
      `the profile wants ${wanted} descriptors for the proxy, and a process may have at most ${limit}`,
      [],
    );
  const setup = {
    directory: DIRECTORY,
    listen,
    destinations,
    outgoing,
    clients,
    descriptors: wanted ?? Math.min(limit, MOST_DESCRIPTORS),
  };
  const subject = proxySubjectOf(settings.kind);
  // Dante closes all that a process may have, open or not, before each of its helpers: of a million, as in a guest, that takes minutes there.
  if (!subject.entrance && setup.descriptors < limit) setDescriptorLimit(setup.descriptors);
  const { binary: name } = programOf(settings);
  const binary = findProgram(name);
  if (binary === undefined) throw new ProxyError(`program ${name} not found`, []);
  const warning = 'workdir' in settings ? keepFiles({ ...settings, scratch: SCRATCH }) : null;
  mkdirSync(DIRECTORY, { recursive: true });
  const env = command.internet ? giveInternet(DIRECTORY, command.internet) : {};
  // Only strace tells how the ports of connections were chosen.
  const way = command.observe && subject.entrance ? 'strace' : command.observe;
  const whatIf = 'whatIf' in settings ? settings.whatIf : undefined;
  const count = () => seenUnder(countStrace(command.attempts), whatIf);
  if (way) observation = await startObservation(way, TRACE, isRootOfMachine(), count, whatIf !== undefined);
  if (command.own && typeof observation === 'string') throw new ProxyError(observation, []);
  if (command.attached && typeof observation === 'object' && 'command' in settings) {
    const as = asCaller(isRootOfMachine(), settings.user);
    const entry = {
      command: [...observation.prefix(0), ...as, binary, ...settings.command.slice(1)],
      env: Object.fromEntries(Object.entries({ ...env, ...settings.env }).map(([key, value]) => [key, value ?? null])),
    };
    return { version: null, configuration, warnings: warning === null ? [] : [warning], entry };
  }
  const version = versionOf(binary, subject.version);
  const begin = () =>
    subject.start(settings, {
      setup,
      binary,
      version,
      prefix: (nth) => (typeof observation === 'object' ? observation.prefix(nth) : []),
      root: isRootOfMachine(),
      own: command.own,
      readyMs: READY_MS[inGuest ? 'guest' : 'here'],
      env,
      roleAddress: proxyAddresses(familyOf(outgoing[0]!), 1)[0]!,
      clientNamespace: command.clientNamespace,
      configured: (files) => {
        configuration = boundedConfiguration(files);
      },
    });
  const started = subject.network ? await withUsualPorts(begin) : await begin();
  proxy = started;
  usage = childrenUsage(() => performance.now());
  return {
    version: await version,
    bootstrap: started.bootstrap,
    configuration,
    warnings: warning === null ? [] : [warning],
  };
}

/** @returns never, when the end was asked for */
function end(): Promise<ProxyProtocol['end']['answer']> {
  const running = proxy;
  return new Promise((resolve) => {
    void running?.ended.then((how) => {
      if (proxy === running) resolve({ how, logs: logsOf(running) });
    });
  });
}

/** A network needs ports for itself, and comes up with those of a machine that was not tuned. */
async function withUsualPorts(begin: () => Promise<RunningProxy>): Promise<RunningProxy> {
  const range = readSysctls([RANGE]);
  applySysctls({ [RANGE]: USUAL_RANGE });
  const started = await begin();
  applySysctls(range);
  // What its own connections leave is gone when the peer has acknowledged their end.
  for (let i = 0; i < 100 && Object.keys(observer!.snapshot().states).length > 0; i++) await wait(50);
  return started;
}

function stats() {
  const { states, portsInUse, ...per } = observer!.snapshot();
  const portsPerAddress = per.portsPerAddress.slice(0, watched);
  const timeWaitPerAddress = per.timeWaitPerAddress.slice(0, watched);
  const { cpu, memory, descriptors } = usage();
  // So that what is left to read at the end is little.
  proxy?.readLogs();
  const counters = readNetCounters();
  const syscalls = typeof observation === 'object' ? observation.look?.() : undefined;
  return { states, portsInUse, portsPerAddress, timeWaitPerAddress, counters, cpu, memory, descriptors, syscalls };
}

async function stop(): Promise<ProxyLogs> {
  const stopping = proxy;
  proxy = undefined;
  const ended = stopping?.end() ?? null;
  const listening = listeners();
  await stopping?.stop();
  return { ...(stopping ? logsOf(stopping) : NO_LOGS), ...(await observed(stopping?.pid)), ended, listening };
}

async function observed(pid: number | undefined): Promise<Pick<ProxyLogs, 'syscalls' | 'unobserved'>> {
  if (typeof observation !== 'object') return observation === undefined ? {} : { unobserved: observation };
  try {
    return { syscalls: await observation.finish(pid) };
  } catch (error) {
    return { unobserved: messageOf(error) };
  }
}

const NO_LOGS: ProxyLogs = { failures: [], requests: {}, troubles: [], tail: [], ended: null };

function logsOf(started: RunningProxy): ProxyLogs {
  const book = started.readLogs();
  const printed = started.printed?.();
  return {
    failures: book.failures(),
    requests: book.requests(),
    troubles: book.troubles(),
    tail: book.tail(),
    printed,
    ended: started.end(),
  };
}

void serveRole<ProxyProtocol>(
  {
    network: setUpNetwork,
    start: (command) =>
      start(command).catch((error: unknown) => {
        if (!(error instanceof ProxyError)) throw error;
        return { problem: error.message, configuration, logs: { ...NO_LOGS, tail: [...error.tail] } };
      }),
    end,
    stats,
    free: () => freePorts(own, () => observer!.snapshot().portsInUse),
    logs: () => (proxy ? logsOf(proxy) : NO_LOGS),
    stop,
  },
  {
    begin() {
      mkdirSync(SCRATCH, { recursive: true });
      mount('tmpfs', SCRATCH);
    },
    end: async () => proxy?.stop(),
  },
);
