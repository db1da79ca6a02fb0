import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyOf } from '../../src/report/apply.js';
import { renderSummary } from '../../src/report/render.js';
import { appendStepSummary } from '../../src/report/step-summary.js';
import { scratchFolder } from '../support/cli.js';
import { quickstartResults } from '../support/results.js';

test('the job summary is appended where the CI asks for it, and nowhere else', (t) => {
  const before = process.env.GITHUB_STEP_SUMMARY;
  t.after(() => {
    if (before === undefined) delete process.env.GITHUB_STEP_SUMMARY;
    else process.env.GITHUB_STEP_SUMMARY = before;
  });
  const results = quickstartResults();
  const file = join(scratchFolder(t), 'summary.md');
  writeFileSync(file, 'of an earlier command\n');
  process.env.GITHUB_STEP_SUMMARY = file;
  appendStepSummary(results);
  appendStepSummary(results);
  const text = renderSummary(results, applyOf(results));
  assert.equal(readFileSync(file, 'utf8'), `of an earlier command\n${text}\n${text}\n`);

  delete process.env.GITHUB_STEP_SUMMARY;
  appendStepSummary(results);
  process.env.GITHUB_STEP_SUMMARY = '';
  appendStepSummary(results);
  // A place that cannot be written is no reason to fail: the results are there.
  process.env.GITHUB_STEP_SUMMARY = join(file, 'no', 'folder');
  appendStepSummary(results);
  assert.equal(readFileSync(file, 'utf8').length, 'of an earlier command\n'.length + 2 * (text.length + 1));
});
