import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatLeft } from '../../src/domain/format.js';
import { labOverheadMs } from '../../src/domain/lab.js';
import { planRuns } from '../../src/experiment/order.js';
import { createProgress } from '../../src/report/progress.js';
import type { Second } from '../../src/results/schema.js';
import { makeExperiment, makeRun, makeSecond, type RunNumbers } from '../support/runs.js';

/** One warm-up block and two measured ones, of two runs each; every run has ten seconds of load. */
const EXPERIMENT = { ...makeExperiment({ variants: ['a'], repeat: 2 }), warmup: 1 };
const PLANNED = planRuns(EXPERIMENT);
const RUN_MS = 10_000 + labOverheadMs('netns', undefined);

interface Setting {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly quiet?: boolean;
  readonly finished?: readonly string[];
  readonly everyMs?: number;
}

/** A progress on a stream that keeps what was written, under a clock that only the test moves. */
function scene({ isTTY = false, columns = 80, quiet = false, finished = [], everyMs = 10_000 }: Setting = {}) {
  const written: string[] = [];
  const clock = { now: 5000 };
  const stream = { isTTY, columns, write: (text: string) => written.push(text) > 0 };
  const done = new Set(finished);
  const progress = createProgress({
    experiment: EXPERIMENT,
    planned: PLANNED,
    finished: done,
    stream: stream as unknown as NodeJS.WriteStream,
    quiet,
    now: () => clock.now,
    roomOf: () => 28_232,
    everyMs,
  });
  return {
    progress,
    clock,
    stream,
    start: (i: number) =>
      progress.onEvent({ type: 'run-start', planned: PLANNED[i]!, done: done.size, total: PLANNED.length }),
    sample: (i: number, second: Partial<Second>) =>
      progress.onEvent({ type: 'sample', planned: PLANNED[i]!, second: makeSecond(second) }),
    end: (i: number, numbers: RunNumbers = {}) => {
      const { id, variant, block, warmup, order } = PLANNED[i]!;
      done.add(id);
      const run = { ...makeRun({ ...numbers, variant, block, warmup, order }), id };
      progress.onEvent({ type: 'run-end', run, done: done.size, total: PLANNED.length });
    },
    /** What was written since the last look. */
    take: () => written.splice(0).join(''),
  };
}

const idsOf = (...indexes: number[]) => indexes.map((i) => PLANNED[i]!.id);

describe('progress where there is no terminal', () => {
  it('says again and again what is waited for, and since when, until the run is over', async () => {
    const { progress, start, sample, end, take } = scene({ everyMs: 20 });
    const said = async () => {
      await new Promise((resolve) => setTimeout(resolve, 70));
      return take().trimEnd().split('\n').at(-1);
    };
    start(0);
    progress.onEvent({ type: 'waiting', planned: PLANNED[0]!, what: 'its lab' });
    assert.match((await said())!, /^waiting for its lab: \[1\/6\] .* left {2}warm-up 1\/1 {2}\w+, for \d+ s so far$/);
    progress.onEvent({ type: 'waiting', planned: PLANNED[0]!, what: 'its load to end' });
    sample(0, { t: 1, attempts: 4000, outcomes: { ok: 4000 }, portsInUse: 4000 });
    assert.match(
      (await said())!,
      /^running \[1\/6\] .* left {2}warm-up 1\/1 {2}\w+ {2}4,000\/s: 4,000 ok; 4,000 of 28,232 ports, for \d+ s so far$/,
    );
    end(0);
    await said();
    assert.equal(await said(), '', 'nothing is waited for between runs');
    progress.end();
  });

  it('is a line a block, with what is left', () => {
    const it = scene();
    const lines: string[] = [];
    for (let i = 0; i < 6; i++) {
      it.start(i);
      it.sample(i, { outcomes: { ok: 100 } });
      it.clock.now += RUN_MS;
      it.end(i);
      lines.push(it.take());
    }
    it.progress.end();
    assert.deepEqual(lines, [
      '',
      'warm-up 1/1 done, 2 of 6 runs, 42 s left\n',
      '',
      'block 1/2 done, 4 of 6 runs, 21 s left\n',
      '',
      'block 2/2 done, 6 of 6 runs, 0 s left\n',
    ]);
    assert.equal(it.take(), '', 'nothing of a terminal');
  });

  it('names a run that failed, and why', () => {
    const it = scene();
    it.end(0, { status: 'failed', problems: ['the agent was killed by SIGKILL', 'more'] });
    assert.equal(it.take(), `${PLANNED[0]!.id} failed: the agent was killed by SIGKILL\n`);
  });

  it('notes are lines of their own', () => {
    const it = scene();
    it.progress.note('interrupted');
    assert.equal(it.take(), 'interrupted\n');
  });

  it('after a resume counts only what is left, and ends a block with its last open run', () => {
    // A run of the first measured block failed earlier: it is made again, after which that block is over.
    const it = scene({ finished: idsOf(0, 1, 2, 4) });
    it.clock.now += RUN_MS;
    it.end(3);
    assert.equal(it.take(), 'block 1/2 done, 5 of 6 runs, 11 s left\n');
    it.end(5);
    assert.equal(it.take(), 'block 2/2 done, 6 of 6 runs, 0 s left\n');
  });
});

describe('the time left', () => {
  it('is what is expected at first, and then what each arm’s runs have taken', () => {
    const it = scene({ isTTY: true });
    it.start(0);
    assert.match(it.take(), /\[1\/6\] 63 s left {2}warm-up 1\/1/);
    it.clock.now += 30_000;
    it.end(0);
    it.start(1);
    // A machine on which the first arm took 30 s is as slow for the other: five of them are 150 s.
    assert.match(it.take(), /\[2\/6\] 3 min left {2}warm-up 1\/1/);
    it.clock.now += 1000;
    it.end(1);
    it.start(2);
    // Two more of each, as long as each took.
    assert.match(it.take(), / 62 s left {2}block 1\/2/);
  });

  it('averages over the runs of an arm', () => {
    const it = scene({ isTTY: true, finished: idsOf(...PLANNED.keys()).filter((_, i) => PLANNED[i]!.variant === 'a') });
    const own = [...PLANNED.keys()].filter((i) => PLANNED[i]!.variant === 'baseline');
    it.clock.now += 10_000;
    it.end(own[0]!);
    it.clock.now += 20_000;
    it.end(own[1]!);
    it.start(own[2]!);
    assert.match(it.take(), / 15 s left /);
  });

  it('in words', () => {
    const cases: [number, string][] = [
      [0, '0 s'],
      [1, '1 s'],
      [89_000, '89 s'],
      [89_001, '2 min'],
      [120_000, '2 min'],
      [120_001, '3 min'],
      [89 * 60_000, '89 min'],
      [90 * 60_000, '1.5 h'],
      [10 * 3_600_000, '10.0 h'],
    ];
    for (const [ms, words] of cases) assert.equal(formatLeft(ms), words, `${ms} ms`);
  });
});

describe('progress on a terminal', () => {
  it('is one line that is written over', () => {
    const it = scene({ isTTY: true, columns: 200 });
    it.start(0);
    it.start(1);
    it.take();
    it.start(2);
    assert.equal(it.take(), `\r\x1b[K[3/6] 63 s left  block 1/2  ${PLANNED[2]!.variant}`);
    it.clock.now += 1000;
    const outcomes = { 'bind:EADDRINUSE': 4000, ok: 15_998, shed: 2 };
    it.sample(2, { t: 1, attempts: 20_000, outcomes, portsInUse: 28_000 });
    assert.equal(
      it.take(),
      `\r\x1b[K[3/6] 63 s left  block 1/2  ${PLANNED[2]!.variant}  20,000/s: 15,998 ok, 4,000 bind:EADDRINUSE, 2 shed; 28,000 of 28,232 ports`,
    );
    it.clock.now += 1000;
    // Half a second: rates, not counts.
    it.sample(2, { t: 1.5, attempts: 50, outcomes: { ok: 50 }, portsInUse: null });
    assert.match(it.take(), / {2}100\/s: 100 ok$/);
    it.progress.end();
    assert.equal(it.take(), '\r\x1b[K');
  });

  it('says which arms a look has settled, and counts only what may still be made', () => {
    const it = scene({ isTTY: true, columns: 200 });
    for (const i of [0, 1, 2, 3]) {
      it.start(i);
      it.end(i);
    }
    it.take();
    const arm = PLANNED[4]!.variant;
    const stopped = new Map([[arm, 'everything is settled']]);
    it.progress.onEvent({ type: 'look', pairs: 1, stopped, total: 5 });
    assert.match(it.take(), new RegExp(`after 1 pair ${arm} needs no more runs\n$`));
    it.start(5);
    assert.match(it.take(), /\[5\/5\] /);
    it.progress.end();
  });

  it('is drawn ten times a second at most, and at once when a run begins', () => {
    const it = scene({ isTTY: true });
    it.start(0);
    it.take();
    it.clock.now += 99;
    it.sample(0, {});
    assert.equal(it.take(), '');
    it.clock.now += 1;
    it.sample(0, {});
    assert.notEqual(it.take(), '');
    it.start(1);
    assert.notEqual(it.take(), '');
  });

  it('never reaches the last column, where it would wrap', () => {
    const it = scene({ isTTY: true, columns: 40 });
    it.start(0);
    it.clock.now += 1000;
    it.sample(0, { outcomes: { ok: 1, 'bind:EADDRINUSE': 1 }, portsInUse: 1 });
    const lines = it.take().split('\r\x1b[K').slice(1);
    assert.equal(lines.length, 2);
    assert.equal(lines[1]!.length, 39);
  });

  it('names a run that failed on a line that stays', () => {
    const it = scene({ isTTY: true });
    it.end(0, { status: 'failed', problems: ['oops'] });
    assert.equal(it.take(), `\r\x1b[K${PLANNED[0]!.id} failed: oops\n`);
    it.end(1);
    assert.equal(it.take(), '');
  });

  it('keeps its line below a note', () => {
    const it = scene({ isTTY: true });
    it.start(0);
    const line = it.take();
    it.progress.note('interrupted');
    assert.equal(it.take(), `\r\x1b[Kinterrupted\n${line.slice('\r\x1b[K'.length)}`);
  });
});

describe('quiet', () => {
  it('says nothing but notes', () => {
    for (const isTTY of [true, false]) {
      const it = scene({ isTTY, quiet: true });
      it.start(0);
      it.sample(0, {});
      it.end(0, { status: 'failed', problems: ['oops'] });
      it.progress.end();
      assert.equal(it.take(), '');
      it.progress.note('interrupted');
      assert.equal(it.take(), 'interrupted\n');
    }
  });
});
