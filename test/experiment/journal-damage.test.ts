/** A journal that was changed after it was written is never believed: what is damaged is named and left out, or the whole is refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Random, randomStream } from '../../src/domain/random.js';
import { readResults, writeResults } from '../../src/experiment/folder.js';
import { JOURNAL_FILE, JournalError, openJournal, parseJournal, readJournal } from '../../src/experiment/journal.js';
import type { BeginOf, JournalEntry } from '../../src/experiment/journal-entry.js';
import { planRuns } from '../../src/experiment/order.js';
import { SEARCH } from '../../src/plan/search.js';
import { type Run, SCHEMA_VERSION } from '../../src/results/schema.js';
import type { SearchTry } from '../../src/results/search.js';
import { quickstartResults } from '../support/results.js';
import { makeEnvironment, makeExperiment, makeRun, makeSecond } from '../support/runs.js';

const EXPERIMENT = makeExperiment({ variants: ['a', 'b'], repeat: 3 });
const COMMON = {
  type: 'begin',
  schemaVersion: SCHEMA_VERSION,
  startedAt: '2026-01-02T03:04:05.000Z',
  command: 'bindstorm run example',
  profile: 'name: example\ndescription: with a line break, and €\n',
  experiment: EXPERIMENT,
  environment: makeEnvironment(),
} as const;
const BEGIN: BeginOf<'run'> = { ...COMMON, kind: 'run' };
const RUNS: Run[] = planRuns(EXPERIMENT).map(({ id, variant, block, warmup, order }) => {
  const run = makeRun({ variant, block, warmup, order, outcomes: { ok: 40 + block, 'bind:EADDRINUSE': 20 } });
  const timeline = [1, 2].map((t) => makeSecond({ t, attempts: 5, outcomes: { ok: 3, 'bind:EADDRINUSE': 2 } }));
  return { ...run, id, timeline };
});
const END: JournalEntry = { type: 'end', at: '2026-01-02T04:00:00.000Z', status: 'complete' };
const entryOf = (run: Run): JournalEntry => ({ type: 'run', run });

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bindstorm-damage-'));
  path = join(dir, JOURNAL_FILE);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function written(...entries: JournalEntry[]): Buffer {
  const journal = openJournal(dir);
  for (const entry of entries) journal.append(entry);
  journal.close();
  return readFileSync(path);
}

/** Ways in which files are damaged, by disks, editors and people. */
const MUTATIONS: Readonly<Record<string, (bytes: Buffer, random: Random) => Buffer>> = {
  truncate: (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
  'truncate at a line': (bytes, random) => {
    const lines = linesOf(bytes);
    return joined(lines.slice(0, Math.floor(random() * lines.length)));
  },
  'flip a bit': (bytes, random) => {
    const copy = Buffer.from(bytes);
    const at = Math.floor(random() * copy.length);
    copy[at] = copy[at]! ^ (1 << Math.floor(random() * 8));
    return copy;
  },
  'zero a block': (bytes, random) => {
    const from = Math.floor(random() * bytes.length);
    return Buffer.from(bytes).fill(0, from, from + 512);
  },
  'change a number': (bytes, random) => {
    const text = bytes.toString();
    const numbers = [...text.matchAll(/\d+/g)];
    const { index, 0: old } = numbers[Math.floor(random() * numbers.length)]!;
    const other = String(Number(old) + 1 + Math.floor(random() * 900));
    return Buffer.from(text.slice(0, index) + other + text.slice(index + old.length));
  },
  'duplicate a line': (bytes, random) => {
    const lines = linesOf(bytes);
    const line = lines[Math.floor(random() * lines.length)]!;
    lines.splice(Math.floor(random() * (lines.length + 1)), 0, line);
    return joined(lines);
  },
  'remove a line': (bytes, random) => {
    const lines = linesOf(bytes);
    lines.splice(Math.floor(random() * lines.length), 1);
    return joined(lines);
  },
  'swap two lines': (bytes, random) => {
    const lines = linesOf(bytes);
    const at = Math.floor(random() * (lines.length - 1));
    lines.splice(at, 2, lines[at + 1]!, lines[at]!);
    return joined(lines);
  },
  'insert garbage': (bytes, random) => {
    const at = Math.floor(random() * bytes.length);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from('\n{"type":"run"}\n'), bytes.subarray(at)]);
  },
};
const linesOf = (bytes: Buffer) => bytes.toString().split('\n').slice(0, -1);
const joined = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));

describe('a journal that was damaged', () => {
  it('is refused, or says what was left out, and has no run that was not written: 360 mutations', () => {
    const bytes = written(BEGIN, ...RUNS.map(entryOf), END);
    const original = readResults(dir);
    assert.deepEqual(
      original.warnings.filter((text) => text.includes('journal')),
      [],
    );
    const known = new Map(RUNS.map((run) => [run.id, run]));
    let [tried, refused, named] = [0, 0, 0];
    for (const [name, mutate] of Object.entries(MUTATIONS)) {
      for (let seed = 0; seed < 40; seed++) {
        const mutated = mutate(bytes, randomStream(seed, name));
        if (mutated.equals(bytes)) continue;
        tried++;
        writeFileSync(path, mutated);
        try {
          const results = readResults(dir);
          const said = results.warnings.filter((text) => text.includes('journal'));
          assert.ok(said.length > 0, `${name} ${seed}: nothing was said`);
          for (const run of results.variants.flatMap(({ runs }) => runs)) assert.deepEqual(run, known.get(run.id));
          named++;
        } catch (error) {
          assert.ok(error instanceof JournalError, `${name} ${seed}: ${error}`);
          refused++;
        }
      }
    }
    assert.ok(tried > 340, String(tried));
    assert.ok(refused > 0 && named > tried / 2, `${refused} refused, ${named} named of ${tried}`);
  });

  it('is resumed with new records, and is whole but for the line that was lost', () => {
    const lines = linesOf(written(BEGIN, ...RUNS.slice(0, 4).map(entryOf)));
    lines[2] = lines[2]!.replace('"ok":4', '"ok":9');
    writeFileSync(path, joined(lines));
    assert.match(
      readJournal(dir, 'run').damage.join(),
      /^.*:3: the line is not what was written .*; the line is left out$/,
    );
    const lost = RUNS[1]!;
    written({ type: 'resume', at: '2026-01-02T05:00:00.000Z' }, entryOf(lost), ...RUNS.slice(4).map(entryOf), END);
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
    const sealed = parseJournal(written(BEGIN, ...entries).toString(), 'j', 'run');
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
  const begin: BeginOf<'search'> = { ...COMMON, kind: 'search', options: { settings: SEARCH, only: null } };
  const step = (id: string, given: Partial<SearchTry> = {}): JournalEntry => ({
    type: 'step',
    arm: 'baseline',
    step: {
      ...{ id, rate: 10, notHeld: null, failures: 0, how: 'in full', seconds: 1, outcomes: { ok: 10 }, p99: null },
      ...{ discarded: false, ...given },
    },
  });

  it('with a damaged step is refused, since what came after follows from it, with how to resume before it', () => {
    const lines = linesOf(written(begin, step('s0'), step('s1'), step('s2')));
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
      const text = written(begin, ...entries).toString();
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
