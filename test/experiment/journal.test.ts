import assert from 'node:assert/strict';
import fs, { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { JOURNAL_FILE, JournalError, openJournal, parseJournal, readJournal } from '../../src/experiment/journal.js';
import type { BeginOf, JournalEntry } from '../../src/experiment/journal-entry.js';
import { sealRecord } from '../../src/experiment/journal-record.js';
import { SCHEMA_VERSION } from '../../src/results/schema.js';
import { makeEnvironment, makeExperiment, makeRun } from '../support/runs.js';

const BEGIN: BeginOf<'run'> = {
  type: 'begin',
  kind: 'run',
  schemaVersion: SCHEMA_VERSION,
  startedAt: '2026-01-02T03:04:05.000Z',
  command: 'bindstorm run example',
  profile: 'name: example\ndescription: with a line break, and €\n',
  experiment: makeExperiment(),
  environment: makeEnvironment(),
};
const RUNS = [0, 1, 2].map((block) => makeRun({ block }));
const entryOf = (run = RUNS[0]!): JournalEntry => ({ type: 'run', run });
const END: JournalEntry = { type: 'end', at: '2026-01-02T04:00:00.000Z', status: 'partial' };
const RESUME: JournalEntry = { type: 'resume', at: '2026-01-02T05:00:00.000Z' };
const sealed = (...entries: JournalEntry[]) => entries.map((entry, i) => `${sealRecord(entry, i + 1)}\n`).join('');
/** As versions without checksums wrote them. */
const textOf = (...entries: unknown[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bindstorm-journal-'));
  path = join(dir, JOURNAL_FILE);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function write(...entries: JournalEntry[]): void {
  const journal = openJournal(dir);
  for (const entry of entries) journal.append(entry);
  journal.close();
}

const EXTEND: JournalEntry = { type: 'extend', at: '2026-01-02T05:00:00.000Z', repeat: 8 };

describe('a journal that was extended', () => {
  const later = makeRun({ block: 6 });

  it('has more pairs, and remembers how many it had', () => {
    write(BEGIN, ...RUNS.map(entryOf), { ...END, status: 'complete' }, EXTEND, entryOf(later));
    const { begin, runs, ended, damage } = readJournal(dir, 'run');
    assert.deepEqual([begin.experiment.repeat, begin.experiment.extendedFrom], [8, [6]]);
    assert.deepEqual([runs.at(-1)?.id, ended, damage], [later.id, null, []]);
  });

  it('does not believe runs that came before it, or fewer pairs than there were', () => {
    write(BEGIN, entryOf(later), EXTEND, { ...EXTEND, repeat: 8 });
    const { runs, begin, damage } = readJournal(dir, 'run');
    assert.deepEqual([runs, begin.experiment.repeat], [[], 8]);
    assert.match(damage[0]!, /the experiment has no run b06-baseline/);
    assert.match(damage[1]!, /it is extended to 8 pairs here, and had 8/);
  });
});

describe('a journal', () => {
  it('gives back what was written', () => {
    write(BEGIN, entryOf(RUNS[0]), entryOf(RUNS[1]), END);
    assert.deepEqual(readJournal(dir, 'run'), {
      begin: BEGIN,
      runs: [RUNS[0], RUNS[1]],
      observed: [],
      steps: new Map(),
      ended: END,
      damage: [],
    });
  });

  it('is on the disk entry by entry: each is synced whole before append() returns', (t) => {
    const synced: string[] = [];
    t.mock.method(fs, 'fsyncSync', (fd: number) => {
      synced.push(readFileSync(`/proc/self/fd/${fd}`, 'utf8'));
    });
    syncBuiltinESMExports();
    t.after(() => {
      t.mock.restoreAll();
      syncBuiltinESMExports();
    });
    const journal = openJournal(dir);
    journal.append(BEGIN);
    assert.deepEqual(synced, [sealed(BEGIN)]);
    journal.append(entryOf());
    assert.deepEqual(synced, [sealed(BEGIN), sealed(BEGIN, entryOf())]);
    journal.close();
  });

  it('is appended to when it is opened again', () => {
    write(BEGIN, entryOf(RUNS[0]));
    write(RESUME, entryOf(RUNS[1]));
    assert.deepEqual(
      readJournal(dir, 'run').runs.map(({ id }) => id),
      [RUNS[0]!.id, RUNS[1]!.id],
    );
  });

  it('the newest result of a run counts, and stands where it was written', () => {
    const again = makeRun({ block: 0, outcomes: { ok: 7 } });
    write(BEGIN, entryOf(makeRun({ block: 0, status: 'interrupted' })), entryOf(RUNS[1]), END, RESUME, entryOf(again));
    assert.deepEqual(readJournal(dir, 'run').runs, [RUNS[1], again]);
  });

  it('has ended with its last end, unless it was resumed after it', () => {
    const complete: JournalEntry = { type: 'end', at: 'later', status: 'complete' };
    const ended = (...entries: JournalEntry[]) => parseJournal(textOf(BEGIN, ...entries), path, 'run').ended;
    assert.equal(ended(entryOf()), null);
    assert.deepEqual(ended(END), END);
    assert.equal(ended(END, RESUME, entryOf()), null);
    assert.deepEqual(ended(END, RESUME, complete), complete);
  });
});

describe('a journal after a crash', () => {
  it('is read up to the half line at its end, wherever that was cut', () => {
    const whole = textOf(BEGIN, entryOf(RUNS[0]));
    const last = textOf(entryOf(RUNS[1]));
    for (const cut of [1, 2, 17, last.length - 2, last.length - 1]) {
      assert.deepEqual(parseJournal(whole + last.slice(0, cut), path, 'run').runs, [RUNS[0]], `cut after ${cut}`);
    }
  });

  it('loses the half line when it is opened, and nothing else', () => {
    write(BEGIN, entryOf(RUNS[0]));
    // Cut in the middle of a character.
    appendFileSync(path, Buffer.from(textOf({ type: 'run', note: '€' })).subarray(0, -4));
    write(RESUME, entryOf(RUNS[1]));
    assert.equal(readFileSync(path, 'utf8'), sealed(BEGIN, entryOf(RUNS[0]), RESUME, entryOf(RUNS[1])));
  });

  it('that consists of a half line alone is empty, and cannot be used', () => {
    writeFileSync(path, textOf(BEGIN).slice(0, 100));
    assert.throws(() => readJournal(dir, 'run'), JournalError);
    openJournal(dir).close();
    assert.equal(readFileSync(path, 'utf8'), '');
  });
});

describe('a journal that cannot be used says why', () => {
  const refusal = (text: string) => {
    try {
      parseJournal(text, 'j.ndjson', 'run');
    } catch (error) {
      assert.ok(error instanceof JournalError);
      return error.message;
    }
    return assert.fail('it was read');
  };

  it('when there is none', () => {
    assert.throws(() => readJournal(join(dir, 'nowhere'), 'run'), {
      name: 'JournalError',
      message: /nowhere\/journal\.ndjson does not exist; name a folder that `bindstorm run` has made/,
    });
  });

  it('when it does not begin with an experiment', () => {
    for (const text of ['', textOf(entryOf()), textOf(END, BEGIN)]) assert.match(refusal(text), /does not begin/);
  });

  it('with the first line that is no JSON', () => {
    assert.match(refusal(`garbage\n${textOf(BEGIN)}`), /^j\.ndjson:1: this line is not JSON; without its first line/);
  });

  it('with the line and the key that is not as it should be', () => {
    const { attempts: _, ...broken } = makeRun();
    assert.match(refusal(textOf(BEGIN, { type: 'run', run: broken })), /^j\.ndjson:2: .*\(run\.attempts: /);
    assert.match(refusal(textOf(BEGIN, { type: 'pause' })), /^j\.ndjson:2: .*from another version of bindstorm/);
    assert.match(refusal(textOf({ ...BEGIN, schemaVersion: SCHEMA_VERSION + 1 })), /^j\.ndjson:1: .*schemaVersion/);
    assert.match(refusal(textOf(BEGIN, null)), /^j\.ndjson:2: /);
  });
});
