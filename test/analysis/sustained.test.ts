/** What each arm sustains, in the words of a report: rounded to the safe side. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatSustained, formatUnsustained, soonest } from '../../src/analysis/format.js';
import {
  atOnceText,
  measuredRate,
  notFirstText,
  requiredSentence,
  requiredText,
  slowText,
  sparesShort,
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
  assert.equal(at(207), 'holds, with 10 % to spare until slow, 120 % until full');
  assert.equal(at(2), 'holds 227 times over, 113 times until slow');
  assert.equal(at(100), 'holds, with 127 % to spare until slow, 4 times over until full');
  assert.equal(at(100, real({ slow: null })), 'holds 4 times over');
  const short = (rate: number) => sparesShort(real(), rate);
  assert.deepEqual([207, 2, 455.9, 1412].map(short), ['10 % to slow, 120 % to full', '113× to slow', null, null]);
  assert.equal(at(227.9), 'holds, with nothing to spare until slow, 100 % until full');
  assert.equal(at(455.9), 'holds, but beyond the slow wall of 227/s');
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
    requiredSentence(arms.slice(0, 3), 500),
    '500/s on a machine, by the model: fails after 56 s (v0 and v1); holds: ports do not limit it (v2).',
  );
  assert.equal(requiredSentence(arms, undefined), '');
  const before = quickstartResults().variants;
  assert.deepEqual([sustainedSentence(before, 500), requiredSentence(before, 500)], ['', ''], 'of an earlier version');
  assert.deepEqual(
    [atOnceText(real()), atOnceText(unknown), sustainedText(lab)],
    ['28,232 at once', null, 'not at the scale of a machine'],
  );
});

test('beyond the slow wall: up to where it is fast, and with how many addresses', () => {
  const [first] = quickstartResults().variants;
  const of = (rate: number | undefined, count = 1) =>
    slowText({ real: real(), addresses: { ...first!.addresses, count } }, rate);
  assert.match(
    of(300)!,
    /^at 300\/s nothing fails, but it is slow: .*; fast up to 227\/s, or at 300\/s with 2 addresses instead of 1$/,
  );
  assert.match(of(300, 20)!, /with 27 addresses instead of 20$/);
  assert.deepEqual([of(227), of(500), of(undefined)], [null, null, null], 'fast, failing, nobody said');
});

test('where a rate is slow with one variant, those with which it is fast', () => {
  const [first] = quickstartResults().variants;
  const arm = (name: string, capacity: RealCapacity): Variant => ({ ...first!, name, real: capacity });
  const slow = arm('slow', real());
  const others = [
    slow,
    arm('fails', real({ sustained: 200 })),
    arm('fast', real({ slow: { tuples: 1, rate: 400 } })),
    arm('unlimited', unlimited),
    arm('unknown', unknown),
  ];
  const of = (change: Variant | undefined, rate: number | undefined, count = others.length) =>
    notFirstText(change, others.slice(0, count), rate);
  assert.equal(of(slow, 300), '300/s is slow with slow, and fast with each of fast and unlimited');
  assert.equal(of(slow, 300, 3), '300/s is slow with slow, and fast with fast');
  assert.equal(of(slow, 300, 2), '300/s is slow with slow');
  assert.deepEqual([of(slow, 227), of(slow, 500), of(slow, undefined), of(undefined, 300)], [null, null, null, null]);
});

test('what a rate assumes of how long connections are open is said with it', () => {
  const [first] = quickstartResults().variants;
  const arms = (...holds: (number | null)[]) =>
    holds.map((holdMs, i): Variant => ({ ...first!, name: `v${i}`, real: real(), load: { ...first!.load, holdMs } }));
  const rates = 'v0 and v1';
  assert.equal(
    requiredSentence(arms(2_400_000, 2_400_000), 500),
    `500/s on a machine with connections open for 40 min, as assumed, by the model: fails after 56 s (${rates}).`,
  );
  assert.equal(
    sustainedSentence(arms(2_400_000, 2_400_000), 500),
    `Sustained and at once, by the model, with the ports of a machine and connections open for 40 min, as assumed: 455/s and 28,232 at once (${rates}).`,
  );
  assert.match(
    sustainedSentence(arms(1500, 90_000), undefined),
    /and connections open for 1500 ms or 90 s \(by the variant\), as assumed: /,
  );
  assert.match(sustainedSentence(arms(0, 90_000), undefined), /open for 90 s \(by the variant\), as assumed: /);
  for (const none of [0, null]) assert.doesNotMatch(sustainedSentence(arms(none, none), 500), /assumed/);
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
  assert.deepEqual(of(1, 20_000, [well]), {
    low: 100,
    high: null,
    how: 'measured',
    text: '100/s and more (1 run of 20 s)',
  });
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
    how: 'measured',
    text: '40/s, and 100/s fails (1 run of 4 s)',
  });
});

test('a search that filled the ports by the model does not say that it has measured how long one stays taken', () => {
  const [baseline] = quickstartResults().variants;
  const searched = { low: 2.287, high: 2.328, held: 3, limit: 'refused' } as const;
  const of = (filled?: 'model' | 'assumed') =>
    measuredRate({ ...baseline!, searched: filled === undefined ? searched : { ...searched, filled } });
  assert.equal(of()?.how, 'measured');
  assert.equal(of('model')?.how, 'found, ports filled beforehand as the model says');
  assert.equal(of('assumed')?.text, '2.28/s to 2.33/s (searched, held 3 times, ports filled beforehand as assumed)');
});

test('of a guest with a timer of its own the sentence says which was taken for the machine', () => {
  const [first] = quickstartResults().variants;
  assert.match(
    sustainedSentence([{ ...first!, real: real({ hz: 250 }) }], undefined),
    /with the ports of a machine, its timer taken as HZ=250 \(Debian’s; the guest has another\): /,
  );
});
