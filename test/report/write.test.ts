import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { renderMarkdown } from '../../src/report/markdown.js';
import { writeReports } from '../../src/report/write.js';
import { emptyResults, quickstartResults } from '../support/results.js';

test('the reports land in a folder that may not exist yet, replace older ones, and leave nothing else', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'bindstorm-report-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const dir = join(root, 'new', 'results');
  assert.deepEqual(await writeReports(dir, emptyResults()), [join(dir, 'report.html'), join(dir, 'report.md')]);
  const results = quickstartResults();
  await writeReports(dir, results);
  assert.deepEqual((await readdir(dir)).sort(), ['report.html', 'report.md']);
  assert.equal(await readFile(join(dir, 'report.md'), 'utf8'), renderMarkdown(results));
  assert.match(await readFile(join(dir, 'report.html'), 'utf8'), /^<!doctype html>[\s\S]*<\/html>\n$/);
});

test('a place that cannot be replaced is an error, and nothing half-written stays behind', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'bindstorm-report-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'report.html', 'occupied'), { recursive: true });
  await assert.rejects(writeReports(dir, quickstartResults()), { syscall: 'rename' });
  assert.deepEqual(await readdir(dir), ['report.html']);
});
