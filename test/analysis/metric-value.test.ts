import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { metricValue } from '../../src/analysis/metric-value.js';
import { parseMetric } from '../../src/domain/metric.js';
import { runSchema } from '../../src/results/schema.js';
import { makeRun } from '../support/runs.js';

const run = makeRun({
  outcomes: { ok: 500, 'bind:EADDRINUSE': 300, 'connect:EADDRNOTAVAIL': 100, shed: 100 },
  latency: { total: { p50: 800, p99: 4000 }, bind: 12 },
  peakOpen: 520,
  openAtFirstFailure: 480,
  rate: 50,
  cpuPerConnection: 33,
  memory: 1_000_000,
  portsPeak: 470,
});

describe('the value of a metric', () => {
  const values: [string, number][] = [
    ['outcomes["ok"].count', 500],
    ['outcomes["bind:EADDRINUSE"].count', 300],
    ['outcomes["bind:EADDRINUSE"].share', 0.3],
    ['outcomes["shed"].share', 0.1],
    ['outcomes["bind:EMFILE"].count', 0],
    ['failures.count', 400],
    ['failures.share', 0.4],
    ['capacity', 480],
    ['rate', 50],
    ['latency.total.p50', 800],
    ['latency.total.p99', 4000],
    ['latency.bind.mean', 12],
    ['cpu.perConnection', 33],
    ['memory.peak', 1_000_000],
    ['ports.peak', 470],
  ];
  for (const [name, value] of values) {
    it(`${name} is ${value}`, () => assert.equal(metricValue(parseMetric(name), run), value));
  }

  it('capacity is the peak where nothing failed', () =>
    assert.equal(metricValue({ kind: 'capacity' }, makeRun({ peakOpen: 77 })), 77));

  it('is null where the run has none', () => {
    const empty = makeRun({ outcomes: {}, latency: {}, cpuPerConnection: null, portsPeak: null });
    for (const name of [
      'failures.share',
      'outcomes["ok"].share',
      'latency.total.p99',
      'cpu.perConnection',
      'ports.peak',
    ])
      assert.equal(metricValue(parseMetric(name), empty), null, name);
    assert.equal(metricValue(parseMetric('failures.count'), empty), 0);
  });
});

it('the builder of the tests makes runs that the schema accepts', () => {
  for (const each of [run, makeRun(), makeRun({ status: 'failed', block: 3, variant: 'x' })])
    assert.deepEqual(runSchema.parse(each), each);
});
