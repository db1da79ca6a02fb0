/** The rate that somebody needs is held without a change, while the lab fails: no output advises one. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { alreadyHeldSentence } from '../../src/analysis/already-held.js';
import { assembleResults } from '../../src/analysis/assemble.js';
import { recommend } from '../../src/analysis/recommendation.js';
import { applyOf } from '../../src/report/apply.js';
import { renderHtml, renderMarkdown, renderSummary, renderTerminal } from '../../src/report/render.js';
import { writeReports } from '../../src/report/write.js';
import type { RealCapacity, Results, Variant } from '../../src/results/schema.js';
import { quickstartResults } from '../support/results.js';
import { makeEnvironment, makeExperiment, makePrediction, repeated } from '../support/runs.js';

const FACT =
  'At 300/s this machine does not run out of ports, by the model: the lab’s failures are those of its own load. A change for that rate is not supported; find out which figure is wrong (bindstorm watch --once on the machine).';
const CHANGE = 'net.ipv4.ip_local_port_range = 1024 65535';

const real = (sustained: number | null, slowFrom: number | null = null): RealCapacity => ({
  kind: 'scaled',
  ports: 28_232,
  concurrent: 28_232,
  sustained,
  limited: sustained === null ? 'not by ports' : 'by ports',
  slow: slowFrom === null ? null : { tuples: 14_116, rate: slowFrom },
});

/** Results in which the baseline comes to this on a machine, and the change to twice as much. */
function results(baseline: RealCapacity, required: number | undefined): Results {
  const made = quickstartResults();
  if (required !== undefined) made.experiment.requiredRate = required;
  made.variants[0]!.real = baseline;
  made.variants[1]!.real = real(20_000);
  made.summary = [alreadyHeldSentence(made.variants, required), made.summary].filter(Boolean).join(' ');
  return made;
}

const said = ({ variants, experiment }: Results) => alreadyHeldSentence(variants, experiment.requiredRate);

test('it is said where the baseline holds the rate, and nowhere else', () => {
  assert.equal(said(results(real(9105), 300)), FACT);
  assert.equal(said(results(real(null), 300)), FACT, 'ports do not limit it');
  assert.equal(said(results(real(300), 300)), FACT, 'just so');
  for (const [why, other] of Object.entries({
    'it fails': results(real(299), 300),
    'it holds beyond the slow wall': results(real(9105, 200), 300),
    'nobody said a rate': results(real(9105), undefined),
    'not modelled': results({ ...real(null), limited: 'not modelled' } as RealCapacity, 300),
    'not at the scale of a machine': results({ kind: 'none', reason: 'is of the lab’s size' }, 300),
  })) {
    assert.equal(said(other), '', why);
    assert.equal(recommend(other).kind, 'sysctls', why);
    assert.ok(renderMarkdown(other).includes(CHANGE), why);
  }
});

test('a model of which the baseline held less in the lab says nothing of the machine', () => {
  const made = results(real(9105), 300);
  const baseline = made.variants[0]!;
  baseline.agreement = { verdict: 'disagrees', runs: 6, differing: 6, sentence: '' };
  assert.equal(said(made), FACT, 'it held as much, and more would do no harm');
  baseline.prediction.concurrent = 501;
  assert.equal(said(made), '');
  assert.equal(recommend(made).kind, 'sysctls');
});

test('where nothing failed in the lab no failures are spoken of, and without a gain there is nothing to say', () => {
  const made = results(real(9105), 300);
  const [baseline, ...others] = made.variants as [Variant, ...Variant[]];
  for (const run of baseline.runs) run.outcomes = { ok: run.attempts };
  assert.match(said(made), /^At 300\/s this machine does not run out of ports, by the model\. A change/);
  for (const { verdict } of others) verdict!.verdict = 'no difference';
  assert.equal(said(made), '');
});

test('every output begins with it, and none has a change to apply', async (t) => {
  const made = results(real(9105), 300);
  const apply = applyOf(made);
  const why =
    'No drop-in for sysctl.d: at 300/s this machine does not run out of ports, by the model, so no change for that rate is supported.';
  const markdown = renderMarkdown(made);
  const outputs = {
    markdown,
    summary: renderSummary(made, apply),
    html: (await renderHtml(made)).replaceAll(/\s+/g, ' '),
    terminal: renderTerminal(made, { width: 100, colour: false }).replaceAll(/\s+/g, ' '),
  };
  for (const [name, text] of Object.entries(outputs)) {
    assert.ok(text.includes(FACT), name);
    assert.ok(text.indexOf(FACT) < text.indexOf(made.summary.slice(FACT.length + 1)), name);
    assert.ok(!text.includes(CHANGE), name);
    assert.doesNotMatch(text, /To apply|was judged better|were judged better|not to be pasted/, name);
    if (name !== 'terminal') assert.ok(text.includes(why), name);
  }
  assert.match(markdown, /So this report recommends no change; what each variant did in the lab is in the table/);
  const dir = await mkdtemp(join(tmpdir(), 'bindstorm-report-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await writeReports(dir, made);
  assert.ok(!(await readdir(dir)).includes('apply'));
});

test('assembled results say it first', () => {
  const failing = { outcomes: { ok: 500, 'bind:EADDRINUSE': 500 } };
  const { summary } = assembleResults({
    experiment: { ...makeExperiment({ variants: ['wider-range'], repeat: 2 }), requiredRate: 300 },
    runs: [...repeated('baseline', 2, failing), ...repeated('wider-range', 2)],
    environment: makeEnvironment(),
    predictions: new Map(['baseline', 'wider-range'].map((name) => [name, { ...makePrediction(), concurrent: 500 }])),
    real: () => real(9105),
    deterministic: () => true,
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:14:05.000Z',
    runsPlanned: 4,
    command: 'bindstorm run example.yaml',
    profileText: 'name: example\n',
  });
  assert.ok(
    summary.startsWith(
      `${FACT} 300/s on a machine, by the model: holds 30 times over (baseline and wider-range). In the baseline 50.0 % of connection attempts failed`,
    ),
    summary,
  );
});
