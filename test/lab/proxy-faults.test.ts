// needs: squid, haproxy
/**
 * What may go wrong around a proxy: roles that hang instead of dying, and clients that are slower than asked. Each ends in a clear
 * outcome, and nothing is left running. Proxies that die, full disks, silent origins and half-closed connections: squid.test.ts.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Arm, LoadPlan } from '../../src/plan/plan.js';
import type { ProxySettings } from '../../src/subjects/index.js';
import { until } from '../support/cli.js';
import { labArm, measure } from '../support/lab.js';
import { killRole, type Mark, type Marked, newMark } from '../support/processes.js';
import { HAPROXY, SQUID } from '../support/proxies.js';

function armOf(proxy: ProxySettings, load: Partial<LoadPlan> & Pick<LoadPlan, 'arrival'>): Arm {
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40099' },
      load: { protocol: 'connect', holdMs: 0, timeoutMs: 2000, lagBudgetMs: 60_000, ...load },
    }),
    proxy,
  };
}

/** Twenty connections a second, with a byte there and back. */
const STEADY = {
  exchange: { request: 1, response: 1 },
  arrival: { shape: 'constant', rate: 20, durationMs: 4000 },
} as const;

/** Stop a role in the midst of the load, as soon as the proxy has taken a port. */
async function freeze(mark: Mark, role: Marked['role']): Promise<void> {
  await until('the proxy', () => mark.processes().some((each) => each.role === 'proxy'));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.ok(killRole(mark, role, 'SIGSTOP') >= 1);
}

describe('a role that is stopped, and does not end', () => {
  it('the origin: the run fails once its answer is overdue', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const failed = assert.rejects(
      measure(armOf(SQUID, STEADY)),
      /the origin has not answered for 15 s(?:, and \d+ s for want of a CPU)?: it hangs, or was stopped/,
    );
    await freeze(mark, 'origin');
    await failed;
    await until('nothing is left', () => mark.processes().length === 0);
  });

  it('the proxy: its clients wait for the timeout and no longer, and it is ended all the same', async () => {
    const mark = newMark();
    Object.assign(process.env, mark.env);
    const measured = measure(armOf(HAPROXY, { ...STEADY, protocol: 'tcp' }));
    await freeze(mark, 'proxy');
    const { outcomes, attempts } = await measured;
    assert.equal(attempts, 80);
    assert.equal((outcomes.ok ?? 0) + (outcomes['timeout:ETIMEDOUT'] ?? 0), 80, JSON.stringify(outcomes));
    assert.ok((outcomes['timeout:ETIMEDOUT'] ?? 0) > 0, JSON.stringify(outcomes));
    await until('nothing is left', () => mark.processes().length === 0);
  });
});

describe('clients that are slower than asked', () => {
  it('are named, and the run does not count: the proxy was not put to the question', async () => {
    // Half a million a second, which no thread opens.
    const arrival = { shape: 'constant', rate: 500_000, durationMs: 6 } as const;
    const run = await measure(armOf(SQUID, { arrival, timeoutMs: 30_000, lagBudgetMs: 1 }));
    assert.equal(run.attempts, 3000);
    assert.equal(run.generatorLimited, true);
    assert.match(
      run.problems.join(),
      /^generator-limited: the p99 of the start lag was [\d.]+ ms, above the budget of 1 ms/,
    );
  });

  it('with fewer descriptors than asked shed the rest, counted', async () => {
    const arrival = { shape: 'fill', attempts: 60, failures: null, inFlight: 8, waves: 1, pauseMs: 0 } as const;
    const run = await measure(armOf(SQUID, { arrival, holdMs: null, timeoutMs: 30_000, maxInFlight: 40 }));
    assert.deepEqual(run.outcomes, { ok: 40, shed: 20 });
    assert.match(run.warnings.join(), /20 of 60 attempts were shed/);
  });
});
