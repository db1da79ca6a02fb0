import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createResultFolder, RESULTS_FILE, readResults, writeResults } from '../../src/experiment/folder.js';
import { JOURNAL_FILE, JournalError, openJournal } from '../../src/experiment/journal.js';
import { SCHEMA_VERSION } from '../../src/results/schema.js';
import { quickstartResults } from '../support/results.js';
import { makeEnvironment, makeExperiment, makeRun } from '../support/runs.js';

let parent: string;
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'bindstorm-folder-'));
});
afterEach(() => rmSync(parent, { recursive: true, force: true }));

const NOW = new Date('2026-01-02T03:04:05.678Z');

describe('a result folder', () => {
  it('is named after the experiment and the second, in UTC', () => {
    const dir = createResultFolder(join(parent, 'reports', 'deep'), 'quickstart', NOW);
    assert.equal(dir, join(parent, 'reports', 'deep', 'quickstart-20260102-030405Z'));
    assert.ok(statSync(dir).isDirectory());
  });

  it('is never one that is there already', () => {
    const names = Array.from({ length: 3 }, () => createResultFolder(parent, 'x', NOW));
    assert.deepEqual(
      names.map((dir) => dir.slice(parent.length + 1)),
      ['x-20260102-030405Z', 'x-20260102-030405Z-2', 'x-20260102-030405Z-3'],
    );
  });

  it('cannot be made below a file', () => {
    writeFileSync(join(parent, 'file'), '');
    assert.throws(() => createResultFolder(join(parent, 'file'), 'x', NOW), {
      name: 'UserError',
      message: /no result folder can be made in .*file \(EEXIST: .*; name another place with --out/,
    });
  });
});

describe('results on the disk', () => {
  it('are replaced whole', () => {
    const results = quickstartResults({ blocks: 1, seconds: 1 });
    assert.equal(writeResults(parent, results), join(parent, RESULTS_FILE));
    writeResults(parent, { ...results, summary: 'newer' });
    assert.deepEqual(readdirSync(parent), [RESULTS_FILE]);
    assert.equal(JSON.parse(readFileSync(join(parent, RESULTS_FILE), 'utf8')).summary, 'newer');
  });

  it('are read from results.json where there is no journal', () => {
    const results = quickstartResults({ blocks: 1, seconds: 1 });
    writeResults(parent, results);
    assert.deepEqual(readResults(parent), results);
  });

  it('are concluded from the journal where there is one, whatever results.json says', () => {
    writeResults(parent, quickstartResults({ blocks: 1, seconds: 1 }));
    const journal = openJournal(parent);
    journal.append({
      type: 'begin',
      kind: 'run',
      schemaVersion: SCHEMA_VERSION,
      startedAt: NOW.toISOString(),
      command: 'bindstorm run example --repeat 2',
      profile: 'name: example\n',
      experiment: makeExperiment({ repeat: 2 }),
      environment: makeEnvironment(),
    });
    for (const variant of ['baseline', 'wider-range']) journal.append({ type: 'run', run: makeRun({ variant }) });
    const { experiment, variants } = readResults(parent);
    assert.deepEqual([experiment.name, experiment.status], ['example', 'partial']);
    assert.deepEqual([experiment.runsPlanned, experiment.runsDone], [4, 2]);
    assert.equal(experiment.command, 'bindstorm run example --repeat 2');
    assert.deepEqual(
      variants.map(({ name, runs }) => [name, runs.length]),
      [
        ['baseline', 1],
        ['wider-range', 1],
      ],
    );
    journal.append({ type: 'end', at: '2026-01-02T04:00:00.000Z', status: 'partial' });
    journal.close();
    assert.equal(readResults(parent).experiment.finishedAt, '2026-01-02T04:00:00.000Z');
  });

  it('that are not there are asked for by the journal’s name', () => {
    assert.throws(() => readResults(parent), { name: 'JournalError', message: /journal\.ndjson does not exist/ });
    writeFileSync(join(parent, JOURNAL_FILE), 'garbage\n');
    assert.throws(() => readResults(parent), {
      name: 'JournalError',
      message: /journal\.ndjson:1: this line is not JSON/,
    });
  });

  it('that are damaged are the reader’s to replace, not a fault of the program', () => {
    for (const [text, why] of [
      ['{"schemaVersion":1', /results\.json is not JSON/],
      [
        '{"schemaVersion":2}',
        /results\.json cannot be read by this version \(schemaVersion: .*from another version of bindstorm/,
      ],
    ] as const) {
      writeFileSync(join(parent, RESULTS_FILE), text);
      assert.throws(
        () => readResults(parent),
        (error) => {
          assert.ok(error instanceof JournalError);
          assert.match(error.message, why);
          return true;
        },
      );
    }
  });
});
