// needs: squid
/**
 * The second wall of a real proxy: Squid with a range that is large enough for the first one, driven until nothing is left of it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHtml, renderMarkdown } from '../../src/report/render.js';
import { limitRows } from '../../src/report/rows/limits.js';
import type { Results, Run } from '../../src/results/schema.js';
import { labArm, measure } from '../support/lab.js';
import { SQUID } from '../support/proxies.js';
import { quickstartResults } from '../support/results.js';

const PORTS = 2400;

test('the hard wall is where every port is in use, and the report says so beside what was expected', async () => {
  const arm = {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40_000 + PORTS - 1}` },
      load: {
        protocol: 'connect',
        drain: true,
        timeoutMs: 60_000,
        lagBudgetMs: 60_000,
        arrival: { shape: 'constant', rate: 1000, durationMs: PORTS + 400 },
      },
    }),
    proxy: SQUID,
  };
  const measured = await measure(arm, { sampleMs: 100 });
  assert.ok((measured.outcomes['http:503 ERR_CONNECT_FAIL'] ?? 0) > 0, JSON.stringify(measured.outcomes));
  const [row] = limitRows(resultsWith(measured));
  // A connection of which the origin was the first to close leaves no TIME_WAIT; and the list of sockets is read while they change.
  const found = row?.hard.measured ?? 0;
  assert.ok(found > PORTS - 50 && found <= PORTS, `first failure at ${found} ports in use`);
  assert.equal(row?.hard.expected, PORTS);
  const number = found.toLocaleString('en-US');
  assert.ok(renderMarkdown(resultsWith(measured)).includes(` ${number} | 2,400 |`));
  assert.match(await renderHtml(resultsWith(measured)), new RegExp(`${number}</td><td class="number">2,400</td>`));
});

/** The quickstart's results with a measured run in the place of its baseline's. */
function resultsWith(measured: Awaited<ReturnType<typeof measure>>): Results {
  const all = quickstartResults();
  const [baseline, ...others] = all.variants;
  const { interrupted: _, loadMs: __, histograms: ___, ...figures } = measured;
  const run: Run = { ...baseline!.runs.at(-1)!, ...figures, valid: true };
  const slowWall = { tuples: PORTS / 2, rate: 20, walked: PORTS / 2, why: 'half of the ports' };
  const prediction = { ...baseline!.prediction, concurrent: PORTS, slowWall };
  return { ...all, variants: [{ ...baseline!, proxy: SQUID, runs: [run], prediction }, ...others] };
}
