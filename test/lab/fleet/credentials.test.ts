// needs: nats-server
/** Users with JWTs, by credentials files (.creds), at a nats-server that has an operator. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, credsAuthenticator } from '@nats-io/transport-node';
import { JETSTREAM, user, works } from '../../support/fleet-user.js';
import { startNats, violations } from '../../support/nats.js';
import { type Allowed, jwtServer } from '../../support/nats-jwt.js';

test('a server whose users have JWTs lets in by credentials files, each role with its own permissions', async (t) => {
  const one = user(t);
  const { cwd } = one;
  const { lines, creds } = jwtServer();
  const url = `nats://${await startNats(t, cwd, [JETSTREAM(cwd), ...lines])}`;
  const [controller, agent] = (await one.run(['fleet', 'permissions'])).stdout
    .split(/^# Of .*\npermissions: /m)
    .slice(1)
    .map((text) => JSON.parse(text) as Allowed);
  const file = (name: string, text: string) => {
    writeFileSync(join(cwd, name), text);
    return join(cwd, name);
  };
  // Some editors end lines as Windows does.
  const ofController = file('controller.creds', creds('controller', controller).replaceAll('\n', '\r\n'));
  const ofAgent = file('agent.creds', creds('agent', agent));

  const up = ['fleet', 'up', '--nats', url, '--beat', '500ms'];
  await one.refused(up, 3, /does not let this in .*a credentials file in BINDSTORM_FLEET_CREDS/);
  const of = (path: string) => ({ BINDSTORM_FLEET_CREDS: path });
  await one.refused(up, 3, /does not let this in/, of(file('stranger.creds', jwtServer().creds('stranger'))));
  await one.refused(up, 3, /does not let this in/, of(file('over.creds', creds('over', controller, 1_700_000_000))));
  await one.refused(
    up,
    2,
    /cut\.creds is not a credentials file of NATS; name/,
    of(file('cut.creds', creds('c').slice(0, 300))),
  );
  await one.refused(up, 2, /none\.creds cannot be read \(ENOENT\)/, of(join(cwd, 'none.creds')));
  await one.refused(up, 2, /is a folder, not a file/, of(cwd));

  const same = await one.run([...up, '--folder', 'same'], of(ofController));
  assert.equal(same.code, 0, same.stderr);
  assert.match(same.stderr, /its agents have the key of the controller/);
  // A file that lets in goes on doing so, whatever else the agents are given.
  const secrets = { ...of(ofController), BINDSTORM_FLEET_AGENT_CREDS: ofAgent };
  const apart = await one.run([...up, '--folder', 'apart'], secrets);
  assert.equal(apart.code, 0, apart.stderr);
  assert.doesNotMatch(apart.stderr, /the key of the controller/);
  await works(one, 'apart/controller.json', 'apart/agent.json');

  const signedIn = () =>
    connect({
      servers: url,
      authenticator: credsAuthenticator(readFileSync(ofAgent)),
      inboxPrefix: '_INBOX_agent',
      reconnect: false,
    });
  const connection = await signedIn();
  const refused = await violations(connection, () => connection.publish('bs1.job.e', '{}'));
  assert.match(refused.join(), /permissions violation/i);
});
