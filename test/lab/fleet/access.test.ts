// needs: nats-server, openssl, iproute2
/** Who is let in, by what, and what is said where one is not: TLS, tokens, keys and the two roles, at servers of our own and of others. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createUser } from '@nats-io/nkeys';
import { connect, nkeyAuthenticator } from '@nats-io/transport-node';
import type { RunningCli } from '../../support/cli.js';
import { freePort, said, startFleet } from '../../support/fleet.js';
import { joinedMachines } from '../../support/fleet-network.js';
import { JETSTREAM, user, works } from '../../support/fleet-user.js';
import { startNats, startPretender, violations } from '../../support/nats.js';
import { makeAuthority } from '../../support/throwaway-ca.js';

test('over TLS: the right authority lets in, another, another name and a server without are refused', async (t) => {
  const one = user(t);
  const { cwd } = one;
  const authority = makeAuthority(cwd, 'ca');
  const other = makeAuthority(cwd, 'other-ca');
  const { cert, key } = authority.issue('server', 'IP:127.0.0.1');
  const port = await freePort();
  const tls = ['--tls-cert', cert, '--tls-key', key, '--tls-ca', authority.ca];
  const up = one.start(['fleet', 'up', '--listen', `127.0.0.1:${port}`, '--folder', 'up', '--beat', '500ms', ...tls]);
  await said(up, `the fleet is up at tls://127.0.0.1:${port}`);
  const [controller, agent] = [join(cwd, 'up', 'controller.json'), join(cwd, 'up', 'agent.json')];
  assert.equal(statSync(controller).mode & 0o777, 0o600);
  await works(one, controller, agent);

  const known = JSON.parse(readFileSync(controller, 'utf8')) as Record<string, string>;
  const changed = (name: string, change: Record<string, string | undefined>) => {
    const path = join(cwd, name);
    writeFileSync(path, JSON.stringify({ ...known, ...change }));
    return path;
  };
  const status = (file: string) => ['fleet', 'status', '--fleet', file];
  const untrusted = changed('untrusted.json', { ca: readFileSync(other.ca, 'utf8') });
  await one.refused(status(untrusted), 3, /the certificate of the server at \S+ is not trusted .*--tls-ca FILE/);
  await one.refused(
    status(changed('none.json', { ca: undefined })),
    3,
    /the certificate of the server .* is not trusted/,
  );

  const named = other.issue('elsewhere', 'DNS:elsewhere.example');
  const misnamed = await startNats(t, cwd, [
    JETSTREAM(cwd),
    `tls: { cert_file: "${named.cert}", key_file: "${named.key}" }`,
  ]);
  const wrongName = changed('name.json', { url: `tls://${misnamed}`, ca: readFileSync(other.ca, 'utf8') });
  await one.refused(status(wrongName), 3, /is not trusted \(.*altnames/);
  // Whoever is on the path and takes the word of TLS away gets nothing said in the clear.
  const plain = await startNats(t, cwd, []);
  await one.refused(status(changed('plain.json', { url: `nats://${plain}` })), 3, /the server at \S+ has no TLS/);
  await one.refused(status(`tls://${plain}`), 3, /the server at \S+ has no TLS/);
  await one.refused(['fleet', 'up', '--tls-cert', cert], 2, /--tls-cert and --tls-key go together/);
  await one.refused(['fleet', 'up', '--tls-cert', cert, '--tls-key', '/etc/hostname'], 2, /is no PEM/);
});

/** Everything on which processes of this user listen, as the kernel has it. */
function listening(pid: number): string[] {
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode ?? ''))
      .map(([, local]) => local!.split(':')[0]!),
  );
}

test('nothing listens beyond loopback unless somebody asks, and then with TLS or --plain', async (t) => {
  const one = user(t);
  const pidOf = (up: RunningCli) => Number(/nats-server, process (\d+)/.exec(up.stderr())?.[1]);
  const port = await freePort();
  const common = ['--folder', 'up', '--beat', '500ms'];
  const up = one.start(['fleet', 'up', '--listen', `127.0.0.1:${port}`, '--beat', '500ms']);
  await said(up, 'the fleet is up');
  assert.deepEqual(listening(pidOf(up)), ['0100007F']);
  // The command and an agent listen on nothing.
  assert.deepEqual(listening(up.pid), []);
  // Where none is named, it is the fleet of this machine.
  const agent = one.start(['fleet', 'agent', '--name', 'a']);
  await said(agent, `is in the fleet at nats://127.0.0.1:${port}`);
  assert.deepEqual(listening(agent.pid), []);
  const status = await one.run(['fleet', 'status']);
  assert.equal(status.code, 0, status.stderr);
  assert.match(status.stdout, /Agents \(1\)\n {2}a /);
  up.kill('SIGTERM');
  assert.equal((await up.ended).code, 0);

  const on = (listen: string) => ['fleet', 'up', '--listen', `${listen}:${port}`, ...common];
  for (const every of ['0.0.0.0', '[::]'])
    await one.refused([...on(every), '--plain'], 2, /is every address of this machine; name the one/);
  await one.refused(on('10.201.0.1'), 2, /is open to others.*give --tls-cert and --tls-key, or --plain/);
  const { hub } = await joinedMachines(t, 0);
  const open = one.start([...on('10.201.0.1'), '--plain'], {}, hub.within);
  await said(open, 'the fleet is up');
  assert.deepEqual(listening(pidOf(open)), ['0100C90A']);
});

test('each role may do its own part: an agent makes no work and hears no answer of another', async (t) => {
  const fleet = await startFleet(t);
  const open = (role: string) => {
    const { url, seed } = JSON.parse(readFileSync(join(fleet.cwd, 'up', `${role}.json`), 'utf8'));
    const authenticator = nkeyAuthenticator(new TextEncoder().encode(seed));
    return connect({ servers: url, authenticator, inboxPrefix: `_INBOX_${role}`, reconnect: false });
  };
  const FORBIDDEN = {
    agent: {
      publish: [
        'bs1.work.e.runs.b0',
        'bs1.job.e',
        'bs1.lease.e',
        'bs1.ask.b',
        'bs1.beat.e',
        'bs.settings',
        '$JS.API.STREAM.DELETE.bs1_journal',
        '$JS.API.STREAM.PURGE.bs1_work',
        '$JS.API.CONSUMER.DURABLE.CREATE.bs1_work.x',
        '$JS.API.STREAM.MSG.DELETE.bs1_journal',
      ],
      subscribe: ['_INBOX_controller.>', 'bs1.done.*.*', 'bs1.piece.*.*.*.*', '>', '$JS.>'],
    },
    controller: { publish: ['bs.agent.a', '_INBOX_agent.x'], subscribe: ['_INBOX_agent.>', '>'] },
  };
  for (const [role, { publish, subscribe }] of Object.entries(FORBIDDEN)) {
    for (const subject of publish) {
      const found = await violations(await open(role), () => {});
      assert.deepEqual(found, [], `${role} is refused something before it does anything`);
      const connection = await open(role);
      const refused = await violations(connection, () => connection.publish(subject, '{}'));
      assert.match(refused.join(), /permissions violation/i, `${role} may publish ${subject}`);
    }
    for (const subject of subscribe) {
      const connection = await open(role);
      const refused = await violations(connection, () => {
        connection.subscribe(subject, { callback: () => {} });
      });
      assert.match(refused.join(), /permissions violation/i, `${role} may subscribe to ${subject}`);
    }
  }
  const nobody = await fleet.start(['fleet', 'status', '--fleet', `nats://127.0.0.1:${fleet.port}`]).ended;
  assert.equal(nobody.code, 3);
  assert.match(nobody.stderr, /does not let this in/);
});

test('a server of somebody else, by a token, by client certificates and by nkeys with the two roles', async (t) => {
  const one = user(t);
  const { cwd } = one;
  const token = await startNats(t, cwd, [JETSTREAM(cwd), 'authorization: { token: "s3cret" }']);
  const up = (address: string, ...more: string[]) => ['fleet', 'up', '--nats', address, '--beat', '500ms', ...more];
  await one.refused(up(`nats://${token}`), 3, /does not let this in .*a token in BINDSTORM_FLEET_TOKEN/);
  await one.refused(up(`nats://${token}`), 3, /does not let this in/, { BINDSTORM_FLEET_TOKEN: 'wrong' });
  await one.refused(up(`nats://u:s3cret@${token}`), 2, /has a secret in it, which every user of this machine can see/);
  const made = await one.run(up(`nats://${token}`), { BINDSTORM_FLEET_TOKEN: 's3cret' });
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stderr, /its agents have the key of the controller/);
  // From here on the URL is enough on this machine.
  await works(one, `nats://${token}`, `nats://${token}`);

  const authority = makeAuthority(cwd, 'ca');
  const [server, client] = [authority.issue('server', 'IP:127.0.0.1'), authority.issue('client', 'DNS:client')];
  const mutual = await startNats(t, cwd, [
    `jetstream: { store_dir: "${join(cwd, 'jetstream-2')}" }`,
    `tls: { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${authority.ca}", verify: true }`,
  ]);
  await one.refused(up(`tls://${mutual}`, '--tls-ca', authority.ca), 3, /wants a certificate of this client/);
  const withCert = await one.run(
    up(
      `tls://${mutual}`,
      '--tls-ca',
      authority.ca,
      '--tls-cert',
      client.cert,
      '--tls-key',
      client.key,
      '--folder',
      'own',
    ),
  );
  assert.equal(withCert.code, 0, withCert.stderr);
  await works(one, 'own/controller.json', 'own/agent.json');

  const permissions = (await one.run(['fleet', 'permissions'])).stdout.split(/^# Of .*\n/m).slice(1);
  const keys = permissions.map(() => createUser());
  const users = permissions.map((text, i) => `{ nkey: ${keys[i]!.getPublicKey()}, ${text} }`);
  const own = await startNats(t, cwd, [
    `jetstream: { store_dir: "${join(cwd, 'jetstream-3')}" }`,
    `authorization: { users: [ ${users.join(',\n')} ] }`,
  ]);
  const [controllerSeed, agentSeed] = keys.map((key) => new TextDecoder().decode(key.getSeed()));
  const secrets = { BINDSTORM_FLEET_KEY: controllerSeed, BINDSTORM_FLEET_AGENT_KEY: agentSeed };
  const apart = await one.run(up(`nats://${own}`, '--folder', 'apart'), secrets);
  assert.equal(apart.code, 0, apart.stderr);
  assert.doesNotMatch(apart.stderr, /the key of the controller/);
  await works(one, 'apart/controller.json', 'apart/agent.json');
});

test('a server that cannot have a fleet: one clear error each', async (t) => {
  const one = user(t);
  const plain = await startNats(t, one.cwd, []);
  await one.refused(['fleet', 'up', '--nats', `nats://${plain}`], 3, /has no JetStream .*start nats-server with -js/);
  const js = await startNats(t, one.cwd, [JETSTREAM(one.cwd)]);
  await one.refused(['fleet', 'status', '--fleet', `nats://${js}`], 3, /is of no fleet yet .*fleet up --nats URL/);
  const old = await startPretender(t, '2.8.4');
  await one.refused(
    ['fleet', 'status', '--fleet', `nats://${old}`],
    3,
    /is of version 2\.8\.4, and a fleet needs nats-server 2\.9/,
  );
  const port = await freePort();
  await one.refused(['fleet', 'status', '--fleet', `nats://127.0.0.1:${port}`], 3, /no server of a fleet answers at/);
  await one.refused(['fleet', 'status', '--fleet', 'nats://'], 2, /is not an address of a server/);
});
