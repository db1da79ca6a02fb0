import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planRuns } from '../../src/experiment/order.js';
import { renderRunMetrics } from '../../src/report/live/metrics.js';
import { createLiveBook } from '../../src/report/live/state.js';
import { fittedExperiment, kernelRuns } from '../support/kernels.js';
import { makeExperiment, makeRun, makeSecond } from '../support/runs.js';

const EXPERIMENT = { ...makeExperiment({ variants: ['a'], repeat: 2 }), warmup: 0 };
const PLANNED = planRuns(EXPERIMENT);

function scene() {
  const book = createLiveBook({
    experiment: EXPERIMENT,
    planned: PLANNED,
    finished: new Set(),
    runs: [],
    wallsOf: () => ({ slow: 50, hard: 100 }),
    deterministic: () => false,
    now: () => 0,
  });
  const first = PLANNED[0]!;
  return {
    book,
    first,
    start: () => book.take({ type: 'run-start', planned: first, done: 0, total: PLANNED.length }),
    sample: (t: number, outcomes: Record<string, number>) => {
      const second = makeSecond({ t, outcomes, portsPerAddress: [30, 40], states: { 'TIME-WAIT': 70 }, memory: 1000 });
      return book.take({ type: 'sample', planned: first, second });
    },
    end: () => {
      const { variant, block, warmup, order, id } = first;
      const run = { ...makeRun({ variant, block, warmup, order, outcomes: { ok: 3 } }), id };
      return book.take({ type: 'run-end', run, done: 1, total: PLANNED.length });
    },
  };
}

describe('what a live page is told', () => {
  it('is the whole state when a run begins or ends, and one second in between', () => {
    const { book, first, start, sample, end } = scene();
    assert.equal(book.state().current, null);
    assert.equal(start()?.type, 'state');
    assert.equal(book.state().phase, `block 1/2, ${first.variant}`);
    const message = sample(1, { ok: 2, 'bind:EADDRINUSE': 1 });
    assert.ok(message?.type === 'second');
    assert.deepEqual(message.second.outcomes, { ok: 2, 'bind:EADDRINUSE': 1 });
    assert.ok(!('cpu' in message.second), 'only what the charts need');
    // A page that comes late gets the seconds that it missed.
    assert.equal(book.state().current?.timeline.length, 1);
    end();
    const { current, arms, done, total } = book.state();
    assert.deepEqual([current?.id, current?.over, current?.timeline.length], [first.id, true, 1], 'it stays in sight');
    assert.deepEqual([done, total], [1, 4]);
    const arm = arms.find(({ name }) => name === first.variant)!;
    assert.deepEqual([arm.done, arm.last?.id, arm.walls], [1, first.id, { slow: 50, hard: 100 }]);
  });
});

it('says when arms are judged, and of which no more runs are made', () => {
  const { book } = scene();
  assert.equal(book.state().looks, null);
  book.take({ type: 'look', pairs: 2, stopped: new Map([['a', 'everything is settled']]), total: 3 });
  assert.deepEqual(
    book.state().arms.map(({ name, stoppedAfter }) => [name, stoppedAfter]),
    [
      ['baseline', null],
      ['a', 2],
    ],
  );
});

describe('the effect so far', () => {
  it('has a row as soon as a block has both, and an interval when pairs differ; what failed is no pair', () => {
    const book = scene().book;
    const made = (variant: string, block: number, failed: number, status: 'ok' | 'failed' = 'ok') => {
      const outcomes = { ok: 100 - failed, 'bind:EADDRINUSE': failed };
      const run = makeRun({ variant, block, outcomes, status });
      return book.take({ type: 'run-end', run, done: 0, total: PLANNED.length });
    };
    assert.deepEqual(book.state().effect, { metric: EXPERIMENT.goal, rows: [] });
    made('baseline', 1, 50);
    assert.deepEqual(book.state().effect.rows, []);
    const message = made('a', 1, 10);
    assert.ok(message?.type === 'state');
    const [row] = message.state.effect.rows;
    assert.equal(row?.name, 'a');
    assert.deepEqual([row.pairs, row.unit, row.kind], [1, 'share', 'noisy']);
    assert.ok(Math.abs(row.difference! + 0.4) < 1e-9, String(row.difference));
    made('baseline', 2, 60);
    made('a', 2, 30);
    const [two] = book.state().effect.rows;
    assert.equal(two?.pairs, 2);
    assert.ok(Math.abs(two.difference! + 0.35) < 1e-9, String(two.difference));
    assert.ok(two.ci === null || (two.ci[0] <= two.difference! && two.difference! <= two.ci[1]));
    made('a', 2, 0, 'failed');
    assert.equal(book.state().effect.rows[0]?.pairs, 2);
  });

  it('is not what one of many kernels says, but each variant against the baseline of its own', () => {
    const experiment = fittedExperiment();
    const book = createLiveBook({
      experiment,
      planned: planRuns(experiment),
      finished: new Set(),
      runs: kernelRuns(experiment),
      wallsOf: () => ({ slow: 50, hard: 100 }),
      deterministic: () => true,
      now: () => 0,
    });
    assert.deepEqual(
      book.state().effect.rows.map(({ name, kind, difference, ci }) => [name, kind, difference, ci]),
      [
        ['range@old', 'exact', -0.5, null],
        ['all@old', 'exact', 0, null],
        ['range@new', 'exact', -0.5, null],
        ['delay@new', 'exact', -0.5, null],
        ['all@new', 'exact', -0.5, null],
      ],
    );
  });
});

describe('the metrics of a run', () => {
  it('count from 0 in every arm whatever may come, so that the arm without failures is in the share of failures', () => {
    const { book, first, start, sample } = scene();
    const other = EXPERIMENT.arms.find(({ name }) => name !== first.variant)!.name;
    const counter = (arm: string, outcome: string) =>
      new RegExp(`^bindstorm_run_attempts_total\\{variant="${arm}",outcome="${outcome}"\\} (\\d+)$`, 'm').exec(
        renderRunMetrics(book),
      )?.[1];
    for (const arm of [first.variant, other])
      for (const outcome of ['ok', 'shed', 'bind:EADDRINUSE', 'connect:EADDRNOTAVAIL', 'timeout:ETIMEDOUT'])
        assert.equal(counter(arm, outcome), '0', `${arm} ${outcome}`);
    start();
    sample(1, { ok: 2, 'exchange:EOF': 1 });
    assert.equal(counter(first.variant, 'exchange:EOF'), '1');
    assert.equal(counter(other, 'exchange:EOF'), '0', 'what one arm has met is counted in all');
  });

  it('count attempts over seconds and runs, and have the ports of each address beside both walls', () => {
    const { book, first, start, sample, end } = scene();
    assert.match(renderRunMetrics(book), /^bindstorm_run_planned_runs 4$/m);
    start();
    sample(1, { ok: 2, 'bind:EADDRINUSE': 1 });
    sample(2, { ok: 5 });
    const text = renderRunMetrics(book);
    const lines = [
      `bindstorm_run_attempts_total{variant="${first.variant}",outcome="ok"} 7`,
      `bindstorm_run_attempts_total{variant="${first.variant}",outcome="bind:EADDRINUSE"} 1`,
      `bindstorm_run_ports_in_use{variant="${first.variant}",address="10.50.0.2"} 40`,
      `bindstorm_run_ephemeral_ports{variant="${first.variant}"} 100`,
      `bindstorm_run_slow_wall_ports{variant="${first.variant}"} 50`,
      `bindstorm_run_sockets{variant="${first.variant}",state="TIME-WAIT"} 70`,
      `bindstorm_run_resident_memory_bytes{variant="${first.variant}"} 1000`,
      `bindstorm_run_in_progress{variant="${first.variant}"} 1`,
    ];
    for (const line of lines) assert.ok(text.split('\n').includes(line), `${line} in\n${text}`);
    // What is no longer measured is no longer there; a counter stays.
    end();
    const after = renderRunMetrics(book);
    assert.doesNotMatch(after, /ports_in_use\{/);
    assert.match(after, /^bindstorm_run_finished_runs 1$/m);
    assert.ok(after.split('\n').includes(lines[0]!));
  });

  it('are families with HELP and TYPE, and names in base units', () => {
    const { book, start, sample } = scene();
    start();
    sample(1, { ok: 1 });
    for (const line of renderRunMetrics(book).trimEnd().split('\n')) {
      assert.match(
        line,
        /^(?:# (?:HELP|TYPE) bindstorm_run_\w+ .+|bindstorm_run_[a-z_]+(?:\{[^}]*\})? \d+(?:\.\d+)?)$/,
      );
      assert.doesNotMatch(line, /_(?:ms|milliseconds|kb|mb|percent)\b/);
    }
  });
});
