/**
 * Targets that are nobody's to load, asked for on a machine that has a way out: each is refused before anything begins, and no packet
 * leaves.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { countersMoved, parseNetCounters } from '../../src/kernel/counters.js';
import { runCli, scratchFolder } from '../support/cli.js';
import { type ThrowawayHost, throwawayHost } from '../support/throwaway-host.js';

/** Refused even where they are on the allow list. */
const NEVER = [
  ...[
    '224.0.0.1:80',
    '239.255.255.250:1900',
    '255.255.255.255:80',
    '10.77.0.255:0',
    '169.254.169.254:80',
    '0.0.0.0:80',
  ],
  ...['192.0.2.10:80', '198.51.100.1:80', '203.0.113.1:80', '240.0.0.1:80', '192.88.99.1:80', '192.0.0.192:80'],
  ...['[::]:80', '[ff02::1]:80', '[ff0e::1]:80', '[fe80::1]:80', '[fe80::1%out]:80', '[2001:db8::1]:80'],
  ...['[::ffff:8.8.8.8]:80', '[::ffff:0808:0808]:80', '[::8.8.8.8]:80'],
  ...['localhost:80', 'example.com:80', 'ip6-allnodes:80', '1.1.1.1', '1.1.1.1:99999', '127.0.0.1:0', '::1:80'],
  ...['0x08080808:53', '134744072:53', '010.8.8.8:53', '127.1:80', '8.8.8.8:53/udp', 'http://8.8.8.8/'],
  ...['8.8.8.8:80#@127.0.0.1:80', '8.8.8.8:80 127.0.0.1:80', ' 8.8.8.8:80', '٨.٨.٨.٨:80'],
];
/** Refused unless they are on the allow list. */
const UNNAMED = [
  ...[
    '8.8.8.8:53',
    '1.1.1.1:80',
    '10.77.0.1:80',
    '10.20.0.10:3128',
    '172.16.0.1:80',
    '192.168.1.1:80',
    '100.64.0.1:80',
  ],
  ...['198.18.0.1:80', '[2606:4700:4700::1111]:80', '[fd77::1]:80', '[64:ff9b::808:808]:80', '[2002:808:808::1]:80'],
];

const profile = (parts: string) => `name: hostile
lab: { kind: host }
allowHostChanges: true
addresses: { list: [10.77.0.2] }
load: { strategy: bind, arrival: { shape: constant, rate: 10/s, duration: 1s } }
variants: [{ name: no-port, load: { strategy: bind-no-port } }]
${parts}`;
const targets = (all: readonly string[], allow: readonly string[]) =>
  profile(
    `allow: ${JSON.stringify(allow)}\ndestinations:\n  targets:\n${all.map((one) => `    - ${JSON.stringify(one)}\n`).join('')}`,
  );
const through = (proxy: string) =>
  profile(`allow: []\nsubject: { kind: external, target: ${JSON.stringify(proxy)} }\n`);

it('a target that is nobody’s to load is refused, and no packet leaves a machine that has a way out', async (t) => {
  const host = await routed(t);
  const cwd = scratchFolder(t);
  const before = sent(host);
  const run = async (name: string, text: string) => {
    writeFileSync(join(cwd, `${name}.yaml`), text);
    const { code, stderr } = await runCli(['run', `${name}.yaml`, '--lab', 'host', '--force'], {
      cwd,
      within: host.within,
    });
    assert.equal(code, 2, stderr);
    return stderr;
  };
  for (const [name, all, allow] of [
    ['never', NEVER, NEVER],
    ['unnamed', [...NEVER, ...UNNAMED], ['10.99.0.1:80']],
  ] as const) {
    const said = await run(name, targets(all, allow));
    for (const [i, target] of all.entries())
      assert.ok(said.includes(`destinations.targets[${i}]: `), `${target} was not refused:\n${said}`);
  }
  for (const [i, proxy] of [NEVER[0], NEVER[5], NEVER[15], NEVER[21], UNNAMED[0], UNNAMED[8]].entries())
    assert.match(await run(`through-${i}`, through(proxy!)), /subject\.target/);
  assert.deepEqual(countersMoved(sent(host), before), {});
  // One that is sent does count.
  const [program, ...args] = [...host.within, process.execPath, '-e', "require('net').connect(80, '8.8.8.8')"];
  spawnSync(program!, args, { timeout: 1000, killSignal: 'SIGKILL' });
  assert.ok((countersMoved(sent(host), before)['out.packets'] ?? 0) > 0);
});

async function routed(t: TestContext): Promise<ThrowawayHost> {
  return throwawayHost(t, new URL('../support/routed-host.js', import.meta.url));
}

/** What has left the host: packets by network device, and by protocol. */
function sent({ within }: ThrowawayHost): Record<string, number> {
  const read = (path: string) => {
    const [program, ...args] = [...within, 'cat', path];
    return spawnSync(program!, args, { encoding: 'utf8' }).stdout;
  };
  const devices = [...read('/proc/net/dev').matchAll(/^ *([^ |:]+):(?: +\d+){9} +(\d+)/gm)];
  const {
    'Tcp.OutSegs': segments,
    'Tcp.ActiveOpens': opens,
    'Udp.OutDatagrams': datagrams,
  } = parseNetCounters(read('/proc/net/snmp'));
  return {
    ...{ segments: segments!, opens: opens!, datagrams: datagrams! },
    ...Object.fromEntries(devices.map(([, name, packets]) => [`${name}.packets`, Number(packets)])),
  };
}
