// needs: chromium
/**
 * The live page in a real browser, in each of its states: no run yet, a run in progress, an arm that was stopped, all over. The events are made
 * up, so that every state stays as long as it is looked at; browser.test.ts has the page of a real run.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { planRuns } from '../../src/experiment/order.js';
import { type LiveServer, openLive } from '../../src/report/live/server.js';
import { renderHtml } from '../../src/report/render.js';
import { axeFaults, labelFaults, layoutFaults, startBrowser, visit, WIDTHS } from '../support/browser.js';
import { quickstartResults } from '../support/results.js';
import { makeExperiment, makeRun, makeSecond } from '../support/runs.js';

let browser: Browser;
const folder = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));

before(async () => {
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

const VARIANTS = ['wider-range', 'a-variant-whose-name-takes-more-room-than-a-phone-has'] as const;
const EXPERIMENT = {
  ...makeExperiment({ variants: VARIANTS, repeat: 3 }),
  description: 'Two addresses with twenty ports each, and a sentence that is long enough to be broken on every screen',
  looks: [2, 3],
};
const PLANNED = planRuns(EXPERIMENT);
const BLOCK = EXPERIMENT.arms.length;

/** Events of an experiment, until it is in a state. */
function playing(live: LiveServer) {
  let done = 0;
  const total = PLANNED.length;
  const start = (planned: (typeof PLANNED)[number]) => live.onEvent({ type: 'run-start', planned, done, total });
  const sample = (planned: (typeof PLANNED)[number], t: number) => {
    const ok = planned.variant === 'baseline' ? 20 : 50;
    const second = makeSecond({
      t,
      attempts: 50,
      outcomes: { ok, 'bind:EADDRINUSE': 50 - ok },
      portsInUse: ok * 2 * t,
      portsPerAddress: [ok * t, (ok - 3) * t],
    });
    live.onEvent({ type: 'sample', planned, second });
  };
  return {
    begin: () =>
      live.begin({
        experiment: EXPERIMENT,
        planned: PLANNED,
        finished: new Set(),
        runs: [],
        wallsOf: () => ({ slow: 50, hard: 100 }),
        deterministic: () => false,
        now: () => performance.now(),
      }),
    /** One run in its middle. */
    begun(i: number) {
      start(PLANNED[i]!);
      for (const t of [0.5, 1]) sample(PLANNED[i]!, t);
    },
    blocks(count: number) {
      for (const planned of PLANNED.slice(done, count * BLOCK)) {
        start(planned);
        for (const t of [0.5, 1]) sample(planned, t);
        const ok = planned.variant === 'baseline' ? 40 + planned.block : 100;
        const { variant, block, warmup, order, id } = planned;
        const made = makeRun({ variant, block, warmup, order, outcomes: { ok, 'bind:EADDRINUSE': 100 - ok } });
        done++;
        live.onEvent({ type: 'run-end', run: { ...made, id }, done, total });
      }
    },
    look: () =>
      live.onEvent({ type: 'look', pairs: 2, stopped: new Map([['wider-range', 'everything is settled']]), total }),
  };
}

/** What a reader would stumble over, at each width; with what state it was. */
async function faultsOf(page: Page, state: string): Promise<string[]> {
  const found: string[] = [];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    // Charts are drawn again in the frame after next.
    await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))');
    const faults = [...(await layoutFaults(page)), ...(await labelFaults(page)), ...(await axeFaults(page))];
    found.push(...faults.map((fault) => `${state}, ${width}: ${fault}`));
  }
  return found;
}

for (const colorScheme of ['light', 'dark'] as const)
  test(`the live page has no fault of access or layout in any of its states (${colorScheme})`, async () => {
    const live = await openLive(0);
    const play = playing(live);
    try {
      const { page, complaints } = await visit(browser, live.url, { colorScheme });
      const faults = await faultsOf(page, 'before the first run');
      play.begin();
      play.begun(0);
      await page.locator('#outcomes path').first().waitFor({ state: 'attached' });
      faults.push(...(await faultsOf(page, 'in the first run')));
      play.blocks(2);
      play.look();
      play.begun(2 * BLOCK);
      await page.locator('#effect path').first().waitFor({ state: 'attached' });
      await page.locator('#arms td', { hasText: /, decided after 2 pairs$/ }).waitFor();
      assert.equal(await page.locator('#arms tr').count(), BLOCK);
      faults.push(...(await faultsOf(page, 'after a look')));
      const report = join(folder, `${colorScheme}.html`);
      writeFileSync(report, await renderHtml(quickstartResults()));
      await live.end(report);
      await page.locator('#reproduce').waitFor();
      faults.push(...(await faultsOf(page, 'as the report')));
      assert.deepEqual(faults, []);
      assert.deepEqual(complaints, []);
      await page.context().close();
    } finally {
      live.close();
    }
  });

test('a live page that has lost its run has no fault either', async () => {
  const live = await openLive(0);
  const play = playing(live);
  play.begin();
  play.blocks(1);
  const { page } = await visit(browser, live.url);
  await page.locator('#arms tr').first().waitFor();
  live.close();
  await page.locator('#phase', { hasText: /^No connection to bindstorm/ }).waitFor();
  assert.deepEqual(await faultsOf(page, 'without a connection'), []);
  await page.context().close();
});
