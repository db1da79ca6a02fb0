import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleResults } from '../../src/analysis/assemble.js';
import { applyOf } from '../../src/report/apply.js';
import { renderMarkdown, renderSummary } from '../../src/report/render.js';
import { hostileResults } from '../support/hostile.js';
import { kernelInput } from '../support/kernels.js';
import { emptyResults, partialResults, quickstartResults, realSizeResults } from '../support/results.js';

const summary = (results = quickstartResults()) => renderSummary(results, applyOf(results));

test('has the sentence, a row a variant, what failed, and what to apply', () => {
  const text = summary(realSizeResults());
  assert.ok(
    text.startsWith(
      `### bindstorm: quickstart\n\n**${quickstartResults().summary}**\n\n| Variant | failures | Difference | Verdict |\n`,
    ),
  );
  assert.ok(text.includes('| **wider-range** | 50.0 % → 0 % | −50.0 points | ✓ better |\n'));
  assert.equal(text.match(/^\| \*\*/gm)?.length, 7);
  assert.ok(
    text.includes('- ✗ threshold failed: autobind-reuse, `latency.total.p99` is 6.1 ms; the limit is at most 5ms\n'),
  );
  assert.equal(text.match(/threshold failed/g)?.length, 1);
  assert.ok(
    text.endsWith(
      'To apply wider-range: `apply/zz-bindstorm-wider-range.conf`, a drop-in for sysctl.d, with its rollback beside it.\n',
    ),
  );
});

test('says that it is partial, that nothing could be compared, and why there is nothing to apply', () => {
  assert.match(summary(partialResults()), /^> This report is partial: 32 of 56 runs/m);
  assert.match(summary(emptyResults()), /No drop-in for sysctl\.d: the experiment is not complete\.\n$/);
  const alone = quickstartResults();
  alone.variants = alone.variants.slice(0, 1);
  assert.match(summary(alone), /^No variant was compared: the baseline ran alone\.$/m);
});

test('is short: a fraction of the report, and lines of a hostile name stay in their rows', () => {
  assert.ok(summary().length < renderMarkdown(quickstartResults()).length / 2);
  const rows = summary(hostileResults())
    .split('\n')
    .filter((line) => line.startsWith('|'));
  assert.equal(rows.length, 9);
  for (const row of rows) assert.equal(row.split(/(?<!\\)\|/).length, 6, row);
});

test('with several kernels each row names its own, and nothing is to be applied', () => {
  const text = summary(assembleResults(kernelInput()));
  assert.match(text, /^\| \*\*range@old\*\* .* ✓ better \|$/m);
  assert.match(text, /^\| \*\*range@new\*\* .* ✓ better \|$/m);
  assert.match(text, /No drop-in for sysctl\.d: several kernels were measured/);
});
