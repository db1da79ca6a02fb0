import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { applyOf } from '../../src/report/apply.js';
import { loadPng } from '../../src/report/charts/png.js';
import { renderCsv } from '../../src/report/csv.js';
import { renderJunit } from '../../src/report/junit.js';
import { picturesOf } from '../../src/report/pictures.js';
import { renderMarkdown, renderSummary } from '../../src/report/render.js';
import { writeReports } from '../../src/report/write.js';
import { emptyResults, quickstartResults, realSizeResults } from '../support/results.js';

const pngOf = (path: string) => path.replace(/svg$/, 'png');

test('the reports land in a folder that may not exist yet, replace older ones, and leave nothing else', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'bindstorm-report-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const dir = join(root, 'new', 'results');
  const files = ['report.html', 'report.md', 'summary.md', 'junit.xml', 'seconds.csv'];
  assert.deepEqual(
    await writeReports(dir, emptyResults()),
    files.map((name) => join(dir, name)),
  );
  const results = quickstartResults();
  await writeReports(dir, results);
  assert.deepEqual((await readdir(dir)).sort(), ['apply', 'charts', ...files].sort());
  const pictures = picturesOf(results).map(({ path }) => path);
  assert.deepEqual(
    pictures.map((path) => path.replace('charts/', '')),
    'effect outcomes-before ports-before addresses-before outcomes-after ports-after addresses-after latency'
      .split(' ')
      .map((name) => `${name}.svg`),
  );
  const both = picturesOf(results).flatMap((picture) => [picture.path, pngOf(picture.path)]);
  assert.deepEqual((await readdir(join(dir, 'charts'))).sort(), both.map((path) => path.slice(7)).sort());
  for (const path of pictures) {
    const svg = await readFile(join(dir, path), 'utf8');
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    // Outside of the page there are no variables.
    assert.doesNotMatch(svg, /var\(--/);
    // A picture of twice the size (PNG, RFC 2083: signature, then IHDR with width and height).
    const png = await readFile(join(dir, pngOf(path)));
    const [, width, height] = /^<svg width="(\d+)" height="(\d+)"/.exec(svg)!.map(Number);
    assert.equal(png.subarray(1, 4).toString('latin1'), 'PNG');
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [2 * width!, 2 * height!]);
  }
  const apply = applyOf(results);
  for (const [name, content] of [
    ['report.md', renderMarkdown(results, 'png')],
    ['summary.md', renderSummary(results, apply)],
    ['junit.xml', renderJunit(results)],
    ['seconds.csv', renderCsv(results)],
  ] as const)
    assert.equal(await readFile(join(dir, name), 'utf8'), content);
  assert.match(await readFile(join(dir, 'report.html'), 'utf8'), /^<!doctype html>[\s\S]*<\/html>\n$/);
});

test('names that no XML can hold do not keep a picture from being drawn', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'bindstorm-report-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const results = quickstartResults();
  const names = [
    '\u0000\u001b[31m',
    '\ud800',
    '\uffff\ufffe',
    '</text><script>',
    `1234567890123456789${'\u{1F4A9}'}01`,
    '&#0;',
  ];
  const variants = results.variants.map((variant, i) => ({ ...variant, name: names[i - 1] ?? variant.name }));
  await writeReports(dir, { ...results, variants });
  const png = await readFile(join(dir, 'charts', 'effect.png'));
  assert.equal(png.subarray(1, 4).toString('latin1'), 'PNG');
});

test('text is drawn into a PNG with the font that comes along, whatever the machine has', async () => {
  const draw = (await loadPng())!;
  const svg = (text: string) =>
    `<svg xmlns="http://www.w3.org/2000/svg" width="200" height="20"><text y="15" style="font-family:system-ui,sans-serif">${text}</text></svg>`;
  const [empty, one, minus] = await Promise.all(['', '\u2212 1 \u00b5s', '1 \u00b5s'].map((text) => draw(svg(text))));
  assert.ok(one!.length > empty!.length + 100, `${one!.length} bytes with text, ${empty!.length} without`);
  assert.notDeepEqual(one, minus, 'the minus sign has a shape');
});

test('what there is to apply is written, and is gone when the results no longer support it', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'bindstorm-report-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const results = realSizeResults();
  const written = await writeReports(dir, results);
  const base = 'zz-bindstorm-wider-range.conf';
  const names = [base, `${base}.reserve`, `${base}.rollback`];
  const others = ['ansible.yml', 'compose.sysctls.yaml', 'docker-run.sh', 'kubernetes.yaml', 'tuned.conf'];
  const expected = [...others, ...names, 'zz-bindstorm-wider-range@.service'];
  assert.deepEqual((await readdir(join(dir, 'apply'))).sort(), expected);
  assert.deepEqual(
    written.filter((path) => path.includes('/apply/')).sort(),
    expected.map((name) => join(dir, 'apply', name)),
  );
  const apply = applyOf(results);
  assert.ok(apply.kind === 'files');
  assert.equal(await readFile(join(dir, 'apply', names[0]!), 'utf8'), apply.dropIn);
  assert.equal(await readFile(join(dir, 'apply', names[1]!), 'utf8'), apply.reserve?.content);
  assert.equal(await readFile(join(dir, 'apply', names[2]!), 'utf8'), apply.rollback);
  await writeReports(dir, emptyResults());
  assert.ok(!(await readdir(dir)).includes('apply'));
});

test('a place that cannot be replaced is an error, and nothing half-written stays behind', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'bindstorm-report-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'report.html', 'occupied'), { recursive: true });
  await assert.rejects(writeReports(dir, quickstartResults()), { syscall: 'rename' });
  assert.deepEqual(await readdir(dir), ['report.html']);
});
