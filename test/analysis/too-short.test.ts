/** No difference is said only by runs that could have shown one, or from the kernel's rule. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { timesToTell } from '../../src/capacity/sysctl-time.js';
import { loadProfile } from '../../src/profile/load.js';
import { repeated } from '../support/runs.js';

function verdictOf(strategy: string, loadMs: number, okOfVariant = 50) {
  const { experiment } = loadProfile(
    `name: times
addresses: 10.50.0.1/32
load: { strategy: ${strategy}, arrival: { shape: constant, rate: 100/s, duration: 1s } }
repeat: 6
variants: [{ name: reuse, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }]
goal: failures.share
guardrails: []
`,
    'times.yaml',
  );
  const [baseline, reuse] = experiment.arms;
  const runs = [
    ...repeated('baseline', 6, { outcomes: { ok: 50, 'bind:EADDRINUSE': 50 } }),
    ...repeated('reuse', 6, { outcomes: { ok: okOfVariant, 'bind:EADDRINUSE': 100 - okOfVariant } }),
  ].map((run) => ({ ...run, durationMs: { ...run.durationMs, load: loadMs } }));
  const times = timesToTell(reuse!, baseline!, parseKernelVersion('6.18'), {});
  return compareArms({ experiment, runs, deterministic: () => true, timesToTell: () => times }).get('reuse')!;
}

test('no difference of a run that is shorter than the value is not enough evidence, with that reason', () => {
  const { verdict, goal, sentence } = verdictOf('connect', 250);
  assert.deepEqual([verdict, goal.verdict], ['not enough evidence', 'not enough evidence']);
  assert.equal(
    sentence,
    'reuse is undecided: this run is shorter than the value: 0.25 s from the first close to the last attempt, and tcp_tw_reuse = 1 shows after 1 s, so no difference is nothing that it could show.',
  );
});

test('a longer run says it by measurement, and a difference counts however short the run was', () => {
  assert.equal(verdictOf('connect', 1100).verdict, 'no difference');
  assert.doesNotMatch(verdictOf('connect', 1100).sentence, /rule|shorter/);
  assert.equal(verdictOf('connect', 250, 90).verdict, 'better');
});

test('where the kernel’s rule settles it, the sentence says so, and that it was not measured', () => {
  const { verdict, sentence } = verdictOf('bind', 250);
  assert.equal(verdict, 'no difference');
  assert.match(sentence, /; by the kernel's rule tcp_tw_reuse makes none: bind\(\) does not look at it/);
  assert.match(sentence, /\(not shown by measurement: this run is shorter than the value: 0\.25 s .* after 1 s\)\.$/);
});
