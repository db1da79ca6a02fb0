import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MeasureInput, measure } from '../../src/agent/measure.js';
import { measurementSchema } from '../../src/agent/protocol.js';
import type { OriginStats } from '../../src/agent/roles/origin-client.js';
import type { Sampler } from '../../src/agent/sampler.js';
import type { LatencyPhase } from '../../src/domain/metric.js';
import { createHistograms, record } from '../../src/load/histogram.js';
import type { LoadReport } from '../../src/load/pool.js';
import type { LoadPlan } from '../../src/plan/plan.js';
import type { Second } from '../../src/results/schema.js';
import { makeArm, makeSecond } from '../support/runs.js';

interface Numbers {
  outcomes?: Record<string, number>;
  /** Phase → values, µs. */
  times?: Partial<Record<LatencyPhase, number[]>>;
  load?: Partial<LoadPlan>;
  report?: Partial<LoadReport>;
  timeline?: Partial<Second>[];
  moved?: Record<string, number>;
  origin?: { before?: Partial<OriginStats>; after?: Partial<OriginStats> } | null;
  problems?: string[];
  seconds?: number;
}

function inputOf(numbers: Numbers = {}): MeasureInput {
  const histograms = createHistograms();
  for (const [phase, values] of Object.entries(numbers.times ?? {}) as [LatencyPhase, number[]][])
    for (const value of values) record(histograms[phase], value);
  const arm = makeArm('baseline');
  const { origin = {} } = numbers;
  const sampler: Sampler = {
    timeline: (numbers.timeline ?? []).map(makeSecond),
    failure: new Promise<never>(() => {}),
    finish: async () => {},
    moved: () => numbers.moved ?? {},
    originStats: () => origin && { before: makeStats(origin.before), after: makeStats(origin.after) },
    proxyStats: () => null,
    peakMemory: () => 123_456,
  };
  const report: LoadReport = {
    outcomes: numbers.outcomes ?? { ok: 100 },
    answers: {},
    histograms,
    peakOpen: 7,
    portsTaken: 50,
    firstFailure: null,
    waves: [],
    cpu: { user: 0.1, system: 0.3 },
    seconds: 10,
    ...numbers.report,
  };
  return {
    arm: { ...arm, load: { ...arm.load, ...numbers.load } },
    report: { ...report, loads: [report] },
    sampler,
    proxy: null,
    range: { low: 40_000, high: 40_099 },
    reserved: 2,
    seconds: numbers.seconds ?? 10,
    problems: numbers.problems ?? [],
    alone: true,
  };
}

function makeStats(numbers: Partial<OriginStats> = {}): OriginStats {
  const none = {
    accepted: 0,
    refused: 0,
    seen: { requests: 0, used: 0, closedFirst: { client: 0, server: 0, reset: 0, open: 0 } },
    listenOverflows: 0,
    pawsPassive: null,
    cpu: { user: 0, system: 0 },
  };
  return { ...none, ...numbers };
}

const problemsOf = (numbers: Numbers) => measure(inputOf(numbers)).problems;
const warningsOf = (numbers: Numbers) => measure(inputOf(numbers)).warnings;

describe('the figures of a run', () => {
  it('are those that the wire and the results know', () => {
    const figures = measure(inputOf({ times: { total: [1, 2, 3], lag: [1] }, timeline: [{ portsInUse: 3 }] }));
    const whole = { ...figures, startedAt: '', interrupted: false, loadMs: 1, sysctls: {}, histograms: {} };
    assert.deepEqual(measurementSchema.parse(JSON.parse(JSON.stringify(whole))), whole);
  });

  it('attempts are all outcomes, rates are per second of load', () => {
    const figures = measure(inputOf({ outcomes: { ok: 60, 'bind:EADDRINUSE': 30, shed: 10 }, seconds: 5 }));
    assert.equal(figures.attempts, 100);
    assert.deepEqual(figures.rates, { scheduled: 20, started: 18, ok: 12 });
  });

  it('CPU per connection counts ok connections, in microseconds', () => {
    assert.equal(measure(inputOf({ outcomes: { ok: 100, 'bind:EADDRINUSE': 900 } })).cpu.perConnection, 4000);
    assert.equal(measure(inputOf({ outcomes: { 'bind:EADDRINUSE': 900 } })).cpu.perConnection, null);
  });

  it('only phases that happened have a latency', () => {
    const { latency } = measure(inputOf({ times: { bind: [5, 5], failed: [9] } }));
    assert.deepEqual(Object.keys(latency), ['bind', 'failed']);
    assert.deepEqual([latency.bind?.count, latency.failed?.max], [2, 9]);
  });

  it('the peak of the ports is over the timeline, per address too, and the final states are the last', () => {
    const { ports } = measure(
      inputOf({
        timeline: [
          { portsInUse: 5, portsPerAddress: [3, 2], states: { TIME_WAIT: 5 } },
          { portsInUse: null },
          { portsInUse: 9, portsPerAddress: [1, 8], states: { TIME_WAIT: 4, ESTABLISHED: 5 } },
          { portsInUse: 4, portsPerAddress: [2, 2], states: { TIME_WAIT: 4 } },
        ],
      }),
    );
    assert.deepEqual(ports, {
      low: 40_000,
      high: 40_099,
      reserved: 2,
      peak: 9,
      peakPerAddress: [3, 8],
      finalStates: { TIME_WAIT: 4 },
    });
  });

  it('what was not observed is null, not zero', () => {
    const { ports, origin, cpu } = measure(inputOf({ timeline: [{}, {}], origin: null }));
    assert.deepEqual([ports.peak, ports.peakPerAddress, ports.finalStates, origin, cpu.origin], Array(5).fill(null));
    assert.equal(measure(inputOf()).ports.peak, null);
  });

  it('a socket that is bound and not connected has a port and no tuple', () => {
    const timeline = [{ states: { ESTABLISHED: 40, CLOSE: 1 } }];
    assert.equal(measure(inputOf({ timeline })).capacity.tuples, 40);
  });

  it('the tuples occupied at once include TIME_WAIT, and on a shared namespace only what is our own', () => {
    const timeline: Partial<Second>[] = [
      { states: { TIME_WAIT: 40, ESTABLISHED: 5 } },
      { states: null },
      { states: { TIME_WAIT: 30 } },
    ];
    assert.equal(measure(inputOf({ timeline })).capacity.tuples, 45);
    assert.equal(measure({ ...inputOf({ timeline }), alone: false }).capacity.tuples, 7);
  });

  it('the first failure says how full things were', () => {
    const { capacity } = measure(inputOf({ report: { firstFailure: { open: 500, ok: 501 }, peakOpen: 502 } }));
    assert.deepEqual(capacity, { tuples: 502, peakOpen: 502, openAtFirstFailure: 500, okBeforeFirstFailure: 501 });
    assert.deepEqual(measure(inputOf()).capacity, {
      tuples: 7,
      peakOpen: 7,
      openAtFirstFailure: null,
      okBeforeFirstFailure: null,
    });
  });

  it('the origin’s figures are those of the load alone', () => {
    const { origin, cpu } = measure(
      inputOf({
        origin: {
          before: { listenOverflows: 4, cpu: { user: 1, system: 2 } },
          after: { accepted: 99, listenOverflows: 4, cpu: { user: 1.5, system: 4 } },
        },
      }),
    );
    assert.deepEqual(origin, { accepted: 99, listenOverflows: 0, pawsPassive: null, seen: makeStats().seen });
    assert.deepEqual(cpu.origin, { user: 0.5, system: 2 });
  });
});

describe('a run that may not be compared', () => {
  it('none of the reasons holds for a good run', () => {
    assert.deepEqual(problemsOf({ times: { lag: Array(100).fill(9_000) } }), []);
    assert.deepEqual(warningsOf({}), []);
  });

  it('what was wrong before the load comes first', () => {
    const problems = problemsOf({ problems: ['the lab was not empty'], origin: { after: { refused: 1 } } });
    assert.deepEqual(problems, ['the lab was not empty', 'the origin ran out of descriptors']);
  });

  it('generator-limited: the p99 of the lag is above the budget', () => {
    const late = (n: number) => ({ lag: [...Array(1000 - n).fill(50), ...Array(n).fill(20_000)] });
    assert.deepEqual(problemsOf({ times: late(10) }), [], 'one in a hundred may be late');
    const [problem, ...more] = problemsOf({ times: late(11) });
    assert.match(problem!, /^generator-limited: the p99 of the start lag was 20\.0 ms, above the budget of 10 ms$/);
    assert.deepEqual(more, []);
    assert.deepEqual(problemsOf({ times: late(11), load: { lagBudgetMs: 25 } }), []);
  });

  it('fill and hold have no schedule to be late for', () => {
    const times = { lag: Array(100).fill(1e6) };
    const hold = { arrival: { shape: 'hold', connections: 1, durationMs: 1 } } as const;
    assert.deepEqual(problemsOf({ times, load: hold }), []);
    assert.equal(problemsOf({ times }).length, 1);
  });

  it('shed for want of descriptors; but what maxInFlight sheds was asked for', () => {
    const outcomes = { ok: 90, shed: 10 };
    assert.deepEqual(problemsOf({ outcomes }), [
      '10 of 100 attempts were shed: the descriptor limit of this process was reached',
    ]);
    assert.deepEqual(problemsOf({ outcomes, load: { maxInFlight: 50 } }), []);
    assert.deepEqual(warningsOf({ outcomes, load: { maxInFlight: 50 } }), ['10 of 100 attempts were shed']);
  });

  it('the origin’s accept queue overflowed during the load', () => {
    const origin = { before: { listenOverflows: 4 }, after: { listenOverflows: 7 } };
    assert.deepEqual(problemsOf({ origin }), ["the origin's accept queue overflowed 3 times"]);
    assert.deepEqual(problemsOf({ origin: { before: { listenOverflows: 4 }, after: { listenOverflows: 4 } } }), []);
    const unknown = { before: { listenOverflows: null }, after: { listenOverflows: null } };
    assert.deepEqual(problemsOf({ origin: unknown }), []);
    assert.equal(measure(inputOf({ origin: unknown })).origin?.listenOverflows, null);
  });

  it('the origin took SYNs to be old', () => {
    const origin = { before: { pawsPassive: 3 }, after: { pawsPassive: 103 } };
    assert.match(warningsOf({ origin }).join(), /^the origin dropped 100 SYNs without an answer, .*TcpExt.PAWSPassive/);
    assert.equal(measure(inputOf({ origin })).origin?.pawsPassive, 100);
    assert.deepEqual(warningsOf({ origin: { before: { pawsPassive: 3 }, after: { pawsPassive: 3 } } }), []);
  });
});

describe('what a reader must know', () => {
  it('a fill ended at its bound, and not at the failures that it was to end at', () => {
    const arrival = { shape: 'fill', attempts: null, failures: 3, inFlight: 1, waves: 1, pauseMs: 0 } as const;
    const outcomes = { ok: 9_000, 'bind:EADDRINUSE': 1 };
    const report = { waves: [{ attempts: 9_001, outcomes, firstFailureAt: null }], seconds: 600.1 };
    assert.deepEqual(warningsOf({ outcomes, load: { arrival }, report }), [
      'the fill ended at its bound of 10m and not at 3 failures: 1 of 9001 attempts failed',
    ]);
    assert.deepEqual(warningsOf({ outcomes, load: { arrival }, report: { ...report, seconds: 5 } }), []);
    assert.deepEqual(warningsOf({ outcomes, load: { arrival: { ...arrival, failures: 1 } }, report }), []);
  });

  it('TIME_WAIT was skipped because its table was full', () => {
    const [warning] = warningsOf({ moved: { 'TcpExt.TCPTimeWaitOverflow': 12 } });
    assert.match(warning!, /^12 sockets were closed without TIME_WAIT because tcp_max_tw_buckets was full/);
    assert.deepEqual(warningsOf({ moved: { 'TcpExt.TW': 12 } }), []);
    assert.deepEqual(problemsOf({ moved: { 'TcpExt.TCPTimeWaitOverflow': 12 } }), [], 'it is no fault of the run');
  });
});
