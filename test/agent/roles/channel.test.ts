/** The conversation with the program of a role: what is asked and answered, and each way in which it can end. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { z } from 'zod';
import { connectRole, type ProtocolOf } from '../../../src/agent/roles/channel.js';
import { launchRole } from '../../../src/agent/roles/launch.js';
import { connectOrigin } from '../../../src/agent/roles/origin-client.js';
import { LOAD } from '../../../src/plan/load-settings.js';

const schemas = {
  add: { request: z.object({ a: z.number(), b: z.number() }), answer: z.object({ sum: z.number() }) },
  wait: { request: z.object({}), answer: z.object({}) },
};

/** A program that does something for each question; `say` writes a message. */
function connect(t: TestContext, program: string) {
  const script = `
    const say = (said) => console.log(JSON.stringify(said));
    say({ ready: String(process.pid) });
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { ask, request } = JSON.parse(line);
      ${program}
    });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  return { child, role: connectRole<ProtocolOf<typeof schemas>>('the adder', child, schemas) };
}

const ADDS = "if (ask === 'add') say({ answer: 'add', value: { sum: request.a + request.b } });";

describe('a role', () => {
  it('is ready in its namespace, answers, and may leave a question open meanwhile', async (t) => {
    const { child, role } = connect(t, ADDS);
    assert.equal(await role.ready, `/proc/${child.pid}/ns/net`);
    const open = role.ask('wait', {});
    assert.deepEqual(await role.ask('add', { a: 1, b: 2 }), { sum: 3 });
    assert.deepEqual(await role.ask('add', { a: 3, b: 4 }, true), { sum: 7 });
    role.end();
    await assert.rejects(open, { message: 'the adder ended with code 0 before the run was over' });
  });

  it('that answers with something else is refused', async (t) => {
    const { role } = connect(t, "say({ answer: 'add', value: { sum: 'three' } });");
    await assert.rejects(role.ask('add', { a: 1, b: 2 }), /^ProtocolError: a message is invalid at sum: .*number/);
  });

  it('that says what it should not has failed for all that wait', async (t) => {
    const { role } = connect(t, "say({ joke: 'knock, knock' });");
    const both = [role.ask('wait', {}), role.ask('add', { a: 1, b: 2 })];
    for (const each of both) await assert.rejects(each, /^ProtocolError: a message is invalid/);
  });

  it('that fails says why, in its own words', async (t) => {
    const { role } = connect(t, "say({ failed: 'no such sum' });");
    await assert.rejects(role.ask('add', { a: 1, b: 2 }), { message: 'the adder failed: no such sum' });
    await assert.rejects(role.failure, { message: 'the adder failed: no such sum' });
    await assert.rejects(role.ask('wait', {}), { message: 'the adder failed: no such sum' });
  });

  it('that ends is named with how it ended and with its last words', async (t) => {
    const { role } = connect(t, "console.error('out of paper'); process.exitCode = 3; process.stdin.destroy();");
    await assert.rejects(role.ask('add', { a: 1, b: 2 }), {
      message: 'the adder ended with code 3 before the run was over; it last said: out of paper',
    });
  });

  it('that is killed is named too', async (t) => {
    const { child, role } = connect(t, ADDS);
    await role.ready;
    child.kill('SIGKILL');
    await assert.rejects(role.failure, { message: 'the adder was killed by SIGKILL before the run was over' });
  });

  it('whose namespaces cannot be reached is named with its end, and else with what went wrong', async (t) => {
    const { child, role } = connect(t, ADDS);
    await role.ready;
    const gone = () => {
      throw new Error('rtnetlink failed with ESRCH');
    };
    assert.equal(await role.reach(() => 7), 7);
    await assert.rejects(role.reach(gone), { message: 'rtnetlink failed with ESRCH' });
    child.kill('SIGKILL');
    await assert.rejects(role.reach(gone), { message: 'the adder was killed by SIGKILL before the run was over' });
  });

  it('that was launched ahead and ended before anybody asked is named, too', async () => {
    const child = launchRole('./origin.js');
    child.kill('SIGKILL');
    await once(child, 'close');
    await assert.rejects(connectOrigin({ child, ownNamespace: false }), {
      message: 'the origin was killed by SIGKILL before the run was over',
    });
  });

  it('that cannot be started is named with the reason', async () => {
    const child = spawn('/nowhere/adder', [], { stdio: ['pipe', 'pipe', 'pipe'] });
    const role = connectRole<ProtocolOf<typeof schemas>>('the adder', child, schemas);
    await assert.rejects(role.ready, { message: 'the adder could not be started: spawn /nowhere/adder ENOENT' });
  });

  it('that does not answer in time has failed', async (t) => {
    const { role } = connect(t, ADDS);
    await role.ready;
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const late = role.ask('wait', {}, true);
    // What it waited for a CPU meanwhile is added, a few milliseconds.
    t.mock.timers.tick(20_000);
    await assert.rejects(late, { message: 'the adder has not answered for 15 s: it hangs, or was stopped' });
  });
});

describe('the program of the origin', () => {
  const target = { address: '127.127.0.9', port: 9009 };
  const on = (address: string, port: number) => ({
    network: 'shared' as const,
    family: 4 as const,
    hosts: [{ listen: [{ address, port }], plan: LOAD, threads: 1 }],
    neighbours: [],
  });

  it('serves, counts, and ends when nobody asks any more', async (t) => {
    const child = launchRole('./origin.js');
    t.after(() => child.kill('SIGKILL'));
    const origin = await connectOrigin({ child, ownNamespace: false });
    assert.deepEqual(await origin.serve(on(target.address, target.port)), {});
    const socket = createConnection({ host: target.address, port: target.port });
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.destroy();
    while ((await origin.stats()).accepted === 0);
    assert.equal((await origin.stats()).accepted, 1);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    origin.stop();
    assert.equal(await ended, 0);
  });

  it('says what it cannot do, and ends', async (t) => {
    const child = launchRole('./origin.js');
    t.after(() => child.kill('SIGKILL'));
    const origin = await connectOrigin({ child, ownNamespace: false });
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await assert.rejects(
      origin.serve(on('198.18.255.255', 9000)),
      /^Error: the origin failed: bind failed with EADDRNOTAVAIL \(198\.18\.255\.255 port 9000\)$/,
    );
    assert.equal(await ended, 0);
  });
});
