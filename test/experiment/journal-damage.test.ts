/** A journal that was changed after it was written is never believed: what is damaged is named and left out, or the whole is refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { readResults, writeResults } from '../../src/experiment/folder.js';
import { JOURNAL_FILE, JournalError, parseJournal, readJournal } from '../../src/experiment/journal.js';
import type { JournalEntry } from '../../src/experiment/journal-entry.js';
import type { SearchTry } from '../../src/results/search.js';
import { BEGIN, END, entryOf, fuzzFiles, joined, linesOf, RUNS, SEARCH_BEGIN, written } from '../support/fuzz/files.js';
import { quickstartResults } from '../support/results.js';
import { makeSecond } from '../support/runs.js';

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bindstorm-damage-'));
  path = join(dir, JOURNAL_FILE);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const write = (...entries: JournalEntry[]) => written(dir, ...entries);

describe('a journal that was damaged', () => {
  it('is refused, or says what was left out, as are other files: 500 of them', async () => {
    const { tried, failures, detail } = await fuzzFiles(500, 1, () => {});
    assert.deepEqual(failures, []);
    assert.equal(tried, 500, detail);
  });

  it('is resumed with new records, and is whole but for the line that was lost', () => {
    const lines = linesOf(write(BEGIN, ...RUNS.slice(0, 4).map(entryOf)));
    lines[2] = lines[2]!.replace('"ok":4', '"ok":9');
    writeFileSync(path, joined(lines));
    assert.match(
      readJournal(dir, 'run').damage.join(),
      /^.*:3: the line is not what was written .*; the line is left out$/,
    );
    const lost = RUNS[1]!;
    write({ type: 'resume', at: '2026-01-02T05:00:00.000Z' }, entryOf(lost), ...RUNS.slice(4).map(entryOf), END);
    const { runs, damage, ended } = readJournal(dir, 'run');
    assert.equal(damage.length, 1);
    assert.deepEqual(ended, END);
    assert.deepEqual(new Set(runs), new Set(RUNS));
    assert.equal(readResults(dir).experiment.status, 'complete');
  });

  it('is not passed over for results.json, which may be older', () => {
    writeResults(dir, quickstartResults({ blocks: 1, seconds: 1 }));
    for (const text of ['', 'garbage\n', '\0'.repeat(4096)]) {
      writeFileSync(path, text);
      assert.throws(() => readResults(dir), { name: 'JournalError', message: /journal\.ndjson/ }, JSON.stringify(text));
    }
  });
});

describe('a record that cannot be of this journal, whether or not it has a checksum', () => {
  const plain = (...entries: unknown[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const told = (...entries: JournalEntry[]) => {
    rmSync(path, { force: true });
    const sealed = parseJournal(write(BEGIN, ...entries).toString(), 'j', 'run');
    const old = parseJournal(plain(BEGIN, ...entries), 'j', 'run');
    assert.deepEqual(old, sealed);
    return [sealed.runs.length, sealed.damage.join()] as const;
  };
  const first = RUNS[0]!;

  it('has counts that do not add up', () => {
    const [kept, damage] = told(entryOf({ ...first, attempts: 60, outcomes: { ok: 999 } }));
    assert.equal(kept, 0);
    assert.equal(damage, `j:2: run ${first.id}: attempts are 60, and the outcomes add up to 999; the line is left out`);
    const second = makeSecond({ t: 1, attempts: 3, outcomes: { ok: 4 } });
    assert.match(
      told(entryOf({ ...first, timeline: [second] }))[1],
      /attempts at 1 s are 3, and the outcomes add up to 4/,
    );
    const wave = { attempts: 3, outcomes: { ok: 3 }, firstFailureAt: null };
    assert.match(told(entryOf({ ...first, waves: [wave] }))[1], /those of the waves add up to 3/);
  });

  it('has a negative count or a part of one', () => {
    for (const ok of [-5, 1.5]) {
      const text = plain(BEGIN, entryOf({ ...first, attempts: ok, outcomes: { ok } }));
      assert.throws(() => parseJournal(text, 'j', 'run'), {
        name: 'JournalError',
        message: /^j:2: .*run\.attempts/,
      });
    }
  });

  it('is of an arm or a block that the experiment has not', () => {
    assert.match(told(entryOf({ ...first, id: 'b00-x', variant: 'x' }))[1], /the experiment has no run b00-x/);
    assert.match(told(entryOf({ ...first, variant: 'x' }))[1], /has variant x, and is of variant/);
    assert.match(told(entryOf({ ...first, warmup: !first.warmup }))[1], /has warmup/);
  });

  it('is of a run that was finished before', () => {
    const [kept, damage] = told(entryOf(first), entryOf({ ...first, outcomes: { ok: first.attempts } }));
    assert.equal(kept, 1);
    assert.match(damage, /^j:3: run .* is here a second time \(ok\)/);
    assert.equal(told(entryOf({ ...first, status: 'interrupted' }), entryOf(first))[1], '');
    assert.match(told(BEGIN)[1], /begins a second time/);
  });
});

describe('a search', () => {
  const begin = SEARCH_BEGIN;
  const step = (id: string, given: Partial<SearchTry> = {}): JournalEntry => ({
    type: 'step',
    arm: 'baseline',
    step: {
      ...{ id, rate: 10, notHeld: null, failures: 0, how: 'in full', seconds: 1, outcomes: { ok: 10 }, p99: null },
      ...{ discarded: false, ...given },
    },
  });

  it('with a damaged step is refused, since what came after follows from it, with how to resume before it', () => {
    const lines = linesOf(write(begin, step('s0'), step('s1'), step('s2')));
    lines[2] = lines[2]!.replace('"rate":10', '"rate":19');
    writeFileSync(path, joined(lines));
    assert.throws(() => readJournal(dir, 'search'), {
      name: 'JournalError',
      message: /journal\.ndjson:3: the line is not what was written .*head -n 2 .*journal\.ndjson/,
    });
    writeFileSync(path, joined(lines.slice(0, 2)));
    assert.equal(readJournal(dir, 'search').steps.get('baseline')?.length, 1);
  });

  it('has no step of an arm that is not there, twice, or whose share is not that of its outcomes', () => {
    const refused = (...entries: JournalEntry[]) => {
      rmSync(path, { force: true });
      const text = write(begin, ...entries).toString();
      try {
        parseJournal(text, 'j', 'search');
      } catch (error) {
        assert.ok(error instanceof JournalError);
        return error.message;
      }
      return '';
    };
    assert.equal(refused(step('s0'), step('s1', { outcomes: { ok: 5, 'bind:EADDRINUSE': 5 }, failures: 0.5 })), '');
    assert.match(refused(step('s0'), step('s0')), /step s0 is here a second time/);
    assert.match(refused(step('s0', { failures: 0.5 })), /failures are 0\.5, and by its outcomes 0/);
    assert.match(refused({ ...step('s0'), arm: 'x' } as JournalEntry), /the experiment has no arm x/);
  });
});
