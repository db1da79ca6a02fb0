import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { makeExperiment, makeRuns } from '../support/runs.js';

interface Times {
  readonly service?: number;
  readonly lag: number;
}

/** Nine pairs of steady times; the total is the lag and the time from the start. */
function guardrail(before: Times, after: Times) {
  const runs = (variant: string, { service, lag }: Times) =>
    makeRuns(
      variant,
      Array.from({ length: 9 }, (_, i) => ({
        latency: {
          total: { p99: lag + (service ?? 300) + i },
          lag: { p99: lag },
          ...(service === undefined ? {} : { service: { p99: service + i } }),
        },
      })),
    );
  const experiment = makeExperiment({ goal: 'latency.total.p99', repeat: 9 });
  return compareArms({
    experiment,
    runs: [...runs('baseline', before), ...runs('wider-range', after)],
    deterministic: () => false,
  }).get('wider-range')!.goal;
}

describe('a total time that grew', () => {
  it('by the lag of the generator alone is no change of the target', () => {
    const { verdict, why } = guardrail({ service: 300, lag: 600 }, { service: 310, lag: 1700 });
    assert.equal(verdict, 'not enough evidence');
    assert.match(
      why,
      /it was the lag of the generator that moved, from 600 µs to 1\.7 ms: from the start of each attempt it took 314 µs, against 304 µs in the baseline \(latency\.service\.p99\)/,
    );
  });

  it('by what the target took is one, though the generator fell behind with it', () => {
    assert.equal(guardrail({ service: 300, lag: 600 }, { service: 5000, lag: 90_000 }).verdict, 'worse');
  });

  it('against a time from the start that fell is none', () => {
    assert.equal(guardrail({ service: 5000, lag: 600 }, { service: 300, lag: 90_000 }).verdict, 'not enough evidence');
  });

  it('is taken as it is where no time from the start is known', () => {
    assert.equal(guardrail({ lag: 600 }, { lag: 9000 }).verdict, 'worse');
  });
});
