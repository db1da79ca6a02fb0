import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { assembleResults } from '../../src/analysis/assemble.js';
import { renderJunit } from '../../src/report/junit.js';
import { element, escapeXml } from '../../src/report/xml.js';
import { HOSTILE, hostileResults } from '../support/hostile.js';
import { kernelInput } from '../support/kernels.js';
import { emptyResults, partialResults, quickstartResults } from '../support/results.js';
import { parseXml, type XmlElement } from '../support/xml.js';

describe('text in XML', () => {
  it('comes out as it went in, in attributes and in elements', () => {
    const nasty = `<a b="c" d='e'>&amp; ]]> \t\r\n \u{1F600} é \u{FFFD}`;
    const { attributes, text } = parseXml(element('x', { a: nasty }, escapeXml(nasty.replace(/[\t\r\n]/g, ''))));
    assert.equal(attributes.a, nasty);
    assert.equal(text, nasty.replace(/[\t\r\n]/g, ''));
  });

  it('has no character that XML forbids', () => {
    assert.equal(escapeXml('a\u0000b\u001bc\u000bd\ufffee\ud800f\u0085'), 'a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf\u0085');
    assert.equal(escapeXml('\u{10ffff}\ud83d\ude00'), '\u{10ffff}\ud83d\ude00', 'pairs of surrogates are characters');
  });

  it('an element without content is closed at once', () => {
    assert.equal(element('a', { n: 1 }), '<a n="1"/>');
    assert.equal(element('a', {}, '<b/>', '<c/>'), '<a>\n  <b/>\n  <c/>\n</a>');
  });
});

const suitesOf = (xml: string) => {
  const root = parseXml(xml);
  assert.equal(root.name, 'testsuites');
  return Object.fromEntries(root.children.map((suite) => [suite.attributes.name!.split('.').at(-1), suite]));
};

/**
 * What junit-10.xsd of Jenkins' xunit plugin allows (src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd/), in the part that
 * is used here: attributes with an exclamation mark are required, and no other element and no other attribute may be there.
 */
const SCHEMA: Readonly<
  Record<string, { readonly attributes: string; readonly children: string; readonly text?: true }>
> = {
  testsuites: { attributes: 'name time tests failures errors', children: 'testsuite' },
  testsuite: {
    attributes: 'name! tests! failures! errors! group time skipped timestamp hostname id package file log url',
    children: 'testsuite properties testcase system-out system-err',
  },
  testcase: { attributes: 'name! time classname group', children: 'skipped error failure system-out system-err' },
  failure: { attributes: 'type message', children: '', text: true },
  error: { attributes: 'type message', children: '', text: true },
  skipped: { attributes: 'type message', children: '', text: true },
  'system-out': { attributes: '', children: '', text: true },
};
/** SUREFIRE_TIME there. */
const TIME = /^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$/;

function check({ name, attributes, children, text }: XmlElement): void {
  const rule = SCHEMA[name];
  assert.ok(rule, `the schema has no element ${name}`);
  const allowed = rule.attributes.split(' ').filter(Boolean);
  for (const attribute of Object.keys(attributes))
    assert.ok(
      allowed.some((each) => each.replace('!', '') === attribute),
      `${name} may not have ${attribute}`,
    );
  for (const attribute of allowed)
    if (attribute.endsWith('!')) assert.ok(attribute.slice(0, -1) in attributes, `${name} needs ${attribute}`);
  if (name !== 'testcase' && attributes.time !== undefined) assert.match(attributes.time, TIME);
  if (!rule.text) assert.equal(text, '', `${name} may have no text`);
  for (const child of children) {
    assert.ok(rule.children.split(' ').includes(child.name), `${name} may not have a ${child.name}`);
    check(child);
  }
}

const cases = (suite: XmlElement | undefined) =>
  (suite?.children ?? []).map(({ attributes, children }) => [
    attributes.name,
    children[0]?.name,
    children[0]?.attributes.message,
  ]);

for (const [name, results] of Object.entries({
  complete: quickstartResults(),
  partial: partialResults(),
  empty: emptyResults(),
  hostile: hostileResults(),
})) {
  test(`${name}: the document is well-formed and its sums are right`, () => {
    const root = parseXml(renderJunit(results));
    const sums = { tests: 0, failures: 0, errors: 0, skipped: 0 };
    for (const suite of root.children) {
      const count = (child: string) => suite.children.filter(({ children }) => children[0]?.name === child).length;
      const expected = {
        tests: suite.children.length,
        failures: count('failure'),
        errors: count('error'),
        skipped: count('skipped'),
      };
      for (const [key, value] of Object.entries(expected)) {
        assert.equal(suite.attributes[key], String(value), `${suite.attributes.name} ${key}`);
        sums[key as keyof typeof sums] += value;
      }
      assert.match(suite.attributes.timestamp!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
    }
    const { skipped: _, ...total } = sums;
    for (const [key, value] of Object.entries(total)) assert.equal(root.attributes[key], String(value), key);
  });

  test(`${name}: Jenkins takes it, which holds it to junit-10.xsd`, () => {
    check(parseXml(renderJunit(results)));
  });
}

test('thresholds are the gates: one that was not met fails, with its value and its limit', () => {
  const { thresholds } = suitesOf(renderJunit(quickstartResults()));
  assert.deepEqual(cases(thresholds), [
    ['wider-range: failures.share at most 0', 'system-out', undefined],
    [
      'autobind-reuse: latency.total.p99 at most 5ms',
      'failure',
      'latency.total.p99 of autobind-reuse is 6.1 ms; the limit is at most 5ms',
    ],
  ]);
  const results = quickstartResults();
  results.thresholds[1]!.value = null;
  assert.match(
    renderJunit(results),
    /latency\.total\.p99 of autobind-reuse was not measured; the limit is at most 5ms/,
  );
});

test('verdicts are findings: worse is no failure, not enough evidence is skipped', () => {
  const results = quickstartResults();
  results.variants[1]!.verdict!.verdict = 'worse';
  results.variants[2]!.verdict!.verdict = 'not enough evidence';
  const { verdicts } = suitesOf(renderJunit(results));
  assert.equal(verdicts!.children.length, results.variants.length - 1, 'the baseline has none');
  assert.deepEqual(cases(verdicts).slice(0, 2), [
    ['wider-range', 'system-out', undefined],
    ['fin-timeout-5', 'skipped', `not enough evidence: ${results.variants[2]!.verdict!.sentence}`],
  ]);
  assert.equal(verdicts!.children[0]!.children[0]!.text, `worse: ${results.variants[1]!.verdict!.sentence}`);
});

test('a test keeps its name whatever comes out, so that CI keeps its history', () => {
  const names = (xml: string) =>
    parseXml(xml).children.flatMap((suite) =>
      suite.children.map(({ attributes: { classname, name } }) => `${classname} ${name}`),
    );
  const before = names(renderJunit(quickstartResults()));
  assert.equal(new Set(before).size, before.length);
  for (const verdict of ['better', 'worse', 'no difference', 'not enough evidence'] as const) {
    const results = quickstartResults();
    for (const variant of results.variants) if (variant.verdict) variant.verdict.verdict = verdict;
    for (const threshold of results.thresholds) threshold.passed = !threshold.passed;
    results.variants[1]!.runs[0]!.status = 'failed';
    assert.deepEqual(names(renderJunit(results)), before, verdict);
    assert.ok(!before.some((name) => name.includes(verdict)));
  }
});

test('a run that failed is an error of its arm; one that was not compared is told', () => {
  const { runs } = suitesOf(renderJunit(partialResults()));
  const [baseline, wider, fin] = runs!.children;
  assert.equal(baseline!.children[0]!.text, '4 runs');
  assert.deepEqual(
    [wider!.children[0]!.name, wider!.children[0]!.attributes.message],
    ['error', 'b03-wider-range: the agent ended with exit code 1'],
  );
  assert.match(
    fin!.children[0]!.text,
    /^4 runs, of which 1 not compared, or not in full: b03-fin-timeout-5: generator-limited: /,
  );
  // Seven runs of (41 + 10012 + 9) ms.
  const whole = suitesOf(renderJunit(quickstartResults())).runs!;
  assert.equal(whole.children[0]!.attributes.time, '70.434');
  assert.equal(whole.attributes.time, (8 * 70.434).toFixed(3));
  const empty = suitesOf(renderJunit(emptyResults()));
  assert.equal(cases(empty.runs)[0]![1], 'skipped');
  assert.equal(empty.verdicts, undefined);
});

test('hostile names stay names', () => {
  const { verdicts } = suitesOf(renderJunit(hostileResults()));
  assert.equal(verdicts!.children[0]!.attributes.name, `wider-range${HOSTILE.replace('\u001b', '\ufffd')}`);
});

test('with several kernels each case names its own', () => {
  const { verdicts, runs } = suitesOf(renderJunit(assembleResults(kernelInput())));
  const names = [...verdicts!.children, ...runs!.children].map(({ attributes }) => attributes.name!);
  for (const suite of [verdicts!, runs!])
    assert.equal(
      new Set(suite.children.map(({ attributes }: XmlElement) => attributes.name)).size,
      suite.children.length,
    );
  for (const name of ['range@old', 'range@new', 'baseline@new']) assert.ok(names.includes(name), names.join());
});
