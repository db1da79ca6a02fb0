/**
 * A NAT without ports as its client sees it: no errno, a SYN that is sent again, and a connection that stands late, or ETIMEDOUT when the kernel's
 * patience ends. Every SYN is one more insert_failed of the router.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { describe, test } from 'node:test';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { EVICTS_SINCE } from '../../src/capacity/nat/after-close.js';
import { scheduleOf } from '../../src/capacity/nat/syn-schedule.js';
import { predictArm } from '../../src/capacity/predict.js';
import { parseMetric } from '../../src/domain/metric.js';
import type { Arm } from '../../src/plan/plan.js';
import type { Run } from '../../src/results/schema.js';
import { measure } from '../support/lab.js';
import { natArm, natPorts } from '../support/nat-rows.js';

const kernel = parseKernelVersion(release());
const P = 20;
/** More than the ports. */
const MORE = 5;
const RANGE = { 'net.ipv4.ip_local_port_range': '20000 39999' };

describe('what a client sees of a NAT without ports', { concurrency: true }, () => {
  for (const sysctls of [
    { 'net.ipv4.tcp_syn_retries': '1' },
    ...(atLeast(kernel, '6.5') ? [{ 'net.ipv4.tcp_syn_retries': '2', 'net.ipv4.tcp_syn_linear_timeouts': '0' }] : []),
  ] as Record<string, string>[]) {
    const { sent, timeout } = scheduleOf(kernel, sysctls);
    test(`${Object.entries(sysctls).join(', ')}: SYNs at ${sent.join(', ')} s, ETIMEDOUT after ${timeout} s`, async () => {
      const arm = natArm({ natPorts: natPorts(P) }, P + MORE, { sysctls, load: { timeoutMs: (timeout + 120) * 1000 } });
      assert.equal(predictArm(arm, kernel, RANGE).prediction.fails, 'connect:ETIMEDOUT');
      const run = await measure(arm);
      assert.deepEqual(run.outcomes, { ok: P, 'connect:ETIMEDOUT': MORE });
      assert.equal(run.router?.counters.insert_failed, MORE * sent.length);
      // Timers are rounded up (kernel/time/timer.c), and a busy machine is late: no sooner, and of when nothing else is known.
      assert.ok(run.loadMs >= timeout * 1000 - 50, `${run.loadMs} ms`);
    });
  }

  test('a port that comes free serves the next SYN: connections that stand late, by the SYN that was answered', {
    skip: !atLeast(kernel, EVICTS_SINCE) && 'this kernel keeps the ports of closed connections for two minutes',
  }, async () => {
    const load = {
      close: 'client',
      drain: true,
      // Longer than it takes to begin them all, also on a busy machine: none is closed before each has sent its first SYN.
      holdMs: 3500,
      timeoutMs: 120_000,
      arrival: { shape: 'fill', attempts: 2 * P, failures: null, inFlight: 2 * P, waves: 1, pauseMs: 0 },
    } as const satisfies Partial<Arm['load']>;
    const run = await measure(natArm({ natPorts: natPorts(P) }, 2 * P, { load }));
    assert.deepEqual(run.outcomes, { ok: 2 * P });
    const [first, ...later] = run.syns!;
    assert.equal(first, P);
    assert.equal(
      later.reduce((sum, count) => sum + count, 0),
      P,
    );
    assert.equal(parseMetric('syn.late').value(run as unknown as Run), 0.5);
    assert.ok(run.latency.connect!.max >= 1_000_000, JSON.stringify(run.latency.connect));
  });
});
