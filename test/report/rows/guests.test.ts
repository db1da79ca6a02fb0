import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderHtml, renderTerminal } from '../../../src/report/render.js';
import { bootNotice, guestNotice } from '../../../src/report/rows/guests.js';
import type { Results } from '../../../src/results/schema.js';
import { quickstartResults } from '../../support/results.js';

const HOW =
  'medians. A guest serves one run after the other, each in a fresh network namespace; one that sets what is the whole kernel’s has a guest of its own.';
const LAB = 'virtual machine: User-Mode Linux, kernel bookworm (counts and errnos are exact)';

/** The runs of the example, in guests. @param kernels run i was on kernel i */
function inGuests(kernels?: readonly string[]): Results {
  const results = quickstartResults();
  const times = [
    { boot: 1500, setup: 2500 },
    // In the guest of the run before.
    { setup: 600 },
    { boot: 1700, setup: 2700 },
  ];
  const runs = results.variants[0]!.runs.slice(0, 3).map((run, i) => ({
    ...run,
    ...(kernels ? { kernel: kernels[i]! } : {}),
    durationMs: { ...run.durationMs, ...times[i]! },
  }));
  const guest = { engine: 'uml', kernel: 'bookworm' } as const;
  return {
    ...results,
    experiment: {
      ...results.experiment,
      lab: 'vm',
      ...(kernels ? { kernels: [...new Set(kernels)].map((name) => ({ name, guest })) } : { guest }),
    },
    environment: { ...results.environment, lab: LAB },
    variants: [{ ...results.variants[0]!, runs }],
  };
}

test('what ran the guests, and the share of their boot, are in the summary and in the report', async () => {
  const results = inGuests();
  assert.equal(guestNotice(results), `Lab: ${LAB}.`);
  assert.equal(bootNotice(results), `Until its load began, a run took 2.5 s (2 boots of 1.6 s); ${HOW}`);
  for (const text of [renderTerminal(results, { colour: false, width: 100 }), await renderHtml(results)]) {
    assert.match(text.replaceAll(/\s+/g, ' '), /User-Mode Linux, kernel bookworm/);
    assert.match(text.replaceAll(/\s+/g, ' '), /a run took 2\.5 s \(2 boots of 1\.6 s\); medians/);
  }
});

test('each kernel has its own', () => {
  const results = inGuests(['bookworm', 'bookworm', 'trixie']);
  assert.equal(
    bootNotice(results),
    `Until its load began, a run took 1.55 s on bookworm (1 boot of 1.5 s), 2.7 s on trixie (1 boot of 1.7 s); ${HOW}`,
  );
});

test('without guests there is nothing to say', () => {
  assert.deepEqual([guestNotice(quickstartResults()), bootNotice(quickstartResults())], [null, null]);
});
