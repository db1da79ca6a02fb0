/**
 * The profile that `bindstorm try` makes of a command: what was seen of it in a first run, and the changes that could matter to it. Pure.
 */
import { stringify } from 'yaml';
import { formatDuration } from '../domain/format.js';
import { type StrategyName, strategyOf } from '../domain/strategy.js';
import type { Ending } from '../subjects/ending.js';

export interface TryChoice {
  readonly command: readonly string[];
  readonly workdir: string;
  readonly ports: number;
  /** How long a program is run that does not end by itself. */
  readonly forMs: number;
  /** It is a forward proxy, if it is a server. */
  readonly forward: boolean;
  /** As a profile has it under `subject`. */
  readonly origin: Readonly<Record<string, unknown>>;
  /** Variables of a variant. */
  readonly env: Readonly<Record<string, string>>;
}

/** What a first run showed. */
export interface Seen {
  /** The port of a server, which has to be asked; null: it drives itself. */
  readonly port: number | null;
  /** It ended by itself. */
  readonly ends: boolean;
  /** Requests and refused calls in the time that it ran. */
  readonly attempts: number;
  /** Calls were refused for want of a port. */
  readonly fails: boolean;
  /** How most of its connections got their ports; null: it made none. */
  readonly strategy: StrategyName | null;
  /** How most of its connections ended. */
  readonly ending: Ending | 'unknown';
  /** (address, port) pairs that it connected to. */
  readonly destinations: number;
}

const FIRST_PORT = 40_000;
/** By so much the range is widened. */
const WIDER = 4;
/** Makes every request of node:http and node:https use one agent, whatever agent the program gives it. */
const NODE_KEEP_ALIVE = `const http = require('node:http');
const https = require('node:https');
const { addRequest } = http.Agent.prototype;
const kept = { 'http:': new http.Agent({ keepAlive: true }), 'https:': new https.Agent({ keepAlive: true }) };
http.Agent.prototype.addRequest = function (request, options) {
  const agent = kept[this.protocol] ?? this;
  request.shouldKeepAlive = true;
  request._last = false;
  request.agent = agent;
  return addRequest.call(agent, request, { ...options, agent });
};
`;

/**
 * @param seen null: nothing yet; the profile is for a first run of its baseline
 * @param slower how many times as long as on a quiet machine what CPUs do takes: a program that has an end must come to it in the first run
 */
export function profileOf(choice: TryChoice, seen: Seen | null, slower = 1): string {
  const { command, workdir, ports, forMs, forward, origin } = choice;
  const port = seen?.port ?? null;
  const range = (count: number) => ({ 'net.ipv4.ip_local_port_range': `${FIRST_PORT} ${FIRST_PORT + count - 1}` });
  // Of a program that does not end, so many attempts as it had time for are the same in every run, a time is not.
  const attempts = Math.min(Math.floor((seen?.attempts ?? 0) * 0.8), 2 * ports);
  const until = seen?.ends
    ? {}
    : attempts < 4
      ? { duration: formatDuration(seen === null ? Math.round(forMs * slower) : forMs) }
      : { attempts, duration: formatDuration(Math.round(10 * forMs * slower)) };
  const goal = seen === null || seen.fails || seen.port !== null ? 'failures.share' : 'ports.perRequest';
  return stringify(
    {
      name: nameOf(command[0]!),
      description: `bindstorm try: how the program uses its local ports, and what helps it in a lab of ${ports} ports`,
      subject: {
        kind: 'program',
        command,
        workdir,
        ...(port === null ? {} : { ready: { listen: port }, reverse: !forward }),
        // What is predicted of each arm before it is tried goes by what was seen in the first run.
        ...(seen?.strategy ? { strategy: seen.strategy } : {}),
        ...(isEndingKnown(seen) ? { ending: seen.ending } : {}),
        ...(Object.keys(origin).length > 0 ? { origin } : {}),
      },
      addresses: { list: ['10.50.0.1'] },
      ...(seen !== null && port === null && seen.destinations > 1
        ? { destinations: { ports: seen.destinations } }
        : {}),
      // Twice as many requests as there are ports.
      load:
        port === null
          ? { arrival: { shape: 'own', ...until } }
          : { protocol: 'get', arrival: { shape: 'fill', attempts: 2 * ports, inFlight: 4 } },
      sysctls: range(ports),
      variants: [
        ...programVariants(choice, isEndingKnown(seen)),
        { name: 'wider-range', description: `${WIDER} times as many ports`, sysctls: range(WIDER * ports) },
        { name: 'tw-reuse', sysctls: { 'net.ipv4.tcp_tw_reuse': 1 } },
        ...(seen?.strategy && strategyOf(seen.strategy).port === 'bind'
          ? [
              {
                name: 'no-port',
                description:
                  'the program unchanged, with IP_BIND_ADDRESS_NO_PORT set on its sockets before its own bind()',
                subject: { whatIf: { bind: 'no-port' } },
              },
              { name: 'autobind-reuse', sysctls: { 'net.ipv4.ip_autobind_reuse': 1 } },
            ]
          : []),
        { name: 'fin-timeout', sysctls: { 'net.ipv4.tcp_fin_timeout': 5 } },
      ],
      goal,
      guardrails: [goal === 'failures.share' ? 'ports.perRequest' : 'failures.share'],
      repeat: 2,
      warmup: 0,
    },
    { lineWidth: 0 },
  );
}

function isEndingKnown(seen: Seen | null): seen is Seen {
  return seen !== null && seen.ending !== 'unknown';
}

/**
 * Variants of the program itself: with the variables of the command line, and, of Node, with connections that are kept.
 * @param predicted how connections end is said of the baseline
 */
function programVariants({ command, env }: TryChoice, predicted: boolean): object[] {
  const own = Object.keys(env).length > 0 ? [{ name: 'env', subject: { env } }] : [];
  if (!/^(?:node|nodejs)$/.test(lastPart(command[0]!))) return own;
  const keepAlive = {
    name: 'keep-alive',
    description:
      'all requests of node:http and node:https by one Agent({ keepAlive: true }), forced upon the program from outside',
    subject: {
      env: { NODE_OPTIONS: '--require={dir}/keep-alive.cjs' },
      files: { 'keep-alive.cjs': NODE_KEEP_ALIVE },
      ...(predicted ? { ending: 'kept' } : {}),
    },
  };
  return [...own, keepAlive];
}

/** What names the result folder. */
function nameOf(program: string): string {
  const plain = lastPart(program)
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, '-');
  return `try-${plain.slice(0, 40) || 'program'}`;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
