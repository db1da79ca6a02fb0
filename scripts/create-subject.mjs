// Begins a new kind of proxy: npm run create:subject NAME
// Writes its folder, its test and its profile, and adds its row to src/subjects/index.ts. What it writes compiles and passes lint; its
// test fails where the author has to fill in. --into FOLDER writes into another checkout (for the test of this script).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { into: { type: 'string' } } });
const root = values.into ?? join(dirname(fileURLToPath(import.meta.url)), '..');
const [name] = positionals;

if (positionals.length !== 1 || !/^[a-z][a-z0-9]{1,30}$/.test(name))
  refuse('give the one name of the new kind, lower-case letters and digits: npm run create:subject tinyproxy');

const files = {
  [`src/subjects/${name}/${name}.ts`]: subjectText(),
  [`test/subjects/${name}.test.ts`]: testText(),
  [`profiles/${name}-ports.yaml`]: profileText(),
};
const index = join(root, 'src/subjects/index.ts');
const indexText = readFileSync(index, 'utf8');
const list = /^const PROXIES = \{ (.*) \};$/m.exec(indexText);
if (list === null) refuse(`${index} has no line "const PROXIES = { … };", where the new kind would be added`);
const taken = [...list[1].split(', '), 'direct', 'external'];
if (taken.includes(name))
  refuse(`there is a subject ${name} already (there are ${taken.join(', ')}); choose another name`);
for (const path of Object.keys(files))
  if (existsSync(join(root, path))) refuse(`${path} exists already; remove it, or choose another name`);

for (const [path, text] of Object.entries(files)) {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
writeFileSync(index, withRow(indexText));

console.log(`written:
  ${Object.keys(files).join('\n  ')}
  src/subjects/index.ts (its row)

next:
  1. answer the questions in src/subjects/${name}/${name}.ts, until this passes:
     npm run -s build && node --test dist/test/subjects/${name}.test.js
  2. npm run schema                      (profile.md and the schemas have the new kind)
  3. bindstorm run profiles/${name}-ports.yaml, and compare it with what bindstorm plan predicts
  4. docs/how-to/add-a-proxy.md: the test against the kernel, the row in README's table of profiles`);

function refuse(why) {
  console.error(why);
  process.exit(2);
}

/** The import in its alphabetical place, and the name at the end of the list. */
function withRow(text) {
  const line = `import { ${name} } from './${name}/${name}.js';`;
  const lines = text.split('\n');
  const source = (each) => /from '(\.\/[^']+)';$/.exec(each)?.[1];
  const at = lines.findIndex((each) => (source(each) ?? '') > source(line));
  const last = lines.findLastIndex((each) => each.startsWith('import '));
  lines.splice(at === -1 ? last + 1 : at, 0, line);
  return lines.join('\n').replace(list[0], `const PROXIES = { ${list[1]}, ${name} };`);
}

function subjectText() {
  const type = `${name[0].toUpperCase()}${name.slice(1)}Settings`;
  return `/**
 * ${name}: what it is, which setting gives its outgoing address, and how it binds (seen with strace, in which version). Pure.
 */
import { formatTarget } from '../../domain/format.js';
import { program } from '../define.js';
import { likeItsClient, ofRequests } from '../ending.js';
import { eventBy, type LogRule, OUT_OF_DESCRIPTORS, refused, STANDARD_ERROR } from '../running/log-book.js';
import { binarySetting, CLIENTS, CONFIG, type SettingsOf } from '../settings.js';
import type { ProxySetup } from '../subject.js';

const CONFIG_FILE = '${name}.conf';
const LOG = '${name}.log';

// What may a profile say of it? ../settings.ts has what several kinds share; leave CONFIG out where it has no configuration.
const SETTINGS = { binary: binarySetting('${name}'), config: CONFIG, clients: CLIENTS };
type ${type} = SettingsOf<'${name}', typeof SETTINGS>;

export const ${name} = program('${name}', SETTINGS, {
  // Which Debian package has it?
  debianPackage: '${name}',
  // Do its clients say where to connect (false), or its configuration, with a listener for each destination (true)?
  reverse: false,
  // What do its clients say, the usual first? Of tcp, connect, get, socks5.
  protocols: () => ['connect', 'get'],
  // How does it get the local port of an outgoing connection? src/domain/strategy.ts has the names. Watch it:
  // strace -f -e trace=socket,setsockopt,bind,connect
  strategy: () => 'bind',
  // Which arguments make it print its version? Leave it out if it does not.
  version: { args: ['-v'], pattern: /(\\d+(?:\\.\\d+)+)/ },
  // Who closes the connection to the origin first, and is any kept for the next request? test/lab/endings.test.ts asks.
  ending: (_, load) => (load.protocol === 'get' ? ofRequests(load, false, 'client') : likeItsClient(load, 'client')),
  // Other questions, each optional: ../subject.ts. Can it use only one address (check)? Does something beside the kernel's rules
  // decide how much fits (draws, takesClientsPorts)? What is it in the table of fixes (fixRow)?
  configure: (settings, path, setup) => ({
    files: { [CONFIG_FILE]: configText(settings, setup) },
    // It must stay in the foreground.
    argv: [path, '-c', \`\${setup.directory}/\${CONFIG_FILE}\`],
    logs: [LOG],
    stop: { signal: 'SIGTERM', deadlineMs: 4000 },
  }),
  readLine: (log, line) => (log === LOG || log === STANDARD_ERROR ? eventBy(RULES, line) : null),
});

// Where does it listen, and from which address does it connect?
function configText(settings: ${type}, { directory, listen, outgoing }: ProxySetup): string {
  return \`\${[
    \`listen \${formatTarget(listen[0])}\`,
    ...outgoing.map((address) => \`bind \${address}\`),
    \`log \${directory}/\${LOG}\`,
    ...settings.config,
  ].join('\\n')}\\n\`;
}

// Which lines say that a bind() or connect() failed, and with which errno? Which say that it ran out of descriptors, or gave up?
const RULES: readonly LogRule[] = [
  [/Address already in use/, refused('bind', 'EADDRINUSE')],
  [/Too many open files/, OUT_OF_DESCRIPTORS],
];
`;
}

function testText() {
  return `import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ${name} } from '../../src/subjects/${name}/${name}.js';
import type { ProxySetup } from '../../src/subjects/subject.js';

const SETUP: ProxySetup = {
  directory: '/dev/shm/proxy',
  listen: [{ address: '198.18.64.1', port: 3128 }],
  destinations: [{ address: '198.19.0.1', port: 9000 }],
  outgoing: ['10.50.0.1'],
  clients: [['198.18.128.1']],
  descriptors: 9000,
};

describe('${name}', () => {
  it('listens where its clients are, and connects from its outgoing address', () => {
    const { files, argv } = ${name}.configure(${name}.defaults, '/usr/bin/${name}', SETUP);
    const text = [...Object.values(files), ...argv].join('\\n');
    assert.match(text, /198\\.18\\.64\\.1/);
    assert.match(text, /3128/);
    assert.match(text, /10\\.50\\.0\\.1/);
  });

  it('says which version it is', () => {
    assert.fail('fill in: what the program prints, and the version that is found in it');
  });

  it('says in its log what failed', () => {
    assert.fail('fill in: a line of its log about a refused bind() or connect(), and what readLine makes of it');
  });
});
`;
}

function profileText() {
  return `# yaml-language-server: $schema=../schema/profile.schema.json
#
# What do the users of ${name} ask? Say here how it binds, and which line its log has when it finds no port.

name: ${name}-ports
description: >
  ${name} runs out of ports for one destination: each remedy alone.

subject: { kind: ${name} }
addresses: { list: [10.50.0.1] }

load:
  # 150 connections for 100 ports.
  arrival: { shape: constant, rate: 300/s, duration: 500ms }
  # Attempts that start late do not spoil a count: be patient with a busy machine.
  lagBudget: 1s

sysctls:
  net.ipv4.ip_local_port_range: 40000 40099

variants:
  - { name: wider-range, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }

  - { name: four-destinations, destinations: { ports: 4 } }

  - name: tw-reuse
    sysctls: { net.ipv4.tcp_tw_reuse: 1 }

repeat: 8
goal: failures.share
`;
}
