import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { METRIC_FORMS, parseMetric } from '../../src/domain/metric.js';
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
    it(`${name} is ${value}`, () => assert.equal(parseMetric(name).value(run), value));
  }

  it('capacity is the peak where nothing failed', () =>
    assert.equal(parseMetric('capacity').value(makeRun({ peakOpen: 77 })), 77));

  it('of one of several loads is its own', () => {
    const part = { name: 'bulk', attempts: 10, outcomes: { ok: 4, 'bind:EADDRINUSE': 6 }, latency: {} };
    const several = { ...run, scenarios: [part] };
    assert.equal(parseMetric('scenarios["bulk"].failures.share').value(several), 0.6);
    assert.equal(parseMetric('failures.share').value(several), 0.4);
    assert.equal(parseMetric('scenarios["other"].failures.share').value(several), null);
    assert.equal(parseMetric('scenarios["bulk"].failures.share').label, 'failures of any kind of the scenario bulk');
    assert.throws(() => parseMetric('scenarios["bulk"].capacity'), /a scenario has no "capacity"; it has/);
  });

  it('is null where the run has none', () => {
    const empty = makeRun({ outcomes: {}, latency: {}, cpuPerConnection: null, portsPeak: null });
    for (const name of [
      'failures.share',
      'outcomes["ok"].share',
      'latency.total.p99',
      'cpu.perConnection',
      'ports.peak',
    ])
      assert.equal(parseMetric(name).value(empty), null, name);
    assert.equal(parseMetric('failures.count').value(empty), 0);
  });
});

describe('the words of a metric', () => {
  const words: [name: string, label: string, title: string][] = [
    ['outcomes["bind:EADDRINUSE"].share', 'bind:EADDRINUSE', 'bind:EADDRINUSE'],
    ['outcomes["bind:EADDRINUSE"].count', 'bind:EADDRINUSE', 'bind:EADDRINUSE (count)'],
    ['failures.share', 'failures of any kind', 'failures'],
    ['latency.total.p99', 'latency.total.p99', 'total time, p99'],
    ['latency.total.p999', 'latency.total.p999', 'total time, p99.9'],
    ['cpu.perConnection', 'CPU per connection', 'CPU per connection'],
    ['rate', 'the rate of ok connections', 'connection rate'],
    ['neighbours["dns"].failures.share', 'failures of any kind of the neighbour dns', 'dns: failures'],
  ];
  for (const [name, label, title] of words)
    it(`${name} is ${label} in a sentence and ${title} in a heading`, () =>
      assert.deepEqual([parseMetric(name).label, parseMetric(name).title], [label, title]));

  it('every form that the reference lists is a metric', () => {
    for (const form of METRIC_FORMS)
      assert.doesNotThrow(() => parseMetric(form.replace(/\{(\w+)[^}]*\}/g, '$1')), form);
  });
});

describe('the margin', () => {
  const margins: [name: string, baseline: number, margin: number][] = [
    ['failures.share', 0, 0.001],
    ['failures.share', 0.05, 0.005],
    ['failures.share', 0.5, 0.01],
    ['failures.count', 1000, 20],
    ['capacity', 1000, 20],
    ['rate', 100, 2],
    ['ports.peak', 500, 10],
    ['latency.total.p50', 200, 100],
    ['latency.total.p90', 4000, 400],
    ['latency.total.p99', 1000, 500],
    ['latency.total.max', 4000, 1000],
    ['cpu.perConnection', 40, 4],
    ['memory.peak', 1000, 100],
  ];
  for (const [name, baseline, margin] of margins)
    it(`of ${name} is ${margin} where the baseline is ${baseline}`, () =>
      assert.ok(Math.abs(parseMetric(name).margin(baseline) - margin) < 1e-9));
});

describe('connections from another address', () => {
  const { value, needs } = parseMetric('sourceAddress.wrong');
  const origin = (wrongSource?: number) => ({ accepted: 20, seen: { wrongSource } });

  it('are a share of those that the origin accepted', () => {
    assert.equal(value({ ...run, origin: origin(5) }), 0.25);
    assert.equal(value({ ...run, origin: origin(0) }), 0);
  });

  it('have no value where nobody asked, or where nothing came', () => {
    assert.equal(value({ ...run, origin: origin() }), null);
    assert.equal(value({ ...run, origin: null }), null);
    assert.equal(value({ ...run, origin: { ...origin(0), accepted: 0 } }), null);
    assert.equal(needs?.key, 'addresses.unbound');
  });
});

describe('the time until it works again', () => {
  const { value, isLowerBound } = parseMetric('recovery.time');
  const of = (seconds: number | null, attempts = 3) => ({ ...run, recovery: { seconds, within: 15, attempts } });

  it('is in microseconds, and at least what was waited where it never came', () => {
    assert.deepEqual([value(of(0.25)), isLowerBound(of(0.25))], [250_000, false]);
    assert.deepEqual([value(of(null)), isLowerBound(of(null))], [15_000_000, true]);
  });

  it('has no value where it was not asked, or where the ports could not be freed', () => {
    assert.deepEqual([value(run), isLowerBound(run)], [null, false]);
    assert.equal(value(of(null, 0)), null);
  });
});

describe('local ports per request', () => {
  const { value } = parseMetric('ports.perRequest');
  const origin = { accepted: 5, listenOverflows: 0 };

  it('are the connections that the origin accepted, by the requests that were answered', () => {
    assert.equal(value({ ...run, outcomes: { ok: 100, 'connect:EADDRNOTAVAIL': 7 }, origin }), 0.05);
  });

  it('of UDP are the sockets that got a port, of which the origin sees only datagrams', () => {
    const taken = (count: number | null) => ({ ...run, ports: { ...run.ports, taken: count }, outcomes: { ok: 500 } });
    assert.equal(value({ ...taken(1), origin: { ...origin, accepted: 500 } }), 0.002);
    assert.equal(value({ ...taken(500), origin: null }), 1);
    assert.equal(value({ ...taken(null), origin: { ...origin, accepted: 500 } }), null, 'a program that nobody traced');
  });

  it('have no value where nothing was answered, or where nobody counts at the other end', () => {
    assert.equal(value({ ...run, outcomes: { 'connect:EADDRNOTAVAIL': 7 }, origin }), null);
    assert.equal(value({ ...run, outcomes: { ok: 100 }, origin: null }), null);
  });
});

it('the builder of the tests makes runs that the schema accepts', () => {
  for (const each of [run, makeRun(), makeRun({ status: 'failed', block: 3, variant: 'x' })])
    assert.deepEqual(runSchema.parse(each), each);
});
