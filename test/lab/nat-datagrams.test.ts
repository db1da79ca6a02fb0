/**
 * UDP through the lab's router: the same ports by the same rules, and an entry that nobody closes.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { describe, test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { Arm } from '../../src/plan/plan.js';
import { measure } from '../support/lab.js';
import { natArm, natPorts } from '../support/nat-rows.js';

const kernel = parseKernelVersion(release());
const NONE = 'answer:none';
const UDP = {
  protocol: 'udp',
  strategy: 'connect',
  peer: 'connect',
  exchange: { request: 64, response: 64 },
} as const satisfies Partial<Arm['load']>;

function predicted(arm: Arm) {
  return predictArm(arm, kernel, { 'net.ipv4.ip_local_port_range': '32768 60999' });
}

describe('UDP behind a NAT', { concurrency: true }, () => {
  for (const [title, settings, held] of [
    ['20 ports: 20 of 30 datagrams are answered, and sendto() says nothing', {}, 20],
    ['a second address in one rule gives one client nothing', { rule: 'snat', natAddresses: 2 }, 20],
  ] as const)
    test(title, async () => {
      const arm = natArm({ ...settings, natPorts: natPorts(20) }, 30, { load: UDP });
      const { prediction, determinism } = predicted(arm);
      assert.deepEqual([prediction.concurrent, prediction.fails], [held, NONE]);
      assert.ok(determinism({ lab: 'netns' }).deterministic);
      const run = await measure(arm);
      assert.deepEqual(run.outcomes, { ok: held, [NONE]: 30 - held });
      assert.equal(run.router!.counters.insert_failed, 30 - held);
      assert.equal(run.origin?.accepted, held);
      assert.deepEqual(
        run.router!.pools.map(({ protocol, entries }) => [protocol, entries]),
        [['udp', held]],
      );
    });

  test('a rule for each address, by turns: the ports of both', async () => {
    const arm = natArm({ rule: 'snat', natAddresses: 2, choose: 'numgen', natPorts: natPorts(20) }, 60, { load: UDP });
    assert.equal(predicted(arm).prediction.concurrent, 40);
    assert.deepEqual((await measure(arm)).outcomes, { ok: 40, [NONE]: 20 });
  });

  test('closing a socket frees nothing: the entry lasts nf_conntrack_udp_timeout', async () => {
    const waves = (seconds?: string): Arm => {
      const arm = natArm({ natPorts: natPorts(20) }, 20, {
        load: {
          ...UDP,
          arrival: { shape: 'fill', attempts: 20, failures: null, inFlight: 20, waves: 2, pauseMs: 3000 },
        },
      });
      const router: Record<string, string> =
        seconds === undefined ? {} : { 'net.netfilter.nf_conntrack_udp_timeout': seconds };
      return { ...arm, roles: { client: {}, origin: {}, router } };
    };
    const again = predicted(waves()).prediction.again;
    assert.equal(again, 30);
    const second = async (arm: Arm) => (await measure(arm)).waves.map(({ outcomes }) => outcomes.ok ?? 0);
    assert.deepEqual(await second(waves()), [20, 0]);
    assert.equal(predicted(waves('1')).prediction.again, 1);
    assert.deepEqual(await second(waves('1')), [20, 20]);
  });
});
