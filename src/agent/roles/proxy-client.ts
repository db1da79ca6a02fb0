/**
 * The agent's side of the proxy's role.
 */
import { type ProxySettings, proxySubjectOf } from '../../subjects/index.js';
import type { ProxyReport } from '../../subjects/proxy-report.js';
import type { Bootstrap } from '../../subjects/subject.js';
import { connectRole } from './channel.js';
import { launchRole } from './launch.js';
import { type Entry, type ProxyLogs, type ProxyProtocol, proxySchemas } from './proxy-protocol.js';

export type ProxyStats = ProxyProtocol['stats']['answer'];

export interface ProxyRole {
  /** Of the process in the proxy's namespaces, in the PID namespace of the agent. */
  readonly pid: number;
  /** The file of its network namespace. */
  readonly namespace: string;
  /** As of a role: do something to its namespaces. */
  reach<T>(work: () => T | Promise<T>): Promise<T>;
  setUpNetwork(request: ProxyProtocol['network']['request']): Promise<ProxyProtocol['network']['answer']>;
  /** Start the proxy. Rejects with ProxyFailed when it does not come up. */
  start(request: Omit<ProxyProtocol['start']['request'], 'settings'>): Promise<Entry | undefined>;
  stats(): Promise<ProxyStats>;
  /** End all sockets that hold its ports. @returns how many, and why there are still some (null: there are none) */
  free(): Promise<ProxyProtocol['free']['answer']>;
  /** What its logs have said so far. */
  logs(): Promise<ProxyProtocol['logs']['answer']>;
  /** End the proxy. @returns what its logs say */
  stop(): Promise<ProxyLogs>;
  /** How a program that drives itself has ended, which is no failure; resolves when it has. */
  readonly ended: Promise<string>;
  /** What a reader of the run must know of how it was started. */
  warnings(): readonly string[];
  /** As the program itself says. */
  version(): string | null;
  /** Of a private network; undefined: it is none. */
  bootstrap(): Bootstrap | undefined;
  /** What it was configured with: file name → text. */
  configuration(): Readonly<Record<string, string>>;
  /** Rejects with ProxyFailed when the proxy, or its role, ends by itself. */
  readonly failure: Promise<never>;
  /** End the role, and with it its namespaces. */
  close(): void;
}

/** The proxy did not come up, or ended by itself. The report is of what there is. */
export class ProxyFailed extends Error {
  override name = 'ProxyFailed';
  readonly report: ProxyReport;
  /** File name → text. */
  readonly configuration: Readonly<Record<string, string>>;
  constructor(message: string, report: ProxyReport, configuration: Readonly<Record<string, string>>) {
    super(message);
    this.report = report;
    this.configuration = configuration;
  }
}

/** Start the role, in namespaces of its own. Rejects with what its program said when it fails. */
export async function openProxyRole(settings: ProxySettings): Promise<ProxyRole> {
  const { kind } = settings;
  const role = connectRole<ProxyProtocol>(
    "the proxy's role",
    launchRole('./proxy-role.js', ['--net', '--mount']),
    proxySchemas,
  );
  let version: string | null = null;
  let bootstrap: Bootstrap | undefined;
  let configuration: Readonly<Record<string, string>> = {};
  let warnings: readonly string[] = [];
  let stopped: Promise<ProxyLogs> | undefined;
  let end: (how: string) => void = () => {};
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  return {
    pid: role.pid,
    namespace: await role.ready,
    reach: role.reach,
    setUpNetwork: (request) => role.ask('network', request),
    async start(request) {
      const started = await role.ask('start', { settings, ...request });
      ({ configuration } = started);
      if ('problem' in started) {
        const { problem, logs } = started;
        throw new ProxyFailed(problem, { ...emptyReport(kind), ...logs, ended: problem }, configuration);
      }
      ({ version, bootstrap, warnings } = started);
      role.ask('end', {}).then(
        ({ how, logs }) => (request.own ? end(how) : role.fail(died(how, logs))),
        () => {},
      );
      return started.entry;
    },
    stats: () => role.ask('stats', {}, true),
    free: () => role.ask('free', {}),
    logs: () => role.ask('logs', {}),
    stop: () => (stopped ??= role.ask('stop', {})),
    ended,
    warnings: () => warnings,
    version: () => version,
    bootstrap: () => bootstrap,
    configuration: () => configuration,
    failure: role.failure,
    close: role.end,
  };

  function died(how: string, logs: ProxyLogs): ProxyFailed {
    const why = [...logs.troubles, ...logs.tail.slice(-1).map((line) => `the end of its log is: ${line}`)][0];
    const who = proxySubjectOf(kind).entrance ? 'the program' : `the proxy (${kind})`;
    const message = `${who} ${how} before the run was over${why ? `; ${why}` : ''}`;
    return new ProxyFailed(message, { ...emptyReport(kind), version, ...logs, ended: how }, configuration);
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
