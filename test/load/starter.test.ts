import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Followed } from '../../src/load/event-loop.js';
import { SLOT_TIMEOUT } from '../../src/load/outcome.js';
import { createPacer } from '../../src/load/pacer.js';
import { createRecorder, type Recorder } from '../../src/load/recorder.js';
import { createSharedLoad, type SharedLoad } from '../../src/load/shared.js';
import { createStarter, type Starter, type StarterInput } from '../../src/load/starter.js';
import type { Arrival } from '../../src/plan/plan.js';

const NEVER = Number.POSITIVE_INFINITY;
const BURST = 128;
const START = 1_000_000;

interface Attempt {
  readonly n: number;
  readonly scheduled: number;
  /** When it was really begun, µs. */
  readonly begun: number;
}

interface Scene {
  readonly input: StarterInput;
  readonly attempts: Attempt[];
  readonly recorder: Recorder;
  readonly shared: SharedLoad;
  /** Microseconds; every attempt takes `cost`. */
  clock: number;
  cost: number;
  /** What becomes of an attempt: held open, under way, or failed at once. */
  fate: (n: number) => 'open' | 'pending' | 'fails';
  pending: number;
}

/** A starter's surroundings without sockets: a clock that only attempts move, and connections that do as they are told. */
function scene({ worker = 0, workers = 1, budget = 1000 } = {}): Scene {
  const shared = createSharedLoad(workers);
  const recorder = createRecorder(shared, worker);
  recorder.beginWave();
  const attempts: Attempt[] = [];
  const connections: Followed = {
    pending: () => it.pending,
    attempt(n, scheduled) {
      attempts.push({ n, scheduled, begun: it.clock });
      it.clock += it.cost;
      const fate = it.fate(n);
      if (fate === 'fails') return recorder.failed(SLOT_TIMEOUT, 1);
      recorder.opened();
      if (fate === 'pending') it.pending++;
    },
    onEvents: () => assert.fail('a starter has no events'),
    listen: () => assert.fail('a starter does not listen'),
    expire: () => assert.fail('a starter expires nothing'),
    closeAll: () => assert.fail('a starter closes nothing'),
  };
  const it: Scene = {
    input: { connections, recorder, shared, worker, workers, seed: 1, budget, now: () => it.clock },
    attempts,
    recorder,
    shared,
    clock: START,
    cost: 0,
    fate: () => 'open',
    pending: 0,
  };
  return it;
}

/** Call the starter as the engine does, whenever it asks to be called, until it waits forever or is finished. */
function run(starter: Starter, it: Scene, until = NEVER): void {
  for (let turns = 0; !starter.finished(it.clock) && it.clock < until; turns++) {
    assert.ok(turns < 10_000, 'the starter comes to an end');
    const due = starter.start(it.clock);
    if (due === NEVER) return;
    it.clock = Math.max(it.clock, due);
  }
}

describe('attempts at scheduled instants', () => {
  const arrival: Arrival = { shape: 'constant', rate: 1000, durationMs: 100 };

  it('each begins at its instant when nothing holds it up', () => {
    const it = scene();
    run(createStarter(arrival, START, it.input), it);
    assert.equal(it.attempts.length, 100);
    it.attempts.forEach(({ n, scheduled, begun }, i) => {
      assert.deepEqual([n, scheduled, begun], [i, START + 1000 * i, START + 1000 * i]);
    });
  });

  it('open loop: slow attempts are begun late, and none is left out or scheduled anew', () => {
    const it = scene();
    it.cost = 2500;
    run(createStarter(arrival, START, it.input), it);
    assert.equal(it.attempts.length, 100);
    it.attempts.forEach(({ scheduled, begun }, i) => {
      assert.equal(scheduled, START + 1000 * i, 'the schedule does not wait');
      assert.equal(begun, START + 2500 * i, 'one after the other, without a pause');
    });
  });

  it('a stall is made up for at once', () => {
    const it = scene();
    const starter = createStarter(arrival, START, it.input);
    assert.equal(starter.start(START), START + 1000);
    it.clock = START + 50_500;
    assert.equal(starter.start(it.clock), START + 51_000);
    assert.equal(it.attempts.length, 51);
    assert.equal(it.attempts.at(-1)!.scheduled, START + 50_000);
  });

  it('does nothing before an attempt is due, and says when', () => {
    const it = scene();
    const starter = createStarter(arrival, START + 5000, it.input);
    assert.equal(starter.start(START), START + 5000);
    assert.equal(it.attempts.length, 0);
    assert.equal(starter.finished(START), false);
  });

  it('begins at most a burst in one go, and then wants to be called at once', () => {
    const it = scene();
    const starter = createStarter({ shape: 'constant', rate: 1_000_000, durationMs: 1 }, START, it.input);
    const late = START + 10_000;
    it.clock = late;
    const counts: number[] = [];
    for (let due = 0; due <= late; ) {
      due = starter.start(late);
      counts.push(it.attempts.length);
    }
    assert.deepEqual(counts, [128, 256, 384, 512, 640, 768, 896, 1000]);
    assert.equal(starter.finished(late), true);
  });

  it('a worker has its own attempts of the schedule, under their numbers in the whole load', () => {
    const it = scene({ worker: 2, workers: 3 });
    run(createStarter(arrival, START, it.input), it);
    assert.deepEqual(
      it.attempts.map(({ n }) => n),
      Array.from({ length: 33 }, (_, i) => 2 + 3 * i).filter((n) => n < 100),
    );
    for (const { n, scheduled } of it.attempts) assert.equal(scheduled, START + 1000 * n);
  });

  it('Poisson attempts come at the instants of the pacer', () => {
    const poisson: Arrival = { shape: 'poisson', rate: 500, durationMs: 200 };
    const it = scene({ worker: 1, workers: 2 });
    run(createStarter(poisson, START, it.input), it);
    const pacer = createPacer(poisson, 1, 2, 1);
    assert.ok(it.attempts.length > 10);
    for (const { scheduled } of it.attempts) assert.equal(scheduled, START + pacer());
    assert.equal(pacer(), NEVER);
  });
});

describe('fill', () => {
  const fill = (
    stop: { attempts?: number; failures?: number; withinMs?: number },
    inFlight = 32,
  ): Extract<Arrival, { shape: 'fill' }> => ({
    shape: 'fill',
    attempts: stop.attempts ?? null,
    failures: stop.failures ?? null,
    ...(stop.withinMs === undefined ? {} : { withinMs: stop.withinMs }),
    inFlight,
    waves: 1,
    pauseMs: 0,
  });

  it('ends after so many attempts of all workers together', () => {
    for (const workers of [1, 3, 7]) {
      const numbers = Array.from({ length: workers }, (_, worker) => {
        const it = scene({ worker, workers });
        const starter = createStarter(fill({ attempts: 100 }), START, it.input);
        run(starter, it);
        assert.equal(starter.finished(it.clock), true);
        return it.attempts.map(({ n }) => n);
      });
      assert.deepEqual(
        numbers.flat().sort((a, b) => a - b),
        [...Array(100).keys()],
      );
    }
  });

  it('attempts are due when they begin: nothing is late', () => {
    const it = scene();
    it.cost = 700;
    run(createStarter(fill({ attempts: 10 }), START, it.input), it);
    for (const { scheduled, begun } of it.attempts) assert.equal(scheduled, begun);
  });

  it('ends when its time is over, from when it began', () => {
    const it = scene();
    it.cost = 700;
    const starter = createStarter(fill({ attempts: 1000, withinMs: 7 }), START, it.input);
    run(starter, it);
    assert.equal(it.attempts.length, 10);
    assert.equal(starter.finished(it.clock), true);
  });

  it('without a number of attempts, ends after ten minutes though nothing fails', () => {
    const it = scene({ budget: NEVER });
    it.cost = 60_000_000;
    const starter = createStarter(fill({ failures: 1 }), START, it.input);
    run(starter, it);
    assert.equal(it.attempts.length, 10);
    assert.equal(starter.finished(it.clock), true);
  });

  it('begins at most a burst in one go', () => {
    const it = scene();
    const starter = createStarter(fill({ attempts: 1000 }), START, it.input);
    assert.equal(starter.start(it.clock), it.clock, 'there is more to do at once');
    assert.equal(it.attempts.length, BURST);
  });

  it('ends after so many failures, other workers’ included and earlier waves’ not', () => {
    const it = scene();
    it.recorder.failed(SLOT_TIMEOUT, 1);
    const starter = createStarter(fill({ failures: 3 }), START, it.input);
    it.fate = (n) => (n === 4 ? 'fails' : 'open');
    starter.start(it.clock);
    assert.equal(starter.finished(it.clock), false);
    const before = it.attempts.length;
    Atomics.add(it.shared.failures, 0, 1);
    it.fate = () => 'fails';
    run(starter, it);
    assert.equal(it.attempts.length, before + 1);
    assert.equal(starter.finished(it.clock), true);
  });

  it('whichever limit is reached first counts', () => {
    const it = scene();
    it.fate = () => 'fails';
    run(createStarter(fill({ attempts: 50, failures: 20 }), START, it.input), it);
    assert.equal(it.attempts.length, 20);
    const other = scene();
    other.fate = (n) => (n < 5 ? 'fails' : 'open');
    run(createStarter(fill({ attempts: 50, failures: 20 }), START, other.input), other);
    assert.equal(other.attempts.length, 50);
  });

  it('waits for room while so many handshakes are under way', () => {
    const it = scene();
    it.fate = () => 'pending';
    const starter = createStarter(fill({ attempts: 50 }, 8), START, it.input);
    assert.equal(starter.start(it.clock), NEVER);
    assert.equal(it.attempts.length, 8);
    assert.equal(starter.finished(it.clock), false);
    it.pending -= 3;
    assert.equal(starter.start(it.clock), NEVER);
    assert.equal(it.attempts.length, 11);
  });

  it('without a number of attempts, a full descriptor table ends it', () => {
    const it = scene({ budget: 300 });
    const starter = createStarter(fill({ failures: 20 }), START, it.input);
    run(starter, it);
    assert.equal(it.attempts.length, 300);
    assert.equal(starter.finished(it.clock), true);
  });

  it('with a number of attempts, those beyond the descriptors are made too, to be counted as shed', () => {
    const it = scene({ budget: 300 });
    run(createStarter(fill({ attempts: 400 }), START, it.input), it);
    assert.equal(it.attempts.length, 400);
  });
});

describe('hold', () => {
  const hold = (connections: number): Extract<Arrival, { shape: 'hold' }> => ({
    shape: 'hold',
    connections,
    durationMs: 1000,
  });
  const END = START + 1_000_000;

  it('opens its share of the connections, and then waits for the end', () => {
    for (const workers of [1, 3, 8]) {
      const shares = Array.from({ length: workers }, (_, worker) => {
        const it = scene({ worker, workers });
        const starter = createStarter(hold(7), START, it.input);
        assert.equal(starter.start(it.clock), END);
        return it.attempts.length;
      });
      assert.equal(
        shares.reduce((sum, n) => sum + n, 0),
        7,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    }
  });

  it('opens another when one has ended', () => {
    const it = scene();
    const starter = createStarter(hold(3), START, it.input);
    starter.start(it.clock);
    it.recorder.closed(true);
    it.recorder.closed(true);
    starter.start(it.clock);
    assert.deepEqual(
      it.attempts.map(({ n }) => n),
      [0, 1, 2, 3, 4],
    );
  });

  it('a slot that fails is tried again after 10 ms, not in a loop', () => {
    const it = scene();
    it.fate = () => 'fails';
    const starter = createStarter(hold(3), START, it.input);
    assert.equal(starter.start(START), START + 10_000);
    assert.equal(it.attempts.length, 1);
    assert.equal(starter.start(START + 9_999), START + 10_000);
    assert.equal(it.attempts.length, 1);
    it.clock = START + 10_000;
    assert.equal(starter.start(it.clock), START + 20_000);
    assert.equal(it.attempts.length, 2);
    it.fate = () => 'open';
    it.clock = START + 20_000;
    assert.equal(starter.start(it.clock), END);
    assert.equal(it.recorder.open(), 3);
  });

  it('ends at its end, and starts nothing after it', () => {
    const it = scene();
    it.fate = () => 'fails';
    const starter = createStarter(hold(3), START, it.input);
    assert.equal(starter.start(END - 1), END, 'the next try would be after the end');
    assert.equal(starter.finished(END - 1), false);
    assert.equal(starter.start(END), NEVER);
    assert.equal(it.attempts.length, 1);
    assert.equal(starter.finished(END), true);
  });

  it('begins at most a burst in one go', () => {
    const it = scene();
    const starter = createStarter(hold(1000), START, it.input);
    assert.equal(starter.start(it.clock), it.clock);
    assert.equal(it.attempts.length, BURST);
  });
});
