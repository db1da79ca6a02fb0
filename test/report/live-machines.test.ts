/** What the live page and the metrics of a run show of the machines of a fleet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planRuns } from '../../src/experiment/order.js';
import { renderRunMetrics } from '../../src/report/live/metrics.js';
import { createLiveBook } from '../../src/report/live/state.js';
import { makeExperiment, makeRun, makeSecond } from '../support/runs.js';

const EXPERIMENT = { ...makeExperiment({ variants: ['a'], repeat: 2 }), warmup: 0 };
const PLANNED = planRuns(EXPERIMENT);
const [FIRST, SECOND] = PLANNED;

function scene() {
  let ms = 0;
  const book = createLiveBook({
    experiment: EXPERIMENT,
    planned: PLANNED,
    finished: new Set(),
    runs: [],
    wallsOf: () => ({ slow: 50, hard: 100 }),
    deterministic: () => false,
    now: () => ms,
  });
  return {
    book,
    pass: (by: number) => {
      ms += by;
    },
    begin: (machine: string, planned = FIRST!) =>
      book.take({ type: 'run-start', planned, done: 0, total: PLANNED.length, machine }),
    hear: (machine: string, t: number, outcomes: Record<string, number>, planned = FIRST!) =>
      book.take({
        type: 'machine',
        planned,
        machine,
        second: makeSecond({ t, outcomes, attempts: Object.values(outcomes).reduce((a, b) => a + b, 0) }),
      }),
    end: (change: object, { variant, block, warmup, order, id } = FIRST!) => {
      const run = { ...makeRun({ variant, block, warmup, order, outcomes: { ok: 3 } }), id, ...change };
      book.take({ type: 'run-end', run, done: 1, total: PLANNED.length });
    },
  };
}

test('each machine has its run, its rate, and its own counts; pages are told twice a second at most', () => {
  const { book, begin, hear, end, pass } = scene();
  assert.deepEqual(book.state().machines, []);
  assert.doesNotMatch(renderRunMetrics(book), /machine=/);
  begin('b', SECOND!);
  begin('a');
  assert.equal(hear('a', 1, { ok: 10 })?.type, 'machines');
  assert.equal(hear('a', 1.5, { ok: 3, 'bind:EADDRINUSE': 1 }), null);
  pass(500);
  const told = hear('b', 1, { ok: 7 }, SECOND);
  assert.ok(told?.type === 'machines');
  assert.deepEqual(told.machines, [
    { name: 'a', run: FIRST!.id, done: 0, perSecond: 8, outcomes: { ok: 13, 'bind:EADDRINUSE': 1 } },
    { name: 'b', run: SECOND!.id, done: 0, perSecond: 7, outcomes: { ok: 7 } },
  ]);
  end({ machine: 'a' });
  const [a, b] = book.state().machines;
  assert.deepEqual([a!.run, a!.done, a!.perSecond, a!.outcomes.ok], [null, 1, null, 13]);
  assert.deepEqual([b!.run, b!.done], [SECOND!.id, 0]);
  const metrics = renderRunMetrics(book);
  for (const line of [
    'bindstorm_run_machine_in_progress{machine="a"} 0',
    'bindstorm_run_machine_in_progress{machine="b"} 1',
    'bindstorm_run_machine_finished_runs{machine="a"} 1',
    'bindstorm_run_machine_attempts_total{machine="a",outcome="bind:EADDRINUSE"} 1',
    'bindstorm_run_machine_attempts_total{machine="b",outcome="ok"} 7',
  ])
    assert.ok(metrics.split('\n').includes(line), `${line} is not in\n${metrics}`);
});

test('a run of all counts for each of them', () => {
  const { book, hear, end } = scene();
  hear('a', 1, { ok: 1 });
  hear('b', 1, { ok: 2 });
  end({ together: { skewMs: 1, machines: ['a', 'b'].map((name) => ({ name, attempts: 1, lateMs: 0 })) } });
  assert.deepEqual(
    book.state().machines.map(({ name, done, run }) => [name, done, run]),
    [
      ['a', 1, null],
      ['b', 1, null],
    ],
  );
});
