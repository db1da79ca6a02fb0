/**
 * Agents that serve run after run, each in a fresh network namespace, with the same threads: nothing of a run may stay with them.
 */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { unlessThrown } from '../../src/domain/error.js';
import { startAgent } from '../../src/lab/agent-process.js';
import type { LabSession } from '../../src/lab/lab.js';
import type { LoadPlan } from '../../src/plan/plan.js';
import { labArm, labCommand, measureIn } from '../support/lab.js';
import { newMark } from '../support/processes.js';

const RANGE = 'net.ipv4.ip_local_port_range';
const PORTS = 20;
const arm = (load: Partial<LoadPlan> = {}) =>
  labArm({
    load: {
      strategy: 'bind',
      arrival: { shape: 'fill', attempts: 50, failures: null, inFlight: 1, waves: 1, pauseMs: 0 },
      ...load,
    },
    sysctls: { [RANGE]: `40000 ${40_000 + PORTS - 1}` },
  });

/** Threads of a process: network namespace, and how many sockets each has in its table of descriptors, but for the standard ones. */
function threadsOf(pid: number) {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder).map((thread) => ({
    thread,
    namespace: readlinkSync(`${folder}/${thread}/ns/net`),
    sockets: readdirSync(`${folder}/${thread}/fd`).filter(
      (fd) =>
        Number(fd) > 2 && unlessThrown(() => readlinkSync(`${folder}/${thread}/fd/${fd}`), '').startsWith('socket:'),
    ).length,
  }));
}

/** Threads that went along into the namespace in which the process is, beside its first. */
function movedOf(pid: number) {
  const all = threadsOf(pid);
  const now = all.find(({ thread }) => Number(thread) === pid)!.namespace;
  return all.filter(({ thread, namespace }) => Number(thread) !== pid && namespace === now);
}

describe('an agent that serves run after run', () => {
  const mark = newMark();
  let session: LabSession;
  before(async () => {
    const [program, ...rest] = labCommand();
    const words = Object.entries(mark.env).map(([name, value]) => `${name}=${value}`);
    session = await startAgent(['env', ...words, program!, ...rest]);
  });
  after(() => session.close());

  async function renewed(): Promise<void> {
    session.send({ type: 'renew', ownKernel: false });
    const event = await session.next();
    assert.equal(event.type, 'hello', event.type === 'failed' ? event.message : event.type);
  }

  const run = (load: Partial<LoadPlan> = {}) =>
    measureIn(session, { arm: arm(load), seed: 1, network: 'veth', ownNamespace: true, sampleMs: 1000 });
  const roles = () =>
    ['agent', 'origin'].map(
      (role) => mark.processes().find((process) => process.role === role)?.pid ?? assert.fail(role),
    );

  it('does each with the same threads, in a namespace of its own, where nothing is left of the run before', async () => {
    await renewed();
    const seen: string[][] = [];
    for (let i = 0; i < 3; i++) {
      const { outcomes } = await run();
      assert.deepEqual(outcomes, { ok: PORTS, 'bind:EADDRINUSE': 50 - PORTS });
      await renewed();
      const moved = roles().map(movedOf);
      assert.deepEqual(
        moved.map((threads) => threads.map(({ sockets }) => sockets)),
        [[0], [0]],
        'a load thread and one of the origin, without sockets',
      );
      seen.push(moved.flatMap((threads) => threads.map(({ thread }) => thread)));
    }
    assert.deepEqual(seen[1], seen[0]);
    assert.deepEqual(seen[2], seen[0]);
  });

  it('has more threads where a run needs them, and those of other engines beside them', async () => {
    const two = await run({ workers: 2 });
    assert.equal(two.outcomes.ok, PORTS);
    await renewed();
    assert.equal(movedOf(roles()[0]!).length, 2);
    const udp = await run({ protocol: 'udp', strategy: 'bind' });
    assert.equal(udp.outcomes.ok, 50);
    await renewed();
    const http = await run({ engine: 'http', protocol: 'get' });
    assert.equal(http.outcomes.ok, PORTS);
    await renewed();
    assert.deepEqual((await run()).outcomes, { ok: PORTS, 'bind:EADDRINUSE': 50 - PORTS });
  });
});
