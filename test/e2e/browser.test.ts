// needs: chromium
/**
 * The report and the live page in a real browser, as people open them.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { makeJournal } from '../../bench/report-data.js';
import type { FixReport } from '../../src/analysis/fixes.js';
import { conclude } from '../../src/experiment/conclude.js';
import { renderFixesHtml } from '../../src/report/fixes.js';
import { renderHtml } from '../../src/report/render.js';
import type { Results } from '../../src/results/schema.js';
import {
  axeFaults,
  labelFaults,
  layoutFaults,
  print,
  screenshot,
  startBrowser,
  visit,
  WIDTHS,
  wideTables,
} from '../support/browser.js';
import { ROOT, startCli, until } from '../support/cli.js';
import { hostileResults } from '../support/hostile.js';
import { kernelResults } from '../support/kernels.js';
import { emptyResults, partialResults, quickstartResults } from '../support/results.js';
import { tinyProfile } from '../support/tiny.js';

let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));

before(async () => {
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function pageOf(name: string, results: Results): Promise<string> {
  const path = join(folder, `${name}.html`);
  writeFileSync(path, await renderHtml(results));
  return pathToFileURL(path).href;
}

const REPORTS: Readonly<Record<string, () => Results>> = {
  small: quickstartResults,
  large: () => conclude(makeJournal({ variants: 12, repeat: 6, seconds: 30, addresses: 50 })),
  partial: partialResults,
  failed: emptyResults,
  hostile: hostileResults,
  kernels: () => kernelResults(),
};
/** Results without a single run have nothing to draw. */
const WITHOUT_CHARTS = new Set(['failed']);
/** Their runs have no seconds, so there are effects and verdicts alone. */
const FEW_CHARTS = new Set(['kernels']);

for (const [name, results] of Object.entries(REPORTS)) {
  test(`the ${name} report: quiet, self-contained, and whole at three widths and in print`, async () => {
    const url = await pageOf(name, results());
    const { page, complaints } = await visit(browser, url, { colorScheme: name === 'partial' ? 'dark' : 'light' });
    const charts = await page.locator('.chart[role=img] svg').count();
    if (WITHOUT_CHARTS.has(name)) assert.equal(charts, 0);
    else assert.ok(charts > (FEW_CHARTS.has(name) ? 3 : 20), `${charts} charts`);
    assert.equal(await page.locator('details.numbers').count(), charts, 'each chart has its numbers');
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      assert.deepEqual(await layoutFaults(page), [], `at ${width} pixels`);
      // Names of a hundred characters make any table wide.
      if (width >= 1280 && name !== 'hostile') assert.deepEqual(await wideTables(page), []);
      await screenshot(page, `${name}-${width}`);
    }
    assert.deepEqual(await labelFaults(page), []);
    assert.deepEqual(await axeFaults(page), []);
    const pdf = await print(page, name);
    assert.equal(pdf.subarray(0, 5).toString(), '%PDF-');
    assert.deepEqual(complaints, []);
    await page.context().close();
  });
}

test('the table of fixes: whole at the width of a desk, and each link is called what is seen of it', async () => {
  const report = JSON.parse(readFileSync(join(ROOT, 'reports/examples/fixes/fixes.json'), 'utf8')) as FixReport;
  const path = join(folder, 'fixes.html');
  writeFileSync(path, renderFixesHtml(report));
  const { page, complaints } = await visit(browser, pathToFileURL(path).href, {
    viewport: { width: 1280, height: 900 },
  });
  assert.ok((await page.locator('td a').count()) > 100);
  assert.deepEqual(await layoutFaults(page), []);
  assert.deepEqual(await labelFaults(page), []);
  assert.deepEqual(await axeFaults(page), []);
  const name = (row: number) => page.locator('tbody tr').nth(row).locator('td a').first().textContent();
  assert.deepEqual([await name(0), await name(1)], ['40+0, without any fix', 'all, works without limit']);
  await screenshot(page, 'fixes-1280');
  await print(page, 'fixes');
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('pages have a margin in print', async () => {
  const { page } = await visit(browser, await pageOf('print', quickstartResults()));
  const margins = await page.evaluate(
    `[...document.styleSheets].flatMap(({ cssRules }) => [...cssRules]).filter((rule) => rule instanceof CSSPageRule).map(({ style }) => style.margin)`,
  );
  assert.deepEqual(margins, ['14mm 12mm']);
  await page.context().close();
});

test('the report follows the colour scheme of its reader, and is light on paper', async () => {
  const { page } = await visit(browser, await pageOf('scheme', quickstartResults()), { colorScheme: 'dark' });
  const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor');
  const dark = await ground();
  await page.emulateMedia({ media: 'print' });
  const printed = await ground();
  await page.emulateMedia({ media: 'screen', colorScheme: 'light' });
  assert.notEqual(await ground(), dark);
  assert.equal(printed, await ground());
  await page.context().close();
});

test('the numbers behind a chart open by keyboard, and every link leads to its section', async () => {
  const { page } = await visit(browser, await pageOf('keyboard', quickstartResults()));
  const numbers = page.locator('details.numbers').first();
  await numbers.locator('summary').focus();
  await page.keyboard.press('Enter');
  assert.ok(await numbers.locator('table').isVisible());
  assert.match((await numbers.textContent()) ?? '', /wider-range/);
  const links = await page.locator('nav a').count();
  for (let i = 0; i < links; i++) {
    await page.locator('nav a').nth(i).focus();
    await page.keyboard.press('Enter');
    const target = new URL(page.url()).hash;
    assert.ok(await page.locator(`section${target}`).isVisible(), target);
  }
  await page.context().close();
});

test('a live page moves during a run, is as quiet, and ends as the report', async () => {
  writeFileSync(join(folder, 'tiny.yaml'), tinyProfile({ loadMs: 1000 }));
  const cli = startCli(['run', 'tiny.yaml', '--out', 'live', '--live'], { cwd: folder });
  const url = await until('the address of the page', () => /^live: (http:\S+)$/m.exec(cli.stderr())?.[1]);
  const { page, complaints } = await visit(browser, url, { viewport: { width: 1280, height: 900 } });
  // A flat line has no height, so it is there without being visible.
  const drawn = (chart: string) => page.locator(`${chart} path`).first().waitFor({ state: 'attached' });
  for (const chart of ['#outcomes', '#ports', '#heat']) await drawn(chart);
  assert.match((await page.locator('#counts').textContent()) ?? '', /^\d of 6 runs done$/);
  // After the first run there is a curve and a row with outcomes.
  await drawn('#latency');
  await page.locator('#arms td', { hasText: / ok/ }).first().waitFor();
  assert.equal(await page.locator('#arms tr').count(), 3);
  assert.match((await page.locator('#experiment').textContent()) ?? '', /^tiny$/);
  for (const tile of ['#rate', '#ok', '#failed', '#fullest'])
    assert.match((await page.locator(tile).textContent()) ?? '', /^[\d,.]+(?: %| of \d+ ports)?$/, tile);
  assert.deepEqual(await labelFaults(page), []);
  // After the first block there is an effect, in a chart and in the table, and it is said to be no verdict.
  await drawn('#effect');
  await page
    .locator('#effect-words', {
      hasText:
        /^By \d blocks? so far; .* The arms are judged after 2 pairs, and one that is decided gets no more runs\./,
    })
    .waitFor();
  await page
    .locator('#arms td', { hasText: /points \(.*\), \d pairs?$/ })
    .first()
    .waitFor();
  // Every curve has its name, each with a look of its own.
  await page.locator('#arm-keys li').nth(2).waitFor();
  const looks = await page.locator('#arm-keys path').evaluateAll((paths) => paths.map((path) => path.outerHTML));
  assert.equal(new Set(looks).size, 3);
  const metrics = await (await fetch(`${url}metrics`)).text();
  assert.match(metrics, /^bindstorm_run_planned_runs 6$/m);
  assert.match(metrics, /^bindstorm_run_attempts_total\{variant="[\w-]+",outcome="ok"\} \d+$/m);
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await page.waitForTimeout(300);
    await screenshot(page, `live-${width}`);
  }
  await page.waitForURL('**/report', { timeout: 60_000 });
  await page.locator('#reproduce').waitFor();
  assert.match(await page.title(), /^tiny: bindstorm report$/);
  assert.ok((await page.locator('.chart[role=img] svg').count()) > 5);
  const { code, stderr } = await cli.ended;
  assert.equal(code, 0, stderr);
  // The server is gone, the page is not.
  assert.match(
    (await page.locator('header .note').last().textContent()) ?? '',
    /The experiment is over.* live\/tiny-.*\/report\.html$/,
  );
  assert.ok(await page.locator('#variants').isVisible());
  assert.deepEqual(complaints, []);
  await page.context().close();
});

test('a live page whose run was killed keeps what it showed last, and says so', async () => {
  writeFileSync(join(folder, 'tiny3.yaml'), tinyProfile({ loadMs: 1000 }));
  const cli = startCli(['run', 'tiny3.yaml', '--out', 'live', '--live'], { cwd: folder });
  const url = await until('the address of the page', () => /^live: (http:\S+)$/m.exec(cli.stderr())?.[1]);
  const { page } = await visit(browser, url);
  await page.locator('#arms td', { hasText: / ok/ }).first().waitFor();
  cli.kill('SIGKILL');
  await page.locator('#phase', { hasText: /^No connection to bindstorm/ }).waitFor();
  assert.ok((await page.locator('#arms td', { hasText: / ok/ }).count()) > 0);
  assert.match((await page.locator('#rate').textContent()) ?? '', /^[\d,]+$/);
  await page.context().close();
});

test('the live page is for this machine only: names of others are refused, and files beside the page are not served', async () => {
  writeFileSync(join(folder, 'tiny2.yaml'), tinyProfile({ loadMs: 500, repeat: 1 }));
  const cli = startCli(['run', 'tiny2.yaml', '--out', 'live', '--live', '--force'], { cwd: folder });
  const url = await until('the address of the page', () => /^live: (http:\S+)$/m.exec(cli.stderr())?.[1]);
  const port = new URL(url).port;
  const status = (path: string, host: string) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.once('error', reject);
      asked.end();
    });
  assert.equal(await status('/', `localhost:${port}`), 200);
  assert.equal(await status('/', `evil.example:${port}`), 403);
  for (const path of ['/../package.json', '/%2e%2e/cli/main.js', '/live/client.js', '/x'])
    assert.equal(await status(path, `127.0.0.1:${port}`), 404, path);
  assert.equal(await status('/report', `127.0.0.1:${port}`), 503);
  await cli.ended;
});
