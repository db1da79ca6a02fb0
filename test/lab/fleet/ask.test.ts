// needs: nats-server
/** A question to an agent that is only about to hear it: it has said that it is there, and its subscription is on its way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import type { Access } from '../../../src/fleet/access.js';
import { openBus } from '../../../src/fleet/bus.js';
import { scratchFolder } from '../../support/cli.js';
import { startNats } from '../../support/nats.js';

test('is asked again until somebody hears it, and not for ever', async (t) => {
  const folder = scratchFolder(t);
  const server = await startNats(t, folder, [
    `jetstream { store_dir: ${JSON.stringify(folder)} }`,
    'authorization: { token: "s3cret" }',
  ]);
  const access: Access = { url: `nats://${server}`, token: 's3cret', role: 'controller' };
  const [asking, hearing] = await Promise.all([openBus(access, 'asks'), openBus(access, 'hears')]);
  t.after(() => Promise.all([asking.close(), hearing.close()]));

  const answer = asking.ask('bs1.ask.late', Buffer.from('well?'), 20_000);
  await wait(700);
  hearing.hear('bs1.ask.late', (data, respond) => respond(Buffer.from(`heard ${Buffer.from(data)}`)));
  assert.equal(Buffer.from(await answer).toString(), 'heard well?');

  const begun = performance.now();
  await assert.rejects(asking.ask('bs1.ask.nobody', Buffer.from('?'), 1000), /no responders/);
  assert.ok(performance.now() - begun < 30_000);
});
