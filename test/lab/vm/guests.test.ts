// needs: qemu-system-x86
/**
 * Guests of both engines with a kernel of Debian bookworm (6.1), fetched when the cache does not have it: exact counts.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { predictArm } from '../../../src/capacity/predict.js';
import { ENGINES } from '../../../src/domain/guest.js';
import { rehearse } from '../../../src/experiment/rehearsal.js';
import { runOne } from '../../../src/experiment/run-one.js';
import { shortages } from '../../../src/experiment/shortages.js';
import { LabError } from '../../../src/lab/lab.js';
import { vmLab } from '../../../src/lab/vm/vm.js';
import { loadProfile } from '../../../src/profile/load.js';
import type { Run } from '../../../src/results/schema.js';
import { KERNEL, SKIP } from '../../support/guests.js';
import { hostState } from '../../support/host-state.js';
import { runUndisturbed } from '../../support/undisturbed.js';

/** P = 100 ports, S = 2 addresses, D = 2 destinations. */
const PROFILE = `name: guest
addresses: { cidr: 10.50.0.0/24, count: 2 }
destinations: { ports: 2 }
lab: { kind: vm, kernel: ${KERNEL} }
load: { strategy: bind, arrival: { shape: fill, attempts: 500 } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - { name: machine, sysctls: { vm.swappiness: 11, net.core.netdev_max_backlog: 1234 } }
  - { name: no-port, load: { strategy: bind-no-port } }
  - name: time-wait
    load: { hold: 0s, drain: true, arrival: { shape: fill, attempts: 500, waves: 2 }, strategy: bind-no-port }
    sysctls: { net.ipv4.tcp_tw_reuse: 0 }
  - name: tw-reuse
    load: { hold: 0s, drain: true, arrival: { shape: fill, attempts: 400, waves: 2 }, strategy: bind-no-port }
    sysctls: { net.ipv4.tcp_tw_reuse: 1 }
`;
const { experiment } = loadProfile(PROFILE, 'guest.yaml');
const { experiment: exhausting } = loadProfile(
  PROFILE.replace('attempts: 500', 'attempts: 50000').replace(
    'sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }',
    'sysctls: { net.ipv4.tcp_fin_timeout: 60 }',
  ),
  'guest.yaml',
);
const { experiment: long } = loadProfile(
  PROFILE.replace('count: 2', 'count: 200').replace(
    '{ shape: fill, attempts: 500 } }',
    '{ shape: constant, rate: 20/s, duration: 60s } }',
  ),
  'guest.yaml',
);

for (const engine of ENGINES) {
  // A boot takes most of the time, so that one guest serves the runs that set nothing of the whole kernel's.
  const lab = vmLab({ engine, kernel: KERNEL }, () => {}, { serving: experiment.arms });

  async function run(name: string): Promise<Run> {
    const outcome = await runUndisturbed({
      lab,
      arm: experiment.arms.find((arm) => arm.name === name)!,
      planned: { id: name, variant: name, block: 0, warmup: false, order: 0, seed: 1 },
      network: 'veth',
      signal: new AbortController().signal,
      onSample: () => {},
    });
    assert.deepEqual([outcome.run.status, outcome.run.problems], ['ok', []], outcome.run.stderr ?? '');
    return outcome.run;
  }

  describe(`a guest of ${engine}`, SKIP, () => {
    after(() => lab.release?.());

    it('has its own kernel, and sysctls of a whole machine, which change nothing here', async () => {
      const before = hostState();
      const { environment, network, findings, warnings, kernel: version } = await rehearse(experiment, lab);
      assert.deepEqual([findings, warnings, network, version.major, version.minor], [[], [], 'veth', 6, 1]);
      const runs = engine === 'uml' ? 'User-Mode Linux' : 'QEMU with .*';
      assert.match(
        environment.lab,
        new RegExp(
          `^virtual machine: ${runs}, kernel ${KERNEL}, .*counts and errnos are exact; times are .*not compared`,
        ),
      );
      assert.equal(environment.descriptors, 1 << 20, 'a whole machine’s');
      // With its little memory a guest has a table of TIME_WAIT that is too small to show an exhaustion.
      const { arms } = exhausting;
      const predictions = arms.map((arm) => predictArm(arm, version, environment.defaults).prediction);
      assert.match(shortages(exhausting, environment, predictions)[0]!, /tcp_max_tw_buckets \([\d,]+\); the excess/);
      assert.deepEqual(hostState(), before);
    });

    it('hears the order to stop behind a description of a run that is longer than its line can hold', async () => {
      const interruption = new AbortController();
      const { run: stopped } = await runOne({
        lab,
        arm: long.arms[0]!,
        planned: { id: 'long', variant: 'baseline', block: 0, warmup: false, order: 0, seed: 1 },
        network: 'veth',
        signal: interruption.signal,
        // The first sample may come before the first outcome.
        onSample: ({ outcomes }) => {
          if (Object.values(outcomes).some((n) => n > 0)) interruption.abort();
        },
      });
      assert.equal(stopped.status, 'interrupted', stopped.problems.join('; '));
      assert.ok(stopped.attempts > 0);
    });

    it('held and bound first: P·S, with the sysctls of a machine', async () => {
      const before = hostState();
      const { outcomes, sysctls, durationMs } = await run('machine');
      assert.deepEqual(hostState(), before);
      assert.deepEqual(outcomes, { ok: 200, 'bind:EADDRINUSE': 300 });
      assert.deepEqual([sysctls['vm.swappiness'], sysctls['net.core.netdev_max_backlog']], ['11', '1234']);
      assert.ok(durationMs.boot! > 0 && durationMs.boot! < durationMs.setup, 'the boot is a part of the set-up');
    });

    it('TIME_WAIT without tcp_tw_reuse: what is gone stays gone', async () => {
      const { waves } = await run('time-wait');
      assert.deepEqual(
        waves.map(({ outcomes }) => outcomes),
        [{ ok: 400, 'connect:EADDRNOTAVAIL': 100 }, { 'connect:EADDRNOTAVAIL': 500 }],
      );
    });

    // What follows is the kernel's matter and not the engine's: one engine shows it.
    if (engine !== 'uml') return;

    it('held and bound without a port: P·S·D', async () => {
      assert.deepEqual((await run('no-port')).outcomes, { ok: 400, 'connect:EADDRNOTAVAIL': 100 });
    });

    it('TIME_WAIT with tcp_tw_reuse: all comes back after a second', async () => {
      const { waves } = await run('tw-reuse');
      assert.deepEqual(
        waves.map(({ outcomes }) => outcomes),
        [{ ok: 400 }, { ok: 400 }],
      );
    });

    it('keeps its console', async () => {
      const session = await lab.open('check');
      await session.close();
      assert.deepEqual(session.warnings, []);
      assert.match(session.stderr(), /Run \/init as init process/);
    });
  });
}

describe('a kernel that cannot be had', SKIP, () => {
  const here = new URL(import.meta.url).pathname;
  for (const [engine, kernel, message] of [
    ['uml', '/nowhere/linux', /the kernel \/nowhere\/linux cannot be read \(ENOENT\)/],
    ['uml', here, /is no kernel image: it has neither/],
    ['qemu', here, /is no kernel image: it has neither/],
    ['qemu', '/bin/true', /is a program, and QEMU boots kernel images/],
    ['uml', '/bin/true', /the lab did not come up: the agent was lost: the guest ended with code 0/],
  ] as const)
    it(`${engine} ${kernel}`, async () => {
      await assert.rejects(vmLab({ engine, kernel }, () => {}).open('check'), (error) => {
        assert.ok(error instanceof LabError);
        assert.match(error.message, message);
        return true;
      });
    });
});
