/**
 * The options of `bindstorm fleet`.
 */
import { InvalidArgumentError, Option } from 'commander';
import type { Target } from '../domain/target.js';
import { parseDuration } from '../domain/units.js';
import { LISTEN } from '../fleet/access.js';
import { parseTarget } from '../plan/targets.js';
import { parsed } from './parsers.js';

const BEAT_MS = 4_000;
/** What is meant where no fleet is named. */
const HERE = `the fleet that was started on this machine, or nats://${LISTEN}`;

/** Of `fleet up`. */
export const UP_OPTIONS: readonly Option[] = [
  new Option(
    '--listen <address:port>',
    'where it listens; beyond loopback only with --tls-cert and --tls-key, or --plain',
  ).default(LISTEN),
  new Option('--url <url>', 'how others reach it, where that is another address than the one it listens on'),
  new Option('--tls-cert <file>', 'its certificate, PEM; with --nats: that of controllers and agents'),
  new Option('--tls-key <file>', 'the key of the certificate, PEM'),
  new Option('--tls-ca <file>', "what the server's certificate is signed with, PEM; otherwise the certificate itself"),
  new Option(
    '--plain',
    'let it listen beyond loopback without TLS: whoever is on the path can read and change all',
  ).default(false),
  new Option('--folder <folder>', 'where its keys and its streams are'),
  new Option(
    '--nats <file or url>',
    'use a server that runs: its URL (for which the two files are written), or a file of a controller',
  ),
  new Option('--beat <duration>', 'between two signs of life; all that is waited for is a multiple of it')
    .argParser(parsed(parseDuration))
    .default(BEAT_MS, '4s'),
];

/** Of `fleet agent`. */
export const AGENT_OPTIONS: readonly Option[] = [
  new Option(
    '--join <file or url>',
    'the agent.json of `bindstorm fleet up`, or the URL of its server; -: standard input has the file, and the agent ends with it',
  ).default(undefined, HERE),
  new Option('--name <name>', 'what reports call this machine; otherwise its host name'),
  new Option('--folder <folder>', 'where units are made'),
  new Option(
    '--take-build [sha256]',
    'become the build of a controller of another, any or the one with this SHA-256: its programs then run on this machine',
  ).argParser(sha256),
  ...leave(),
];

/** Of `fleet start-agents`. */
export const START_OPTIONS: readonly Option[] = [
  new Option('--join <file or url>', 'the agent.json of `bindstorm fleet up`, or the URL of its server').default(
    undefined,
    HERE,
  ),
  new Option('--program <path>', 'bindstorm on those hosts').default('bindstorm'),
  new Option('--ssh-config <file>', "a configuration of ssh, instead of the user's own"),
  ...leave(),
];

/** @throws InvalidArgumentError for what is none */
function sha256(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new InvalidArgumentError('--take-build takes a SHA-256, 64 hexadecimal digits, or nothing.');
  return text;
}

/** What an agent may do. */
function leave(): Option[] {
  return [
    new Option('--allow <address:port>', 'may be loaded from there, beside labs; can be given several times')
      .argParser((text: string, before: Target[]) => [...before, parsed(parseTarget)(text)])
      .default([]),
    new Option('--allow-programs', 'run commands, and configurations of their own, that profiles name').default(false),
    new Option(
      '--allow-host',
      'load the machine itself, and set and restore its sysctls, for profiles with the host lab',
    ).default(false),
  ];
}

/** Of `fleet build`. */
export const BUILD_OPTIONS: readonly Option[] = [
  new Option('--archive', 'with the SHA-256 by which an agent takes it (--take-build)').default(false),
];

/** Of `fleet status`. */
export const STATUS_OPTIONS: readonly Option[] = [
  new Option('--fleet <file or url>', 'the controller.json of `bindstorm fleet up`, or the URL of its server').default(
    undefined,
    HERE,
  ),
  new Option('--json', 'print it as JSON').default(false),
  new Option('--watch', 'again and again, until it is interrupted').default(false),
];
