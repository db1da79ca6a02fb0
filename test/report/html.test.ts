import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { renderHtml } from '../../src/report/render.js';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { hostileResults } from '../support/hostile.js';
import { type Element, parseMarkup } from '../support/markup.js';
import { emptyResults, partialResults, quickstartResults } from '../support/results.js';

let results: Results;
let page: string;
let elements: Element[];

before(async () => {
  results = quickstartResults();
  page = await renderHtml(results);
  elements = parseMarkup(page);
});

const withTag = (tag: string) => elements.filter((element) => element.tag === tag);

test('the fixtures are results as the schema defines them', () => {
  for (const fixture of [quickstartResults(), partialResults(), emptyResults(), hostileResults()]) {
    assert.deepEqual(resultsSchema.parse(fixture), fixture);
  }
});

test('equal results give equal pages', async () => {
  assert.equal(await renderHtml(quickstartResults()), page);
});

test('the page loads nothing and runs nothing', () => {
  const tags = new Set(elements.map(({ tag }) => tag));
  for (const tag of ['script', 'img', 'iframe', 'object', 'embed', 'image', 'use', 'base', 'form', 'video', 'audio']) {
    assert.ok(!tags.has(tag), `no <${tag}>`);
  }
  for (const { tag, attributes } of elements) {
    for (const [name, value] of attributes) {
      assert.doesNotMatch(name, /^on/i, `<${tag} ${name}>`);
      if (/^(?:src|href|xlink:href|action|srcset)$/.test(name))
        assert.match(value, /^(?:#[\w-]+|data:,)$/, `<${tag} ${name}="${value}">`);
    }
  }
  assert.doesNotMatch(page, /@import/);
  for (const [, target] of page.matchAll(/url\(([^)]*)\)/g)) assert.match(target!, /^#/);
  const policy = withTag('meta').find(({ attributes }) => attributes.get('http-equiv') === 'Content-Security-Policy');
  assert.match(policy!.attributes.get('content')!, /default-src 'none'/);
});

test('ids are unique, and every link and reference within the page has its target', () => {
  const ids = elements.flatMap(({ attributes }) => attributes.get('id') ?? []);
  assert.equal(new Set(ids).size, ids.length);
  const targets = [
    ...withTag('a').map(({ attributes }) => attributes.get('href')!.slice(1)),
    ...elements.flatMap(({ attributes }) => attributes.get('aria-labelledby')?.split(' ') ?? []),
    ...[...page.matchAll(/url\(#([^)]*)\)/g)].map(([, id]) => id!),
  ];
  assert.ok(targets.length > 12);
  for (const id of targets) assert.ok(ids.includes(id), `#${id} exists`);
});

test('the summary, every arm, its verdict and its reason are in the page', () => {
  assert.ok(page.includes(results.summary));
  for (const { name, verdict } of results.variants) {
    assert.ok(page.includes(`>${name}</th>`), name);
    if (verdict) assert.ok(page.includes(verdict.sentence), name);
  }
  assert.match(page, /<span class="badge no-difference"><span aria-hidden="true">=<\/span> no difference<\/span>/);
  assert.match(page, /95 % CI <span class="nowrap">−48\.0 to −47\.1<\/span>/);
});

test('the sysctls of a better variant are lines to copy, those of others are not', () => {
  assert.ok(
    page.includes('<pre tabindex="0">net.ipv4.ip_local_port_range = 1024 65535</pre>'),
    'at the scale of a machine',
  );
  assert.ok(page.includes('in the lab 100 ports of an address stood for the 28,232 of a machine'));
  assert.ok(!page.includes('<pre tabindex="0">net.ipv4.tcp_fin_timeout = 5</pre>'));
});

test('each arm has its charts, each metric a forest plot and each phase a percentile chart, all with a text and a table', () => {
  const charts = elements.filter(({ attributes }) => attributes.get('class') === 'chart');
  // Outcomes, ports and addresses of each arm; the goal and two guardrails; bind, connect and total.
  assert.equal(charts.length, results.variants.length * 3 + 3 + 3);
  assert.equal(
    withTag('details').filter(({ attributes }) => attributes.get('class') === 'numbers').length,
    charts.length,
  );
  for (const { attributes } of charts) {
    assert.equal(attributes.get('role'), 'img');
    assert.ok(attributes.get('aria-label')!.length > 20);
  }
  assert.ok(
    charts.some(({ attributes }) => attributes.get('aria-label')!.includes('baseline: 500 ok, 500 bind:EADDRINUSE')),
  );
  assert.equal(withTag('figcaption').length, charts.length);
  const svgs = withTag('svg').filter(({ attributes }) => attributes.get('viewBox') !== '0 0 28 12');
  assert.equal(svgs.length, charts.length);
  for (const { attributes } of svgs) {
    assert.match(attributes.get('viewBox')!, /^0 0 (?:360|430) /);
    assert.ok(!attributes.has('width'), 'the size comes from the page');
  }
});

test('charts take their colours from the page, so that they follow its colour scheme', () => {
  for (const { tag, attributes } of elements) {
    if (!['path', 'text', 'rect', 'polyline'].includes(tag)) continue;
    for (const name of ['fill', 'stroke']) {
      const value = attributes.get(name) ?? 'none';
      // The black of a clip path is never painted.
      if (value !== '#000') assert.match(value, /^(?:none|var\(--[\w-]+\))$/, `<${tag} ${name}="${value}">`);
    }
  }
});

test('a partial experiment says so, and names the runs that were not compared', async () => {
  const partial = await renderHtml(partialResults());
  parseMarkup(partial);
  assert.match(partial, /This report is partial: 32 of 56 runs were done/);
  assert.match(partial, /the agent ended with exit code 1<pre tabindex="0">Error: write EPIPE<\/pre>/);
  assert.match(partial, /generator-limited: the p99 of the start lag was 31 ms/);
  assert.doesNotMatch(page, /This report is partial/);
});

test('an experiment without a single run renders, with no chart and no number', async () => {
  const empty = await renderHtml(emptyResults());
  const found = parseMarkup(empty);
  assert.equal(found.filter(({ attributes }) => attributes.get('class') === 'chart').length, 0);
  assert.match(empty, /no run to show/);
  assert.doesNotMatch(empty, /NaN|Infinity|undefined|null/);
  assert.match(empty, /No variant was judged better than the baseline/);
});

test('no absent number shows as a word of JavaScript', async () => {
  for (const rendered of [page, await renderHtml(partialResults())]) {
    assert.doesNotMatch(rendered, /NaN|Infinity|undefined|\[object|>null</);
  }
});

test('hostile strings stay text wherever they stand', async () => {
  const hostile = await renderHtml(hostileResults());
  const expected = new Set(elements.map(({ tag }) => tag));
  for (const { tag, attributes } of parseMarkup(hostile)) {
    assert.ok(expected.has(tag), `<${tag}> comes from the report, not from a name`);
    for (const name of attributes.keys()) assert.doesNotMatch(name, /^on/i);
  }
  assert.ok(hostile.includes('&lt;script&gt;alert(1)&lt;/script&gt;'));
});

test('the page stays below 500 kB for 8 arms × 11 runs, and for ten minutes of load', async () => {
  assert.ok((await renderHtml(quickstartResults({ blocks: 10 }))).length < 500_000);
  assert.ok((await renderHtml(quickstartResults({ blocks: 2, seconds: 600 }))).length < 500_000);
});
