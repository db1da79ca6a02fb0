/**
 * Several loads: what is exact adds up, and the rest is not modelled. test/lab/scenarios.test.ts holds the counts against the kernel.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predictArm } from '../../src/capacity/predict.js';
import type { Arm, LoadPlan, Scenario } from '../../src/plan/plan.js';
import { arm } from './inputs.js';

const KERNEL = parseKernelVersion('6.18', 250);
const constant = (attempts: number) => ({ arrival: { shape: 'constant', rate: attempts, durationMs: 1000 } }) as const;

function mixed(
  load: Partial<LoadPlan>,
  scenarios: readonly Partial<LoadPlan>[],
  more: { own?: number; addresses?: number } = {},
): Arm {
  const first = arm({ load, addresses: more.addresses ?? 1 });
  return {
    ...first,
    scenarios: scenarios.map(
      (each, i): Scenario => ({
        name: `s${i}`,
        load: { ...first.load, ...each },
        ...(more.own ? { destinations: { kind: 'lab', addresses: 1, ports: more.own } } : {}),
      }),
    ),
  };
}

function said(of: Arm) {
  const { prediction, determinism } = predictArm(of, KERNEL, {});
  const { deterministic, why } = determinism({ lab: 'netns' });
  return { concurrent: prediction.concurrent, deterministic, why };
}

test('bind: as many as one load of all attempts, wherever each goes', () => {
  for (const own of [0, 3]) {
    const found = said(mixed({ strategy: 'bind', ...constant(80) }, [constant(60)], { own }));
    assert.deepEqual([found.concurrent, found.deterministic], [100, true]);
    assert.match(found.why, /so 100 succeed/);
  }
  assert.match(
    said(mixed({ strategy: 'bind', ...constant(40) }, [constant(20), constant(30)])).why,
    /^90 attempts are within/,
  );
});

test('connect: hosts of its own are ports of its own', () => {
  const found = said(mixed({ strategy: 'connect', ...constant(150) }, [constant(250)], { own: 2 }));
  assert.deepEqual([found.concurrent, found.deterministic], [300, true]);
  const unlike = said(mixed({ strategy: 'connect', ...constant(150) }, [constant(50)], { own: 2 }));
  assert.deepEqual([unlike.concurrent, unlike.deterministic], [300, false]);
  assert.match(unlike.why, /some of the loads run out of ports and others do not/);
  const shared = said(mixed({ strategy: 'connect', ...constant(80) }, [constant(60)]));
  assert.deepEqual([shared.concurrent, shared.deterministic], [100, true]);
});

test('what one of them leaves to time is left to time', () => {
  const poisson = said(
    mixed({ strategy: 'bind', ...constant(80) }, [{ arrival: { shape: 'poisson', rate: 60, durationMs: 1000 } }]),
  );
  assert.deepEqual([poisson.concurrent, poisson.deterministic], [100, false]);
  const impatient = said(mixed({ strategy: 'bind', ...constant(80) }, [{ ...constant(60), timeoutMs: 100 }]));
  assert.equal(impatient.deterministic, false);
  assert.match(impatient.why, /a timeout of 100ms is shorter/);
});

test('held for different times: the counts are exact where nothing is freed, and no rate is said', () => {
  const held = mixed({ strategy: 'bind', ...constant(80) }, [{ ...constant(60), holdMs: 0, close: 'client' }]);
  assert.deepEqual([said(held).concurrent, said(held).deterministic], [100, true]);
  const { prediction, walls } = predictArm(held, KERNEL, {});
  assert.deepEqual(
    [prediction.sustained, prediction.formula, walls],
    [null, 'P·S = 100 · 1 = 100', { slow: null, hard: null }],
  );
  const reset = mixed({ strategy: 'bind', ...constant(80) }, [{ ...constant(60), holdMs: 0, close: 'reset' }]);
  assert.deepEqual([said(reset).concurrent, said(reset).deterministic], [100, false]);
});

test('not modelled: loads that hold ports in different ways', () => {
  const cases: [string, Arm, RegExp][] = [
    ['strategies', mixed({ strategy: 'bind' }, [{ strategy: 'connect' }]), /^the loads differ in strategy/],
    ['named ports', mixed({ strategy: 'bind-explicit-port' }, [{}]), /^each load walks the list of ports by itself/],
    [
      'uneven shares',
      mixed({ strategy: 'bind', ...constant(81) }, [constant(60)], { addresses: 2 }),
      /do not spread evenly/,
    ],
    [
      'a number of attempts that is not known',
      mixed({ strategy: 'bind' }, [
        { arrival: { shape: 'fill', attempts: null, failures: 3, inFlight: 1, waves: 1, pauseMs: 0 } },
      ]),
      /is not known beforehand/,
    ],
  ];
  for (const [what, of, why] of cases) {
    const found = said(of);
    assert.deepEqual([found.concurrent, found.deterministic], [null, false], what);
    assert.match(found.why, why);
    assert.equal(predictArm(of, KERNEL, {}).prediction.formula, 'not modelled together');
  }
});
