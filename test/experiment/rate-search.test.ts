/** The steps of a search, made by a kernel that is a sentence: so many tuples, each in use for a minute. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { type SearchInput, searchArm } from '../../src/experiment/rate-search.js';
import { scheduledAttempts } from '../../src/plan/arrival.js';
import { SEARCH } from '../../src/plan/search.js';
import { searchAgreement } from '../../src/report/search.js';
import type { Run } from '../../src/results/schema.js';
import { arm, LATEST } from '../capacity/inputs.js';
import { fakeLab } from '../support/fake-lab.js';
import { makeEnvironment, makeRun } from '../support/runs.js';

const bind = { ...arm({ load: { holdMs: 0 } }), name: 'baseline' };

function inputFor(
  outcome: (attempts: number, n: number) => Partial<Run>,
  more: Partial<SearchInput> = {},
): SearchInput {
  let n = 0;
  return {
    arm: bind,
    settings: { ...SEARCH, from: 1 },
    place: {
      lab: fakeLab(() => new Error('no lab')),
      network: 'veth',
      kernel: parseKernelVersion('6.18.44', 250),
      environment: makeEnvironment(),
    },
    seed: 1,
    signal: new AbortController().signal,
    onStep: () => {},
    run: async ({ arm: { load }, planned }) => {
      const attempts = scheduledAttempts(load.arrival)!;
      const base = makeRun({ variant: planned.variant, block: planned.block });
      return {
        run: {
          ...base,
          id: planned.id,
          attempts,
          outcomes: { ok: attempts },
          generatorLimited: false,
          durationMs: { setup: 1, load: 1, teardown: 1 },
          ...outcome(attempts, n++),
        },
        histograms: null,
      };
    },
    ...more,
  };
}

const tuples = (limit: number) => (attempts: number) => {
  const ok = Math.min(attempts, limit);
  return { outcomes: { ok, ...(ok < attempts ? { 'bind:EADDRINUSE': attempts - ok } : {}) } };
};

test('finds what the arithmetic says, and says that it agrees', async () => {
  const found = await searchArm(inputFor(tuples(100)));
  assert.ok(found.interval!.low * LATEST <= 100 && found.interval!.high! * LATEST > 100);
  assert.equal(found.problem, null);
  assert.ok(found.steps.every(({ how }) => how === 'scaled'));
  assert.equal(searchAgreement(found)!.verdict, 'agrees');
});

test('says that it disagrees where a kernel has fewer ports than the arithmetic', async () => {
  const agreement = searchAgreement(await searchArm(inputFor(tuples(90))))!;
  assert.equal(agreement.verdict, 'disagrees');
  assert.ok(agreement.difference! < -0.08 && agreement.difference! > -0.12);
});

test('refusals where the model says that ports do not limit the rate are a finding', async () => {
  const reset = { ...bind, load: { ...bind.load, close: 'reset' as const } };
  const found = await searchArm(inputFor(tuples(90), { arm: reset }));
  assert.deepEqual(searchAgreement(found), { verdict: 'disagrees', model: null, difference: null });
});

test('a run that fails ends the search of its arm with the reason', async () => {
  const found = await searchArm(inputFor(() => ({ status: 'failed', problems: ['no origin'] })));
  assert.deepEqual([found.interval, found.problem], [null, 'no origin']);
});

test('an interruption ends it too', async () => {
  const found = await searchArm(inputFor(tuples(100), { signal: AbortSignal.abort() }));
  assert.deepEqual([found.interval, found.problem, found.steps.length], [null, 'interrupted', 0]);
});

// With tcp_tw_reuse a step is not scaled, so that a late attempt meets ports that are not free yet.
const reuse = {
  ...arm({ load: { holdMs: 0, strategy: 'connect' }, sysctls: { 'net.ipv4.tcp_tw_reuse': '1' } }),
  name: 'reuse',
};
const late = (attempts: number) => ({
  outcomes: { ok: attempts - 1, 'connect:EADDRNOTAVAIL': 1 },
  generatorLimited: true,
});

test('a step that the generator was late for is made again before its failures count', async () => {
  const found = await searchArm(
    inputFor((attempts, n) => (n === 1 ? late(attempts) : tuples(300)(attempts)), { arm: reuse }),
  );
  assert.deepEqual(
    found.steps.filter(({ discarded }) => discarded).map(({ id }) => id),
    ['s01-reuse'],
  );
  assert.equal(searchAgreement(found)!.verdict, 'agrees');
});

test('a generator that is late each time is what ends the search, and not the ports', async () => {
  const found = await searchArm(inputFor((attempts) => (attempts > 3 * 100 ? late(attempts) : {}), { arm: reuse }));
  assert.equal(found.interval!.limit, 'generator');
  // Each that failed was made five times, and only the last of them counts.
  const failed = found.steps.filter(({ notHeld }) => notHeld !== null);
  assert.deepEqual(
    [...new Set(failed.filter(({ discarded }) => !discarded).map(({ notHeld }) => notHeld))],
    ['generator'],
  );
  assert.equal(
    failed.filter(({ discarded }) => discarded).length,
    4 * failed.filter(({ discarded }) => !discarded).length,
  );
});

test('a limit of the latency is a limit', async () => {
  const latency = (p99: number) => ({
    count: 1,
    min: 1,
    mean: p99,
    p50: p99,
    p90: p99,
    p99,
    p999: p99,
    max: p99,
    percentiles: [],
  });
  const found = await searchArm(
    inputFor((attempts) => ({ latency: { total: latency(attempts > 66 * 5 ? 90_000 : 1_000) } }), {
      settings: { ...SEARCH, from: 1, p99Ms: 50 },
    }),
  );
  assert.equal(found.interval!.limit, 'slow');
  assert.ok(found.steps.every(({ how }) => how === 'in full'));
  assert.equal(searchAgreement(found), null, 'the model knows nothing of latency');
});
