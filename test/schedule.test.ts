import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from './support/cli.js';
import {
  batchOf,
  canShare,
  inBatches,
  type Job,
  jobOf,
  limitOf,
  nextJob,
  orderAt,
  type Taken,
} from './support/schedule.js';

const job = (name: string, seconds: number, cpu: number, alone = false): Job => ({
  name,
  taken: { seconds, cpu },
  alone,
});
const boots = job('boots', 60, 6);
const computes = job('computes', 10, 10);
const waits = job('waits', 70, 1);
const clock = job('clock', 5, 1, true);

describe('the next test file', () => {
  const full = { cpus: 2, idle: 0, order: 'longest' as const };
  const quiet = { cpus: 2, idle: 1.5, order: 'longest' as const };

  it('is the longest of those that wait', () => {
    assert.equal(nextJob([computes, boots, waits], [], full)?.name, 'waits');
  });

  it('is the shortest when half of the time is over, and none when all of it is', () => {
    const at = (minutes: number, allowed: number) =>
      nextJob([waits, computes, boots], [], { ...full, order: orderAt(minutes, allowed) })?.name;
    assert.deepEqual([at(29, 60), at(30, 60), at(59, 60), at(60, 60)], ['waits', 'computes', 'computes', undefined]);
    assert.equal(at(1000, 0), 'waits', 'without a limit');
  });

  it('begins on each CPU, idle or not', () => {
    assert.equal(nextJob([computes], [boots], full)?.name, 'computes');
    assert.equal(nextJob([computes], [boots, waits], full), undefined);
  });

  it('begins beside those as long as a CPU is idle, up to a bound', () => {
    assert.equal(nextJob([computes], [boots, waits], quiet)?.name, 'computes');
    assert.equal(
      nextJob(
        [computes],
        Array.from({ length: 5 }, () => waits),
        quiet,
      )?.name,
      'computes',
    );
    assert.equal(
      nextJob(
        [computes],
        Array.from({ length: 6 }, () => waits),
        quiet,
      ),
      undefined,
    );
  });

  it('is alone if it judges times, after all others', () => {
    assert.equal(nextJob([clock, computes], [], quiet)?.name, 'computes');
    assert.equal(nextJob([clock], [waits], quiet), undefined);
    assert.equal(nextJob([clock], [], quiet)?.name, 'clock');
    assert.equal(nextJob([boots, clock], [clock], quiet), undefined);
  });
});

describe('a test file as a job', () => {
  it('has what was recorded, and is assumed to be long without', () => {
    const recorded = { 'lab/tor': { seconds: 60, cpu: 12 } };
    assert.deepEqual(jobOf('lab/tor', '// needs: tor\n', recorded).taken, { seconds: 60, cpu: 12 });
    assert.ok(jobOf('lab/new', '', recorded).taken.seconds > 20);
  });

  it('is alone if its head says why', () => {
    assert.equal(jobOf('x', '// needs: tor\n// alone: it compares rates\n', {}).alone, true);
    assert.equal(jobOf('x', '// alone:\n', {}).alone, false);
    assert.equal(jobOf('x', '/** It is alone: nobody is there. */\n', {}).alone, false);
  });
});

describe('unit tests in one process', () => {
  it('are those that leave the process as it is', () => {
    assert.equal(canShare("test('x', () => {});\n"), true);
    for (const text of [
      'before(() => {});',
      'after(() => rm());',
      't.mock.timers.enable();',
      "process.env.HOME = '/';",
    ])
      assert.equal(canShare(`import x from 'x';\n${text}\n`), false, text);
    assert.equal(canShare("describe('x', () => {\n  before(() => {});\n});\n"), true, 'a hook of a suite is its own');
  });

  it('are in batches of about one length, each in one of them', () => {
    const jobs = Array.from({ length: 40 }, (_, i) => job(`${i}`, 1, i === 20 ? 9 : 0.3));
    const batches = inBatches(jobs);
    assert.deepEqual(batches.flat(), jobs);
    assert.ok(batches.length >= 3 && batches.length <= 5, `${batches.length}`);
    const [, , long] = batches.map((batch) => batchOf('b', batch).taken.cpu);
    assert.equal(long, 9);
    assert.deepEqual(inBatches([]), []);
  });
});

it('each recorded file is there', () => {
  const recorded = JSON.parse(readFileSync(join(ROOT, 'test', 'durations.json'), 'utf8')) as Record<string, Taken>;
  assert.ok(Object.keys(recorded).length > 100);
  assert.deepEqual(
    Object.keys(recorded).filter((name) => !existsSync(join(ROOT, 'test', `${name}.test.ts`))),
    [],
  );
});

describe('how long a file may take', () => {
  it('is ten minutes at least, and ten times what it took', () => {
    assert.deepEqual(
      [0.1, 60, 240].map((seconds) => limitOf({ seconds, cpu: 1 })),
      [600, 600, 2400],
    );
  });
});
