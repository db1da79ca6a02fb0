// needs: strace, socat, ncat, python3
/** Rows of the survey of clients of UDP, run anew against the packages of this system: what programs/udp.tsv says of them is so. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { surveyDatagrams } from '../../src/experiment/survey-datagrams.js';
import { formatUdpSurvey, parseUdpSurvey } from '../../src/explain/udp-survey.js';
import { ROOT } from '../support/cli.js';

const TEXT = readFileSync(join(ROOT, 'programs/udp.tsv'), 'utf8');
const ROWS = parseUdpSurvey(TEXT);
const AGAIN = ['socat', 'ncat', 'py-socket'];
/** Of a slow machine; each run is over as soon as all but those that hold a port have ended. */
const SECONDS = 120;
const P = 8;

it('the survey is whole, and what a strategy allows is what was held', () => {
  assert.equal(formatUdpSurvey(ROWS), TEXT);
  assert.ok(new Set(ROWS.map(({ program }) => program)).size >= 15);
  for (const { program, strategy, held, failing } of ROWS) {
    const shares = /reuse/.test(strategy);
    const [one, two] = held;
    // Those that wait no longer had none any more.
    if (one > 0 && two > 0) assert.deepEqual(held, shares ? [11, 22] : [P, P], program);
    assert.equal(failing.length > 0, !shares, program);
  }
});

describe('clients of UDP, anew', { concurrency: 3 }, () => {
  for (const row of ROWS.filter(({ program }) => AGAIN.includes(program)))
    it(`${row.program}, ${row.option}`, async () => {
      const shares = row.failing.length === 0;
      const seen = await surveyDatagrams(row.command, shares ? {} : { held: P, seconds: SECONDS });
      assert.deepEqual(seen.strategies, [row.strategy], seen.tail.join('\n'));
      assert.deepEqual(seen.held, row.held, seen.tail.join('\n'));
      assert.deepEqual([...seen.failing].sort(), [...row.failing].sort());
    });
});
