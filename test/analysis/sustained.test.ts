/** What each arm sustains, in the words of a report: rounded to the safe side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSustained, formatUnsustained, soonest } from '../../src/analysis/format.js';
import {
  atOnceText,
  measuredRate,
  requiredText,
  sustainedSentence,
  sustainedText,
} from '../../src/analysis/sustained.js';
import type { RealCapacity, Variant } from '../../src/results/schema.js';
import { quickstartResults } from '../support/results.js';
import { makeRun } from '../support/runs.js';

const real = (changes: Partial<Extract<RealCapacity, { kind: 'scaled' }>> = {}): RealCapacity => ({
  kind: 'scaled',
  ports: 28_232,
  concurrent: 28_232,
  sustained: 455.9,
  limited: 'by ports',
  slow: { tuples: 14_116, rate: 227.9 },
  ...changes,
});
const unlimited = real({ sustained: null, limited: 'not by ports', slow: null });
const unknown = real({ concurrent: null, sustained: null, limited: 'not modelled' });
const lab: RealCapacity = { kind: 'none', reason: 'is of the lab’s size' };

test('no number says more than holds', () => {
  assert.deepEqual([455.99, 45.59, 4.559, 0.4559].map(formatSustained), ['455/s', '45.5/s', '4.55/s', '0.45/s']);
  assert.deepEqual([455.01, 45.51, 4.551].map(formatUnsustained), ['456/s', '45.6/s', '4.56/s']);
  assert.deepEqual([2.49, 19.9, 100, 5400].map(soonest), ['2.4 s', '19 s', '1 min', '1.5 h']);
});

test('a rate that somebody needs holds, holds slowly, fails, or is not modelled', () => {
  const at = (rate: number, of = real()) => requiredText(of, rate);
  assert.equal(at(207), 'holds, with 120 % to spare');
  assert.equal(at(2), 'holds 227 times over');
  assert.equal(at(227.9), 'holds, with 100 % to spare');
  assert.equal(at(455.9), 'holds, but beyond the slow wall');
  assert.equal(at(455, real({ slow: null })), 'holds, with nothing to spare');
  assert.equal(at(1412), 'fails after 19 s');
  assert.equal(at(1e9, unlimited), 'holds: ports do not limit it');
  assert.deepEqual([at(1, unknown), at(1, lab)], ['not modelled', 'not at the scale of a machine']);
});

test('the sentence: arms with the same number once, and the rate that is needed first', () => {
  const [first, ...others] = quickstartResults().variants;
  const arms = [real(), real(), unlimited, unknown, lab].map(
    (own, i): Variant => ({ ...(others[i] ?? first!), name: `v${i}`, real: own }),
  );
  const lasting =
    'Sustained and at once, by the model, with the ports of a machine: 455/s and 28,232 at once (v0 and v1); not limited by ports and 28,232 at once (v2); not modelled (v3); not at the scale of a machine (v4).';
  assert.equal(sustainedSentence(arms, undefined), lasting);
  assert.equal(
    sustainedSentence(arms.slice(0, 3), 500),
    '500/s on a machine: fails after 56 s (v0 and v1); holds: ports do not limit it (v2). Sustained and at once, by the model, with the ports of a machine: 455/s and 28,232 at once (v0 and v1); not limited by ports and 28,232 at once (v2).',
  );
  assert.equal(sustainedSentence(quickstartResults().variants, 500), '', 'results of an earlier version');
  assert.deepEqual(
    [atOnceText(real()), atOnceText(unknown), sustainedText(lab)],
    ['28,232 at once', null, 'not at the scale of a machine'],
  );
});

test('measured: a run that was longer than a tuple is in use, and no other', () => {
  const [baseline] = quickstartResults().variants;
  const of = (again: number | null, durationMs: number, runs: Variant['runs']) =>
    measuredRate({
      load: { ...baseline!.load, holdMs: 0, arrival: { shape: 'constant', rate: 100, durationMs } },
      prediction: { ...baseline!.prediction, again },
      runs,
    });
  const well = makeRun({ outcomes: { ok: 2000 } });
  assert.deepEqual(of(1, 20_000, [well]), { low: 100, high: null, text: '100/s and more (1 run of 20 s)' });
  assert.equal(of(62, 20_000, [well]), null);
  assert.equal(of(null, 20_000, [well]), null);
  // 40 a second come back; in the first second all that there are were taken.
  const second = (t: number, ok: number) => ({
    ...baseline!.runs[0]!.timeline[0]!,
    t,
    outcomes: { ok, 'bind:EADDRINUSE': 100 - ok },
  });
  const full = makeRun({ outcomes: { ok: 160, 'bind:EADDRINUSE': 240 } });
  const timeline = [second(1, 80), second(2, 40), second(3, 40), second(4, 40)];
  assert.deepEqual(of(1, 4000, [{ ...full, timeline }]), {
    low: 40,
    high: 100,
    text: '40/s, and 100/s fails (1 run of 4 s)',
  });
});
