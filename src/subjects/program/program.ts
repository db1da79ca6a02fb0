/**
 * Any program of the user's own: a server that the load drives, or a client or job that drives itself (`arrival: { shape: own }`). Nothing is known of it
 * beforehand; how it gets its local ports is seen in its system calls. Pure.
 */
import { formatTarget } from '../../domain/format.js';
import { type Setting, setting } from '../../domain/setting.js';
import { STRATEGY_NAMES } from '../../domain/strategy.js';
import { quote } from '../../domain/units.js';
import { flag, map, oneOf, orNull, text, textMap, texts, whole } from '../../domain/values.js';
import { program as define } from '../define.js';
import { INTERNET } from '../internet.js';
import { CLIENTS, type SettingsOf } from '../settings.js';
import type { ProxySetup } from '../subject.js';

const TEMPLATES =
  '{listen} and {port}: where the load expects it; {origin}: an address and port of the origin; {source}, {sources}: its addresses; {dir}: a folder of its own';

/** What it is ready by. */
const ready: Setting<{ listen: number } | null> = setting(
  orNull(
    {
      ...text(),
      written: map({ listen: whole(1, 65_535).written.meta({ example: 'listen: 8080' }) }),
      kept: map({ listen: whole(1, 65_535).kept }),
      text: ({ listen }) => `port ${listen}`,
      words: ({ listen }) => `port ${listen}`,
    },
    'none: it drives itself',
  ),
  {
    default: null,
    describe:
      'the port on which it listens when it is ready for the load, as the kernel says; no connection is made on trial',
    example: '{ listen: 8080 }',
  },
);

const SETTINGS = {
  command: setting(texts({ most: 1000, characters: 100_000, item: 'node' }), {
    default: [],
    defaultText: 'none: it must be named',
    describe: `the program and its arguments. ${TEMPLATES}`,
    example: '[node, service.js]',
  }),
  env: setting(textMap(1000), {
    default: {},
    describe: 'environment variables beside those of the caller, with the same words in braces. A variant adds to them',
    example: '{ UPSTREAM: "http://{origin}/" }',
  }),
  files: setting(textMap(64), {
    default: {},
    describe: 'files that are written into {dir}: name and text, with the same words in braces. A variant adds to them',
    example: '{ app.conf: "listen {listen};" }',
  }),
  workdir: setting(orNull(text(1, 4096), 'where bindstorm is started'), {
    default: null,
    describe: 'the folder that it is started in; a relative one is looked for beside the profile',
    example: '../examples/node',
  }),
  user: setting(orNull(text(1, 64), 'the caller'), {
    default: null,
    describe: 'who it runs as; only root can choose',
    example: 'nobody',
  }),
  writes: setting(texts({ most: 20, characters: 4096, item: './out' }), {
    default: [],
    describe:
      'folders in which what it writes is kept. All others are read-only, or (its workdir, HOME, /tmp) seem to be written and are as before afterwards',
    example: '[./out]',
  }),
  ready,
  reverse: setting(flag, {
    default: true,
    describe: 'whether it is asked as an origin is (GET /), or as a forward proxy (GET http://…, CONNECT, SOCKS5)',
    example: 'false',
  }),
  strategy: setting(oneOf(STRATEGY_NAMES), {
    default: 'connect',
    describe: 'how it is expected to get its local ports, for what is predicted before it was seen',
    example: 'bind-reuseaddr',
  }),
  ending: setting(oneOf(['unknown', 'client', 'server', 'reset', 'kept']), {
    default: 'unknown',
    describe:
      'who is expected to close its connections first (client: the program), or that they are kept; as strategy',
    example: 'client',
  }),
  clients: CLIENTS,
  ...INTERNET,
};
export type ProgramSettings = SettingsOf<'program', typeof SETTINGS>;

const FILE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export const program = define('program', SETTINGS, {
  // What it is watched with; the program itself is the user's.
  debianPackage: 'strace',
  reverse: true,
  protocols: ({ reverse }) => (reverse ? ['get', 'tcp'] : ['get', 'connect', 'socks5']),
  strategy: ({ strategy }) => strategy,
  // Any program knows by itself what it keeps, and whether it closes first.
  ending: ({ ending }) => ending,
  entrance: ({ ready, reverse }) => (ready === null ? null : { port: ready.listen, reverse }),
  check({ command, env, files }, _, say) {
    if (command.length === 0 || command[0] === '')
      say(
        'command is missing: name the program and its arguments, for example command: [node, service.js]',
        ['subject', 'command'],
        ['subject'],
      );
    for (const name of Object.keys(files).filter((each) => !FILE_NAME.test(each)))
      say(
        `${quote(name)} is not a name of a file in {dir}: use letters, digits, dots, dashes and underscores, and no folders`,
        ['subject', 'files', name],
      );
    for (const name of Object.keys(env).filter((each) => !VARIABLE.test(each)))
      say(`${quote(name)} is not a name of an environment variable: use letters, digits and underscores`, [
        'subject',
        'env',
        name,
      ]);
    if ([...command, ...Object.values(env)].some((each) => each.includes('\0')))
      say('command and env cannot have a character of the number 0', ['subject', 'command']);
  },
  configure: (settings, path, setup) => ({
    files: filled(settings.files, setup),
    argv: [path, ...settings.command.slice(1).map((word) => fill(word, setup))],
    env: filled(settings.env, setup),
    ...(settings.workdir === null ? {} : { workdir: settings.workdir }),
    user: settings.user,
    logs: [],
    stop: { signal: 'SIGTERM', deadlineMs: 2000 },
  }),
  readLine: () => null,
  belongings: ({ command, workdir }) => ({
    programs: ['id', 'strace'],
    files: command.slice(1).filter((word) => word.startsWith('/')),
    named: workdir === null ? [] : [workdir],
    // What it writes seems to be written; its internet is a rule of nf_tables (kernel/nftables.ts).
    modules: ['overlay', 'nf_tables', 'nft_tproxy'],
  }),
});

/** The words in braces that are known are replaced, others stay as they are. */
function fill(template: string, { listen: [entrance], destinations, outgoing, directory }: ProxySetup): string {
  const words: Readonly<Record<string, string | undefined>> = {
    listen: entrance && formatTarget(entrance),
    port: entrance && String(entrance.port),
    origin: destinations[0] && formatTarget(destinations[0]),
    source: outgoing[0],
    sources: outgoing.join(' '),
    dir: directory,
  };
  return template.replace(/\{(listen|port|origin|sources?|dir)\}/g, (whole, word: string) => words[word] ?? whole);
}

function filled(templates: Readonly<Record<string, string>>, setup: ProxySetup): Record<string, string> {
  return Object.fromEntries(Object.entries(templates).map(([name, template]) => [name, fill(template, setup)]));
}
