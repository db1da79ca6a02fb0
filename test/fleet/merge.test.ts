import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Measurement } from '../../src/agent/protocol.js';
import { mergeParts } from '../../src/fleet/together/merge.js';
import { createHistograms, decodeHistogram, encodeHistograms, record, summarise } from '../../src/load/histogram.js';
import type { Second } from '../../src/results/schema.js';
import { labArm, tenAddresses } from '../support/lab.js';
import { makeRun } from '../support/runs.js';

/** Latencies of a hundred attempts, spread over five orders of magnitude. */
const TIMES = Array.from({ length: 100 }, (_, i) => Math.round(10 * 1.12 ** i));
const ARM = labArm({
  load: { arrival: { shape: 'constant', rate: 100, durationMs: 1000 } },
  addresses: tenAddresses(4),
});

function measured(times: readonly number[], attempts: number, more: Partial<Measurement> = {}): Measurement {
  const histograms = createHistograms();
  for (const time of times) record(histograms.total, time);
  const run = makeRun({ variant: 'test' });
  const second: Second = {
    t: 1,
    attempts,
    outcomes: { ok: attempts },
    states: { TIME_WAIT: attempts },
    portsInUse: attempts,
    portsPerAddress: [attempts],
    counters: {},
    cpu: { client: 0.5, origin: null, machine: null },
    load1: 1,
    memory: 1000,
  };
  return {
    ...run,
    problems: [],
    warnings: [],
    attempts,
    outcomes: { ok: attempts },
    rates: { scheduled: attempts, started: attempts, ok: attempts },
    ports: { ...run.ports, peak: attempts, peakPerAddress: [attempts] },
    timeline: [second],
    interrupted: false,
    loadMs: 1000,
    histograms: encodeHistograms(histograms),
    ...more,
  };
}

describe('a run that several machines made at once', () => {
  const parts = [0, 1, 2, 3].map((i) => ({
    name: 'abcd'[i]!,
    addresses: [ARM.addresses[i]!],
    measurement: measured(
      TIMES.filter((_, n) => n % 4 === i),
      25,
    ),
  }));

  it('has the counts and the percentiles of one machine with the same schedule, exactly', () => {
    const alone = measured(TIMES, 100);
    const merged = mergeParts(ARM, parts);
    assert.equal(merged.attempts, 100);
    assert.deepEqual(merged.outcomes, { ok: 100 });
    assert.deepEqual(merged.rates, alone.rates);
    assert.deepEqual(merged.problems, []);
    assert.deepEqual(merged.latency.total, summarise(decodeHistogram(alone.histograms.total!)));
    assert.deepEqual(merged.ports.peakPerAddress, [25, 25, 25, 25]);
    assert.equal(merged.timeline[0]!.attempts, 100);
    assert.equal(merged.timeline[0]!.cpu.client, 2);
  });

  it('is not to be compared when an attempt is missing from the sum', () => {
    const [first, ...rest] = parts;
    const short = { ...first!, measurement: measured([1], 24) };
    assert.match(
      mergeParts(ARM, [short, ...rest]).problems.join(),
      /made 99 attempts together, .* and 100 were scheduled/,
    );
    const uneven = { ...first!, measurement: measured([1], 25, { outcomes: { ok: 24 } }) };
    assert.match(mergeParts(ARM, [uneven, ...rest]).problems.join(), /a: its outcomes do not add up/);
  });

  it('names the machine of each problem', () => {
    const [first, ...rest] = parts;
    const late = { ...first!, measurement: measured([1], 25, { problems: ['late'] }) };
    assert.deepEqual(mergeParts(ARM, [late, ...rest]).problems, ['a: late']);
  });
});
