/** From a journal to the arms that need no more runs, and whether an experiment without them is whole. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { looksFor } from '../../src/analysis/looks.js';
import { conclude } from '../../src/experiment/conclude.js';
import type { BeginOf } from '../../src/experiment/journal-entry.js';
import { decisionsAt } from '../../src/experiment/stopping.js';
import { loadProfile } from '../../src/profile/load.js';
import { type Run, SCHEMA_VERSION } from '../../src/results/schema.js';
import { makeEnvironment, makeRun } from '../support/runs.js';

const PROFILE = `name: example
addresses: 10.50.0.1/32
load: { strategy: bind, arrival: { shape: constant, rate: 1000/s, duration: 1s } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - name: wider-range
    sysctls: { net.ipv4.ip_local_port_range: 40000 40199 }
goal: failures.share
guardrails: [cpu.perConnection]
repeat: 9
`;

function contentsOf(cpus: Readonly<Record<string, readonly number[]>>) {
  const { experiment } = loadProfile(PROFILE, 'example.yaml');
  const begin: BeginOf<'run'> = {
    type: 'begin',
    kind: 'run',
    schemaVersion: SCHEMA_VERSION,
    startedAt: '2026-01-02T03:04:05.000Z',
    command: 'bindstorm run example',
    profile: PROFILE,
    experiment: { ...experiment, looks: looksFor(9) },
    environment: makeEnvironment(),
  };
  const ok = { baseline: 100, 'wider-range': 200 };
  const runs = Object.entries(ok).flatMap(([variant, count]): Run[] =>
    [0, ...cpus[variant]!].map((cpuPerConnection, block) =>
      makeRun({
        variant,
        block,
        warmup: block === 0,
        cpuPerConnection,
        outcomes: { ok: count, 'bind:EADDRINUSE': 1000 - count },
      }),
    ),
  );
  return { begin, runs, observed: [] };
}

const kindsAt = (contents: ReturnType<typeof contentsOf>, look: number) =>
  [...decisionsAt(contents, look)].map(([arm, decision]) => [arm, decision.kind]);

it('an arm goes on while a guardrail is open, though its counts are exact', () => {
  const contents = contentsOf({ baseline: [40, 50, 42], 'wider-range': [45, 41, 53] });
  assert.deepEqual(kindsAt(contents, 3), [
    ['baseline', 'go-on'],
    ['wider-range', 'go-on'],
  ]);
  assert.deepEqual(decisionsAt(contents, 3).get('wider-range'), { kind: 'go-on', open: ['cpu.perConnection'] });
});

it('an arm stops, and the baseline with the last one; the experiment is whole without the rest', () => {
  const contents = contentsOf({ baseline: [40, 40.2, 40.1], 'wider-range': [40.1, 40.2, 40] });
  assert.deepEqual(kindsAt(contents, 3), [
    ['baseline', 'stop'],
    ['wider-range', 'stop'],
  ]);
  const { experiment, variants } = conclude({ ...contents, steps: new Map(), ended: null, damage: [] });
  assert.deepEqual([experiment.status, experiment.runsPlanned, experiment.runsDone], ['complete', 8, 8]);
  assert.equal(variants[1]!.verdict!.verdict, 'better');
  assert.equal(variants[1]!.verdict!.look!.pairs, 3);
});

it('an experiment without looks stops nothing', () => {
  const { begin, ...rest } = contentsOf({ baseline: [40, 40], 'wider-range': [40, 40] });
  const { looks: _, ...experiment } = begin.experiment;
  assert.equal(decisionsAt({ begin: { ...begin, experiment }, ...rest }, 2).size, 0);
});
