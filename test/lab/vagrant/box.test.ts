// needs: cpio, squid
/**
 * What is sent to a box, and the agent that its start script starts: in namespaces that stand for a box, with processes, mounts and a
 * network of their own. Nothing here writes what such a box shares with this machine (vm.*, fs.*).
 */
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RunSpec } from '../../../src/agent/protocol.js';
import { startAgent } from '../../../src/lab/agent-process.js';
import type { LabSession } from '../../../src/lab/lab.js';
import { boxEntries } from '../../../src/lab/vagrant/image.js';
import { type CpioEntry, writeCpio } from '../../../src/lab/vm/cpio.js';
import type { ProxySettings } from '../../../src/subjects/index.js';
import { ROOT, scratchFolder, until } from '../../support/cli.js';
import { labArm, tenAddresses } from '../../support/lab.js';
import { SQUID } from '../../support/proxies.js';

const PATIENCE = { hello: 60_000, close: 10_000 };
/** The file in which a first agent's words are kept. */
const FIRST = 'first';

/** A shell in a new box with the agent provisioned; `$start` is the start script. */
function box(folder: string, script: string, subjects: readonly ProxySettings[]): string[] {
  // Device files cannot be made in a user namespace: this machine's own are mounted on empty files.
  const stand = (entry: CpioEntry): CpioEntry =>
    entry.kind === 'character-device' ? { kind: 'text', path: entry.path, text: '', executable: false } : entry;
  const entries = boxEntries(subjects);
  const devices = entries.filter(({ kind }) => kind === 'character-device').map(({ path }) => path);
  assert.deepEqual(devices, ['/dev/null', '/dev/zero', '/dev/random', '/dev/urandom']);
  const fd = openSync(join(folder, 'image.cpio'), 'w');
  writeCpio(fd, entries.map(stand));
  closeSync(fd);
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const prepare = `set -e; cd ${folder}; mount -t tmpfs none /opt
sh ${join(ROOT, 'vagrant', 'provision.sh')} $PWD/image.cpio key
for device in ${devices.join(' ')}; do mount --bind $device /opt/bindstorm/key$device; done
start=/opt/bindstorm/key/start
`;
  return [
    ...['setpriv', '--pdeathsig', 'KILL', 'unshare', ...user],
    ...['--mount', '--net', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--', 'sh', '-c', prepare + script],
  ];
}

async function startIn(
  t: TestContext,
  folder: string,
  script: string,
  subjects: readonly ProxySettings[] = [],
): Promise<LabSession> {
  const session = await startAgent(box(folder, script, subjects), PATIENCE);
  t.after(() => session.kill());
  return session;
}

/** P = 50 ports, S = 2 addresses, D = 2 destinations. */
const spec: RunSpec = {
  arm: labArm({
    load: {
      strategy: 'bind',
      arrival: { shape: 'fill', attempts: 300, failures: null, inFlight: 32, waves: 1, pauseMs: 0 },
      holdMs: null,
    },
    addresses: tenAddresses(2),
    destinations: { kind: 'lab', addresses: 1, ports: 2 },
    sysctls: { 'net.ipv4.ip_local_port_range': '40000 40049' },
  }),
  seed: 1,
  network: 'veth',
  ownNamespace: true,
  sampleMs: 100,
};

test('an agent in a box has a namespace of its own, and exact counts', async (t) => {
  const session = await startIn(t, scratchFolder(t), '$start run; true');
  assert.equal(session.hello.environment.node, process.versions.node);
  session.send({ type: 'run', spec });
  let event = await session.next();
  while (event.type === 'phase' || event.type === 'second') event = await session.next();
  assert.equal(event.type, 'result', JSON.stringify(event));
  assert.ok(event.type === 'result');
  assert.deepEqual([event.measurement.outcomes, event.measurement.problems], [{ ok: 100, 'bind:EADDRINUSE': 200 }, []]);
  await session.close();
});

test('a proxy of this machine is sent to a box, and has exact counts there', async (t) => {
  const session = await startIn(t, scratchFolder(t), '$start run; true', [SQUID]);
  const { arm } = spec;
  const load = { ...arm.load, protocol: 'connect' as const, timeoutMs: 30_000 };
  session.send({ type: 'run', spec: { ...spec, arm: { ...arm, load, proxy: SQUID } } });
  let event = await session.next();
  while (event.type === 'phase' || event.type === 'second') event = await session.next();
  assert.ok(event.type === 'result', JSON.stringify(event));
  assert.deepEqual(
    [event.measurement.outcomes, event.measurement.problems],
    [{ ok: 100, 'http:503 ERR_CONNECT_FAIL': 200 }, []],
  );
  await session.close();
});

test('a key that neither the namespace nor the box has is told as missing', async (t) => {
  const session = await startIn(t, scratchFolder(t), '$start check; true');
  session.send({
    type: 'check',
    sysctls: [
      ['net.ipv4.tcp_tw_recycle', '1'],
      ['net.ipv4.tcp_tw_reuse', '1'],
    ],
    strategies: ['bind'],
    addresses: ['10.50.0.1'],
    clocks: false,
  });
  const event = await session.next();
  assert.ok(event.type === 'checked', JSON.stringify(event));
  assert.deepEqual(
    event.check.sysctls.map(({ readBack, errno }) => [readBack, errno]),
    [
      [null, 'ENOENT'],
      ['1', null],
    ],
  );
  await session.close();
});

test('an agent that a lost connection has left behind is killed by the next one', async (t) => {
  const folder = scratchFolder(t);
  const script = `mkfifo input; sleep 1000 >input & ($start check <input >${FIRST} 2>&1 || true; echo ended >>${FIRST}) &
while ! grep -q hello ${FIRST}; do sleep 0.1; done
$start check; true`;
  const session = await startIn(t, folder, script);
  await until('the end of the first', () => readFileSync(join(folder, FIRST), 'utf8').endsWith('ended\n'));
  await session.close();
});
