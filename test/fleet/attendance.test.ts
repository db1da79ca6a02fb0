import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSum } from '../../src/fleet/build.js';
import { followAgents, watchFor } from '../../src/fleet/controller/attendance.js';
import { encode } from '../../src/fleet/messages.js';
import type { AgentState } from '../../src/fleet/protocol.js';
import { FLEET_PROTOCOL, SUBJECTS } from '../../src/fleet/subjects.js';
import { fakeBus } from '../support/fake-bus.js';

const SILENT_MS = 200;

function sign(name: string, build = buildSum()): Uint8Array {
  return encode({
    ...{ name, instance: 'i', host: 'h', protocol: FLEET_PROTOCOL, tool: '1.0.0', build },
    ...{ kernel: '6.18.0', machine: 'x64', cpus: 2, memory: 1e9, abilities: [], allow: [] },
    ...{ doing: null, refuses: {}, clock: new Date().toISOString() },
  } satisfies AgentState);
}

describe('who is in a fleet', () => {
  it('is who was there before, and who is heard; who is silent is gone', async () => {
    const { bus, hear } = fakeBus();
    await bus.put(SUBJECTS.agent('a'), sign('a'));
    const attendance = await followAgents(bus, SILENT_MS);
    const names = () => attendance.there().map(({ name }) => name);
    assert.deepEqual(names(), ['a']);
    hear(SUBJECTS.agent('*'), sign('b'));
    hear(SUBJECTS.agent('*'), sign('c', 'another'));
    assert.deepEqual(names(), ['a', 'b']);
    await sleep(SILENT_MS * 0.7);
    hear(SUBJECTS.agent('*'), sign('b'));
    await sleep(SILENT_MS * 0.7);
    assert.deepEqual(names(), ['b']);
    attendance.stop();
    hear(SUBJECTS.agent('*'), sign('d'));
    assert.deepEqual(names(), ['b']);
  });

  it('is nobody less for a time without a server', async () => {
    const { bus, link } = fakeBus();
    await bus.put(SUBJECTS.agent('a'), sign('a'));
    const attendance = await followAgents(bus, SILENT_MS);
    link('down');
    await sleep(2 * SILENT_MS);
    assert.equal(attendance.there().length, 1);
    link('up');
    assert.equal(attendance.there().length, 1);
    await sleep(2 * SILENT_MS);
    assert.equal(attendance.there().length, 0);
    attendance.stop();
  });

  it('ends a question to one who is gone, and to all where the server is', async (t) => {
    const { bus, link } = fakeBus();
    await bus.put(SUBJECTS.agent('a'), sign('a'));
    const attendance = await followAgents(bus, SILENT_MS);
    const watch = watchFor(bus, attendance, 2 * SILENT_MS);
    t.after(watch.stop);
    assert.equal(await watch.orGone('a', Promise.resolve('yes')), 'yes');
    const never = new Promise<never>(() => {});
    await assert.rejects(watch.orGone('a', never), /no sign of life/);
    link('down');
    await assert.rejects(watch.orGone('a', never), /server of the fleet does not answer/);
  });
});
