/**
 * The agent's side of the proxy's role: the process, its answers, and its end.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { inTime } from '../../machine/in-time.js';
import { readMessages, writeMessage } from '../../machine/ndjson.js';
import type { Bootstrap, ProxyReport } from '../../subjects/proxy-report.js';
import type { ProxySettings } from '../../subjects/settings.js';
import { type ProxyCommand, type ProxyEvent, type ProxyLogs, proxyEventSchema } from './proxy-protocol.js';

export type ProxyStats = Extract<ProxyEvent, { type: 'stats' }>;
type Answer = Exclude<ProxyEvent['type'], 'died' | 'failed'>;

export interface ProxyRole {
  /** Of the process in the proxy's namespaces, in the PID namespace of the agent. */
  readonly pid: number;
  /** The file of its network namespace. */
  readonly namespace: string;
  setUpNetwork(command: Omit<Extract<ProxyCommand, { type: 'network' }>, 'type'>): Promise<NetworkEvent>;
  /** Start the proxy. Rejects with ProxyFailed when it does not come up. */
  start(command: Omit<Extract<ProxyCommand, { type: 'start' }>, 'type' | 'settings'>): Promise<void>;
  stats(): Promise<ProxyStats>;
  /** End the proxy. @returns what its logs say */
  stop(): Promise<ProxyLogs>;
  /** As the program itself says. */
  version(): string | null;
  /** Of a private network; undefined: it is none. */
  bootstrap(): Bootstrap | undefined;
  /** Rejects with ProxyFailed when the proxy, or its role, ends by itself. */
  readonly failure: Promise<never>;
  /** End the role, and with it its namespaces. */
  close(): void;
}

export type NetworkEvent = Extract<ProxyEvent, { type: 'network' }>;

/** The proxy did not come up, or ended by itself. The report is of what there is. */
export class ProxyFailed extends Error {
  override name = 'ProxyFailed';
  readonly report: ProxyReport;
  constructor(message: string, report: ProxyReport) {
    super(message);
    this.report = report;
  }
}

/** The role's process, in namespaces of its own: unshare(1) replaces itself by it, so the pid stays. */
export function launchProxyRole(): ChildProcessByStdio<Writable, Readable, Readable> {
  const role = fileURLToPath(new URL('./proxy-role.js', import.meta.url));
  return spawn('unshare', ['--net', '--mount', '--', process.execPath, role], { stdio: ['pipe', 'pipe', 'pipe'] });
}

/** Start the role. Rejects with what its process said when it fails. */
export async function openProxyRole(settings: ProxySettings): Promise<ProxyRole> {
  const child = launchProxyRole();
  const { kind } = settings;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  // Writing to a process that has just died is not an error of its own: its end is reported by the next answer.
  child.stdin.on('error', () => {});
  let version: string | null = null;
  let bootstrap: Bootstrap | undefined;
  let waiting: ((event: ProxyEvent) => void) | undefined;
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  child.once('error', (error) => fail(new Error(`the proxy's role could not be started: ${error.message}`)));
  void listen().catch(fail);

  const ready = await answer('ready');
  return {
    pid: child.pid ?? 0,
    // The lab does not mount a /proc of its own, so a pid of its PID namespace would name somebody else there.
    namespace: `/proc/${ready.process}/ns/net`,
    setUpNetwork: (command) => ask({ type: 'network', ...command }, 'network'),
    async start(command) {
      ({ version, bootstrap } = await ask({ type: 'start', settings, ...command }, 'listening'));
    },
    stats: () => inTime("the proxy's role", ask({ type: 'stats' }, 'stats')),
    stop: async () => (await ask({ type: 'stop' }, 'stopped')).logs,
    version: () => version,
    bootstrap: () => bootstrap,
    failure,
    close: () => void child.stdin.end(),
  };

  async function listen(): Promise<void> {
    for await (const event of readMessages(child.stdout, proxyEventSchema)) {
      if (event.type === 'died') fail(died(event.how, event.logs));
      else if (event.type === 'failed') fail(failed(event.message, event.logs));
      else waiting?.(event);
    }
    fail(new Error(`the proxy's role ended before it was told to${stderr ? `: ${stderr.trim()}` : ''}`));
  }

  function ask<T extends Answer>(command: ProxyCommand, type: T): Promise<Extract<ProxyEvent, { type: T }>> {
    writeMessage(child.stdin, command);
    return answer(type);
  }

  async function answer<T extends Answer>(type: T): Promise<Extract<ProxyEvent, { type: T }>> {
    const event = await Promise.race([
      new Promise<ProxyEvent>((resolve) => {
        waiting = resolve;
      }),
      failure,
    ]);
    if (event.type === type) return event as Extract<ProxyEvent, { type: T }>;
    throw new Error(`the proxy's role answered ${event.type}, not ${type}`);
  }

  function died(how: string, logs: ProxyLogs): ProxyFailed {
    const why = [...logs.troubles, ...logs.tail.slice(-1).map((line) => `the end of its log is: ${line}`)][0];
    const message = `the proxy (${kind}) ${how} before the run was over${why ? `; ${why}` : ''}`;
    return new ProxyFailed(message, { ...emptyReport(kind), version, ...logs, ended: how });
  }

  function failed(message: string, logs: ProxyLogs | null): Error {
    if (logs === null) return new Error(`the proxy's role failed: ${message}`);
    return new ProxyFailed(message, { ...emptyReport(kind), ...logs, ended: message });
  }
}

function emptyReport(kind: ProxySettings['kind']): ProxyReport {
  return {
    kind,
    version: null,
    failures: [],
    requests: {},
    answers: {},
    troubles: [],
    ended: null,
    tail: [],
    cpu: { user: 0, system: 0 },
    memory: { peak: 0 },
    descriptors: null,
    roles: { client: {}, origin: {} },
  };
}
