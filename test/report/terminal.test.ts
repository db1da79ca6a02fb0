import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { renderTerminal } from '../../src/report/render.js';
import { HOSTILE, hostileResults } from '../support/hostile.js';
import { emptyResults, partialResults, quickstartResults } from '../support/results.js';

const ESCAPE = '\u001b';

for (const [name, results] of Object.entries({
  complete: quickstartResults(),
  partial: partialResults(),
  empty: emptyResults(),
  hostile: hostileResults(),
})) {
  test(`${name}: lines fit the width from 60 to 120 columns`, () => {
    for (let width = 60; width <= 130; width++) {
      const text = renderTerminal(results, { colour: false, width });
      assert.ok(text.endsWith('\n'));
      assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u);
      for (const line of text.split('\n')) assert.ok(line.length <= Math.min(120, width), `${width}: ${line}`);
    }
  });

  test(`${name}: colour adds escape sequences and nothing else`, () => {
    const plain = renderTerminal(results, { colour: false, width: 100 });
    const coloured = renderTerminal(results, { colour: true, width: 100 });
    assert.ok(coloured.includes(ESCAPE) && !plain.includes(ESCAPE));
    assert.equal(stripVTControlCharacters(coloured), plain);
  });
}

test('it is the verdict, the table and the warnings, and reads without colour', () => {
  const text = renderTerminal(quickstartResults(), { colour: false, width: 120 });
  const lines = text.split('\n');
  assert.match(lines[0]!, /^Half of all connections failed with EADDRINUSE/);
  const row = (name: string) => lines.find((line) => line.startsWith(`${name} `))!;
  assert.match(row('baseline'), /50\.0 % +– +–$/);
  assert.match(
    row('wider-range'),
    /net\.ipv4\.ip_local_port_range = 40000 40999 +50\.0 % → 0 % +−50\.0 points +✓ better$/,
  );
  assert.match(row('tw-reuse-1'), /50\.0 % → 50\.0 % +0 points += no difference$/);
  assert.match(
    text.replaceAll(/\s+/g, ' '),
    /not to be pasted: in the lab 100 ports of an address stood for the 28,232 of a machine/,
  );
  assert.match(text, /! threshold failed: autobind-reuse, latency\.total\.p99 is 6\.1 ms; the limit is at most 5ms\n/);
  assert.ok(
    text.endsWith('! The lab shares 4 cores with the load: compare times between arms, not with other machines.\n'),
  );
});

test('columns are aligned', () => {
  for (const width of [80, 120]) {
    const lines = renderTerminal(quickstartResults(), { colour: false, width }).split('\n');
    const rows = lines.filter((line) => / (?:✓|=) /.test(line) && /points/.test(line));
    assert.equal(rows.length, 7);
    for (const mark of ['points', '→']) {
      const ends = new Set(
        rows.map((line) => (mark === 'points' ? line.indexOf(mark) : line.indexOf(' % ', line.indexOf(mark)))),
      );
      assert.equal(ends.size, 1, `${mark} at ${[...ends]}`);
    }
  }
});

test('at 80 columns the changes stand below their variant', () => {
  const text = renderTerminal(quickstartResults(), { colour: false, width: 80 });
  assert.match(text, /^no-port-tw-reuse .*\n {2}load\.strategy = bind-no-port, net\.ipv4\.tcp_tw_reuse = 1$/m);
});

test('a description cannot move the cursor', () => {
  const results = quickstartResults();
  results.summary = HOSTILE;
  assert.ok(!renderTerminal(results, { colour: false, width: 80 }).includes(ESCAPE));
});
