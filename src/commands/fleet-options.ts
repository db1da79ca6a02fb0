/**
 * The options of `bindstorm fleet`.
 */
import { Option } from 'commander';
import type { Target } from '../domain/target.js';
import { parseDuration } from '../domain/units.js';
import { parseTarget } from '../plan/targets.js';
import { parsed } from './parsers.js';

/** Where `fleet up` listens. */
const LISTEN = '127.0.0.1:4222';
const BEAT_MS = 4_000;

/** Of `fleet up`. */
export const UP_OPTIONS: readonly Option[] = [
  new Option(
    '--listen <address:port>',
    'where it listens; beyond loopback only with --tls-cert and --tls-key, or --plain',
  ).default(LISTEN),
  new Option('--url <url>', 'how others reach it, where that is another address than the one it listens on'),
  new Option('--tls-cert <file>', 'its certificate, PEM'),
  new Option('--tls-key <file>', 'the key of the certificate, PEM'),
  new Option('--tls-ca <file>', 'what the certificate is signed with, PEM; otherwise the certificate itself'),
  new Option(
    '--plain',
    'let it listen beyond loopback without TLS: whoever is on the path can read and change all',
  ).default(false),
  new Option('--folder <folder>', 'where its keys and its streams are'),
  new Option('--nats <file or url>', 'use a server that runs: a file of a controller, or its URL'),
  new Option('--beat <duration>', 'between two signs of life; all that is waited for is a multiple of it')
    .argParser(parsed(parseDuration))
    .default(BEAT_MS, '4s'),
];

/** Of `fleet agent`. */
export const AGENT_OPTIONS: readonly Option[] = [
  new Option('--join <file or url>', 'the agent.json of `bindstorm fleet up`, or the URL of its server').default(
    `nats://${LISTEN}`,
  ),
  new Option('--name <name>', 'what reports call this machine; otherwise its host name'),
  new Option('--folder <folder>', 'where units are made'),
  new Option('--allow <address:port>', 'may be loaded from here, beside labs; can be given several times')
    .argParser((text: string, before: Target[]) => [...before, parsed(parseTarget)(text)])
    .default([]),
  new Option('--allow-programs', 'run commands, and configurations of their own, that profiles name').default(false),
  new Option(
    '--allow-host',
    'load this machine itself, and set and restore its sysctls, for profiles with the host lab',
  ).default(false),
];

/** Of `fleet status`. */
export const STATUS_OPTIONS: readonly Option[] = [
  new Option('--fleet <file or url>', 'the controller.json of `bindstorm fleet up`, or the URL of its server').default(
    `nats://${LISTEN}`,
  ),
  new Option('--json', 'print it as JSON').default(false),
  new Option('--watch', 'again and again, until it is interrupted').default(false),
];
