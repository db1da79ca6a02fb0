/** A folder that another command, or an older version, has made is not resumed, and the reader is told what to do. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { JOURNAL_FILE, readJournal } from '../../src/experiment/journal.js';
import type { BeginOf, JournalKind } from '../../src/experiment/journal-entry.js';
import { SEARCH } from '../../src/plan/search.js';
import { SCHEMA_VERSION } from '../../src/results/schema.js';
import { makeEnvironment, makeExperiment } from '../support/runs.js';

const COMMON = { type: 'begin', schemaVersion: SCHEMA_VERSION, startedAt: '2026-01-02T03:04:05.000Z' } as const;
const MEASURED = { ...COMMON, profile: 'name: x\n', experiment: makeExperiment(), environment: makeEnvironment() };
const BEGINS: { readonly [K in JournalKind]: BeginOf<K> } = {
  run: { ...MEASURED, kind: 'run', command: 'bindstorm run x' },
  search: { ...MEASURED, kind: 'search', command: 'bindstorm search x', options: { settings: SEARCH, only: null } },
  fixes: {
    ...COMMON,
    kind: 'fixes',
    command: 'bindstorm fixes',
    options: { kernels: ['host'], strategies: ['bind'], subjects: ['squid'], only: ['no-port'] },
  },
};
const KINDS = ['run', 'search', 'fixes'] as const;

function folders(t: { after(work: () => void): void }) {
  const parent = mkdtempSync(join(tmpdir(), 'bindstorm-kinds-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  return (name: string, files: Readonly<Record<string, string>>) => {
    const folder = join(parent, name);
    mkdirSync(folder);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text);
    return folder;
  };
}

test('the journal tells the command and its options', (t) => {
  const folder = folders(t);
  const of = Object.fromEntries(
    KINDS.map((kind) => [kind, folder(kind, { [JOURNAL_FILE]: `${JSON.stringify(BEGINS[kind])}\n` })]),
  ) as Record<JournalKind, string>;
  for (const kind of KINDS) assert.deepEqual(readJournal(of[kind], kind).begin, BEGINS[kind]);

  assert.throws(() => readJournal(of.search, 'run'), {
    name: 'JournalError',
    message: `${of.search} holds a search, not an experiment; resume it with: bindstorm search --resume ${of.search}, which rebuilds its report too`,
  });
  assert.throws(() => readJournal(of.run, 'search'), {
    name: 'JournalError',
    message: `${of.run} holds an experiment, not a search; resume it with: bindstorm run --resume ${of.run}, or rebuild its reports with: bindstorm report ${of.run}`,
  });
  assert.throws(() => readJournal(of.fixes, 'run'), {
    message: `${of.fixes} holds a table of fixes, not an experiment; resume it with: bindstorm fixes --resume ${of.fixes}`,
  });
  assert.throws(() => readJournal(of.run, 'fixes'), { message: /holds an experiment, not a table of fixes/ });
});

test('a journal of an older version, which had runs only, is read', (t) => {
  const { kind: _, ...old } = BEGINS.run;
  const dir = folders(t)('old', { [JOURNAL_FILE]: `${JSON.stringify(old)}\n` });
  assert.deepEqual(readJournal(dir, 'run').begin, BEGINS.run);
});

test('other files of older versions are refused with a sentence', (t) => {
  const folder = folders(t);
  const search = folder('search', { 'steps.ndjson': '' });
  const fixes = folder('fixes', { 'fixes.json': '{}' });
  const none = folder('none', {});
  for (const kind of KINDS) {
    assert.throws(() => readJournal(search, kind), {
      message: `${search} holds a search of an older version of bindstorm, which this version cannot resume; its report is ${search}/search.md. Start a new search with: bindstorm search ${search}/profile.yaml`,
    });
    assert.throws(() => readJournal(fixes, kind), {
      message: /holds a table of fixes without its journal .*, which cannot be resumed\. Start .*: bindstorm fixes$/,
    });
    assert.throws(() => readJournal(none, kind), {
      message: `${none}/journal.ndjson does not exist; name a folder that \`bindstorm ${kind}\` has made, such as reports/…`,
    });
  }
});
