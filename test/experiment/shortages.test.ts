import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shortages } from '../../src/experiment/shortages.js';
import type { Arm, Arrival, LoadPlan } from '../../src/plan/plan.js';
import type { Environment, Prediction } from '../../src/results/schema.js';
import { makeArm, makeEnvironment, makeExperiment, makePrediction } from '../support/runs.js';

interface Numbers {
  arrival: Arrival;
  holdMs?: number | null;
  close?: LoadPlan['close'];
  concurrent?: number | null;
  descriptors?: number;
  buckets?: { default?: string; arm?: string };
}

const BUCKETS = 'net.ipv4.tcp_max_tw_buckets';
const PLENTY = 10_000_000;

function found({ arrival, holdMs = 0, close = 'reset', concurrent = 28_232, descriptors = PLENTY, buckets }: Numbers) {
  const plain = makeArm('baseline');
  const arm: Arm = {
    ...plain,
    sysctls: buckets?.arm === undefined ? {} : { [BUCKETS]: buckets.arm },
    load: { ...plain.load, arrival, holdMs, close },
  };
  const environment: Environment = {
    ...makeEnvironment(),
    descriptors,
    defaults: buckets?.default === undefined ? {} : { [BUCKETS]: buckets.default },
  };
  const prediction: Prediction = { ...makePrediction(), concurrent };
  return shortages({ ...makeExperiment(), arms: [arm] }, environment, [prediction]);
}

const constant = (rate: number, durationMs = 10_000): Arrival => ({ shape: 'constant', rate, durationMs });
const fill = (attempts: number | null): Arrival => ({
  shape: 'fill',
  attempts,
  failures: 20,
  inFlight: 32,
  waves: 1,
  pauseMs: 0,
});

/** The fewest descriptors with which nothing is short: what is open at once, and 200 for the process itself. */
function needed(numbers: Omit<Numbers, 'descriptors'>): number {
  let low = 0;
  let high = PLENTY;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (found({ ...numbers, descriptors: middle }).length === 0) high = middle;
    else low = middle + 1;
  }
  return low - 200;
}

describe('descriptors', () => {
  it('are wanted for what is open at once: the rate times the hold (Little), up to the attempts and the ports', () => {
    assert.equal(needed({ arrival: constant(2000), holdMs: 3000 }), 6000);
    assert.equal(needed({ arrival: { shape: 'poisson', rate: 2000, durationMs: 10_000 }, holdMs: 1000 }), 2000);
    assert.equal(needed({ arrival: constant(2000), holdMs: null }), 20_000, 'held to the end');
    assert.equal(needed({ arrival: constant(2000), holdMs: null, concurrent: 500 }), 500);
    assert.equal(needed({ arrival: constant(2000), holdMs: null, concurrent: null }), 20_000);
  });

  it('a ramp and steps count at their highest rate', () => {
    assert.equal(needed({ arrival: { shape: 'ramp', from: 10, to: 700, durationMs: 10_000 }, holdMs: 1000 }), 700);
    assert.equal(needed({ arrival: { shape: 'ramp', from: 700, to: 10, durationMs: 10_000 }, holdMs: 1000 }), 700);
    assert.equal(needed({ arrival: { shape: 'steps', rates: [5, 900, 7], eachMs: 5000 }, holdMs: 1000 }), 900);
  });

  it('hold needs its connections, and a fill that holds all of its attempts', () => {
    assert.equal(needed({ arrival: { shape: 'hold', connections: 5000, durationMs: 1 } }), 5000);
    assert.equal(needed({ arrival: fill(3000), holdMs: null }), 3000);
    assert.equal(needed({ arrival: fill(50_000), holdMs: null, concurrent: 1000 }), 1000);
  });

  it('short connections want none to speak of', () => {
    assert.deepEqual(found({ arrival: constant(20_000), descriptors: 1024 }), []);
    assert.deepEqual(found({ arrival: fill(1_000_000), descriptors: 1024 }), []);
  });

  it('too few are named with what to do', () => {
    const [text, ...more] = found({ arrival: constant(2000), holdMs: 3000, descriptors: 1024 });
    assert.equal(
      text,
      'baseline needs 6,000 sockets open at once, but a worker may have only 1,024 descriptors here; attempts beyond that are shed, and the run cannot be compared. Raise the limit (ulimit -n), set load.workers to 8, or use fewer addresses or a smaller range',
    );
    assert.deepEqual(more, []);
    assert.match(
      found({ arrival: fill(null), holdMs: null, concurrent: null })[0]!,
      /^baseline needs as many sockets as there are ports open at once/,
    );
  });
});

describe('the TIME_WAIT table', () => {
  const full: Numbers = { arrival: constant(2000), close: 'client', buckets: { default: '8192' } };

  it('that is smaller than what gets into TIME_WAIT would hide the exhaustion', () => {
    assert.deepEqual(found(full), [
      "baseline may leave 20,000 sockets in TIME_WAIT, more than net.ipv4.tcp_max_tw_buckets (8,192); the excess skips TIME_WAIT and hides the exhaustion. Raise it in the profile's sysctls",
    ]);
  });

  it('is large enough up to the attempts or the ports, whichever are fewer', () => {
    assert.deepEqual(found({ ...full, buckets: { default: '20000' } }), []);
    assert.equal(found({ ...full, buckets: { default: '19999' } }).length, 1);
    assert.deepEqual(found({ ...full, concurrent: 8192 }), []);
    assert.equal(found({ ...full, concurrent: 8193 }).length, 1);
  });

  it('is left alone where an arm sets it: whoever makes it small does so to see what comes of it', () => {
    assert.deepEqual(found({ ...full, buckets: { default: '8192', arm: '262144' } }), []);
    assert.deepEqual(found({ ...full, buckets: { default: '8192', arm: '100' } }), []);
  });

  it('matters only where the client closes, and where its size is known', () => {
    assert.deepEqual(found({ ...full, close: 'server' }), []);
    assert.deepEqual(found({ ...full, close: 'reset' }), []);
    assert.deepEqual(found({ ...full, buckets: {} }), []);
  });
});

it('every arm is looked at with its own prediction', () => {
  const experiment = makeExperiment({ variants: ['a', 'b'] });
  for (const arm of experiment.arms) arm.load = { ...arm.load, holdMs: null };
  const predictions = [100, 50_000, 900].map((concurrent) => ({ ...makePrediction(), concurrent }));
  const texts = shortages(experiment, { ...makeEnvironment(), descriptors: 1000 }, predictions);
  assert.deepEqual(
    texts.map((text) => text.split(' ').slice(0, 3).join(' ')),
    ['a needs 1,000', 'b needs 900'],
  );
});
