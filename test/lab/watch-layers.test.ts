// needs: passt, slirp4netns, iproute2, procps
/**
 * Two layers, with the programs that carry the connections of a rootless container: 20 ports outside and 28,232 inside. What a program inside gets,
 * and what the gauge says in both layers.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type { Look } from '../../src/gauge/look.js';
import { CLI, scratchFolder } from '../support/cli.js';

const PORTS = 20;
const skip =
  (process.getuid?.() !== 0 && 'only root may make the namespaces of both layers') ||
  (!existsSync('/dev/net/tun') && 'there is no /dev/net/tun');

/** Opens connections and holds them, until one fails or has no answer for two seconds; then says how many there are, and why no more. */
const CLIENT = `
const net = require('node:net');
let open = 0;
const end = (why) => console.log(open, why);
(function next() {
  if (open === 100) return end('all');
  const socket = net.connect(9000, '10.9.1.1');
  const timer = setTimeout(() => { socket.destroy(); end('nothing'); }, 2000);
  socket.on('connect', () => { clearTimeout(timer); open++; next(); });
  socket.on('error', ({ code }) => { clearTimeout(timer); end(code); });
})();
setInterval(() => {}, 1000);
`;
const SERVER = `require('node:net').createServer((socket) => socket.on('error', () => {}).resume()).listen(9000, '10.9.1.1', () => console.log('ready'));`;

/** Keeps the namespace inside. */
const KEEPER = 'sleep 601';

/** The commands that make a namespace with a keeper, and carry it. */
const CARRIERS = {
  slirp4netns: {
    command: `unshare --net ${KEEPER} & found; slirp4netns --configure "$inner" tap0`,
    gets: /^20 ENETUNREACH$/,
    device: 'tap0',
  },
  // Versions of 2023 drop the SYN.
  pasta: {
    command: `pasta --quiet --config-net --runas 0 -t none -u none -T none -U none -- ${KEEPER}`,
    gets: /^20 (?:ECONNREFUSED|nothing)$/,
    device: 'out',
  },
} as const;

function carried(t: TestContext, command: string) {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'client.cjs'), CLIENT);
  writeFileSync(join(cwd, 'server.cjs'), SERVER);
  const node = process.execPath;
  const watch = `'${node}' '${CLI}' watch --once --json`;
  const script = `
until_said() { for i in $(seq 600); do grep -qs "$1" "$2" && return; sleep 0.05; done; echo "$2 says nothing" >&2; cat "$2" >&2; exit 90; }
ip link set lo up && ip addr add 10.9.1.1/32 dev lo && ip link add out type veth peer name beyond && ip addr add 10.9.0.1/24 dev out && ip link set out up && ip link set beyond up &&
  ip route add default via 10.9.0.254 dev out && echo '40000 ${40_000 + PORTS - 1}' > /proc/sys/net/ipv4/ip_local_port_range || exit 90
'${node}' server.cjs > server & until_said ready server
found() { for i in $(seq 600); do inner=$(pgrep -f '^${KEEPER}$') && return; sleep 0.05; done; echo 'no namespace inside' >&2; exit 90; }
{ ${command}; } > carrier 2>&1 & found
for i in $(seq 600); do nsenter --target "$inner" --net ip route | grep -q default && break; sleep 0.05; done
nsenter --target "$inner" --net '${node}' client.cjs > client & until_said . client
${watch} > outside; nsenter --target "$inner" --net ${watch} > inside
cat carrier >&2; exit 0`;
  const namespaces = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
  const { status, stderr } = spawnSync('unshare', [...namespaces, 'sh', '-c', script], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const read = (name: string) => readFileSync(join(cwd, name), 'utf8');
  return {
    gets: read('client').trim(),
    outside: JSON.parse(read('outside')) as Look,
    inside: JSON.parse(read('inside')) as Look,
  };
}

describe('connections that another program carries', { skip }, () => {
  for (const [program, { command, gets, device }] of Object.entries(CARRIERS))
    test(`${program}: the gauge names it outside, and warns inside`, (t) => {
      const found = carried(t, command);
      assert.match(found.gets, gets);
      const [fullest] = found.outside.addresses;
      assert.equal(fullest?.level, 'hard');
      assert.equal(fullest?.ports, PORTS);
      const [layer, ...more] = found.outside.layers;
      assert.deepEqual(more, []);
      assert.ok(layer?.kind === 'carries', JSON.stringify(layer));
      assert.equal(layer.program, program);
      assert.equal(layer.sockets, PORTS);
      // Inside nothing is full, and the way out is named.
      assert.equal(found.inside.level, 'ok');
      assert.deepEqual(found.inside.layers, [{ kind: 'carried', device }]);
    });
});
