// needs: qemu-system-x86, strace, python3
/**
 * Programs of the user's own in a guest of QEMU: one that drives itself, one whose language lies in a folder that the profile names, and one
 * that is asked. On User-Mode Linux they are refused (subject-faults.test.ts).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, describe, it } from 'node:test';
import { type GuestWithSubjects, guestWith } from '../../support/guest-subjects.js';
import { KERNEL, SKIP } from '../../support/guests.js';

const P = 20;
/** The distribution's: what somebody has installed beside it may not fit into a guest. */
const PYTHON_PATH = '/usr/bin/python3';

/** Requests one after the other, each by a connection of its own, which the program closes. */
const GETS = `const http = require('http');
const [host, port] = process.argv[1].split(':');
const get = (left) => {
  if (left === 0) return;
  const agent = new http.Agent({ keepAlive: true });
  http.get({ host, port, agent }, (answer) => answer.resume().once('close', () => { agent.destroy(); setImmediate(get, left - 1); }))
    .once('error', () => setImmediate(get, left - 1));
};
get(30);`;

const PYTHON = `import http.client, sys
host, port = sys.argv[1].split(':')
for _ in range(30):
    try:
        connection = http.client.HTTPConnection(host, int(port))
        connection.request('GET', '/')
        connection.getresponse().read()
        connection.close()
    except OSError:
        pass`;

/** A proxy for CONNECT that binds its outgoing connections. */
const FORWARD = `const http = require('http'), net = require('net');
const [port, localAddress] = process.argv.slice(1);
http.createServer().on('connect', (request, client) => {
  const [host, to] = request.url.split(':');
  const origin = net.connect({ host, port: to, localAddress }, () => { client.write('HTTP/1.1 200 OK\\r\\n\\r\\n'); client.pipe(origin).pipe(client); });
  origin.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\\r\\nContent-Length: 0\\r\\n\\r\\n'));
  client.on('error', () => origin.destroy());
}).listen(port);`;

const profile = (subject: object, load: string, destinations = 1) => `name: own
addresses: 10.50.0.1/32
destinations: { ports: ${destinations} }
lab: { kind: vm }
subject: ${JSON.stringify({ kind: 'program', ...subject })}
load: ${load}
sysctls: { net.ipv4.ip_local_port_range: 40000 ${40_000 + P - 1} }
variants: [{ name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }]
repeat: 1
warmup: 0
guardrails: []
`;
const OWN = '{ protocol: get, arrival: { shape: own } }';
const ready = { listen: 8080 };

const { stdout: library } = spawnSync(PYTHON_PATH, ['-c', 'import os; print(os.path.dirname(os.__file__), end="")'], {
  encoding: 'utf8',
});
const PROFILES = {
  client: profile({ command: ['node', '-e', GETS, '{origin}'] }, OWN),
  python: profile({ command: [PYTHON_PATH, '-c', PYTHON, '{origin}'], takes: [library] }, OWN),
  server: profile(
    { command: ['node', '-e', FORWARD, '{port}', '{source}'], ready, reverse: false },
    '{ protocol: connect, arrival: { shape: fill, attempts: 60, inFlight: 4 }, timeout: 60s }',
    2,
  ),
};

describe('programs of the user in a guest', SKIP, () => {
  let guest: Promise<GuestWithSubjects> | undefined;
  after(async () => (await guest)?.release());
  const run = async (name: keyof typeof PROFILES) => {
    guest ??= guestWith({ engine: 'qemu', kernel: KERNEL }, PROFILES);
    return (await (await guest).run(name)).run;
  };

  for (const name of ['client', 'python'] as const)
    it(`one that drives itself runs out of ports: ${name}`, async () => {
      const { status, outcomes, proxy, origin, problems, stderr } = await run(name);
      assert.equal(status, 'ok', `${problems} ${stderr}`);
      assert.deepEqual(outcomes, { ok: P, 'connect:EADDRNOTAVAIL': 30 - P }, proxy?.tail.join('\n'));
      assert.deepEqual([proxy?.ended, origin?.accepted], ['ended with code 0', P]);
    });

  it('one that is asked, and binds, has P ports whatever the destinations', async () => {
    const { status, outcomes, capacity, problems, stderr } = await run('server');
    assert.equal(status, 'ok', `${problems} ${stderr}`);
    assert.deepEqual(outcomes, { ok: P, 'http:502': 60 - P });
    assert.equal(capacity.tuples, P);
  });
});
