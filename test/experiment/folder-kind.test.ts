/** A folder that another command has made is not gone on with, and the reader is told by which it is. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  anotherKind,
  FIXES_FILE,
  FIXES_WORK,
  isOfKind,
  JOURNAL_FILE,
  SEARCH_JOURNAL,
} from '../../src/experiment/folder-kind.js';
import { readJournal } from '../../src/experiment/journal.js';
import { readSearchJournal } from '../../src/experiment/search-journal.js';

test('the journal tells the command', (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'bindstorm-kinds-'));
  t.after(() => rmSync(parent, { recursive: true, force: true }));
  const folders = {
    run: join(parent, 'r'),
    search: join(parent, 's'),
    fixes: join(parent, 'f'),
    none: join(parent, 'n'),
  };
  for (const folder of Object.values(folders)) mkdirSync(folder);
  writeFileSync(join(folders.run, JOURNAL_FILE), '');
  writeFileSync(join(folders.search, SEARCH_JOURNAL), '');
  mkdirSync(join(folders.fixes, FIXES_WORK));

  assert.throws(() => readJournal(folders.search), {
    name: 'JournalError',
    message: `${folders.search} holds a search and not an experiment; go on with: bindstorm search --resume ${folders.search}, which makes its report again too`,
  });
  assert.throws(() => readSearchJournal(folders.run), {
    name: 'JournalError',
    message: `${folders.run} holds an experiment and not a search; go on with: bindstorm run --resume ${folders.run}, or make its reports again with: bindstorm report ${folders.run}`,
  });
  assert.throws(() => readJournal(folders.fixes), {
    message: /holds a table of fixes and not an experiment; go on with: bindstorm fixes --resume /,
  });
  assert.match(anotherKind(folders.run, 'fixes')!, /holds an experiment and not a table of fixes/);

  for (const kind of ['run', 'search', 'fixes'] as const) {
    assert.equal(anotherKind(folders[kind], kind), undefined);
    assert.equal(anotherKind(folders.none, kind), undefined);
    assert.deepEqual([isOfKind(folders[kind], kind), isOfKind(folders.none, kind)], [true, false]);
  }
  writeFileSync(join(folders.none, FIXES_FILE), '{}');
  assert.equal(isOfKind(folders.none, 'fixes'), true, 'a table that was passed on alone');
  rmSync(join(folders.none, FIXES_FILE));
  assert.throws(() => readJournal(folders.none), { message: /journal\.ndjson cannot be read/ });
  assert.throws(() => readSearchJournal(folders.none), { message: /steps\.ndjson cannot be read/ });
});
