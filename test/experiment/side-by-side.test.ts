import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { observedAtOnce } from '../../src/experiment/order.js';
import { sideBySide } from '../../src/experiment/side-by-side.js';
import { loadProfile } from '../../src/profile/load.js';
import { makeEnvironment, makeExperiment } from '../support/runs.js';

const EXACT = '{ shape: constant, rate: 4000/s, duration: 250ms }';

interface Wanted {
  readonly arrival?: string;
  readonly load?: string;
  readonly more?: string;
  readonly cpus?: number;
}

function atOnce({ arrival = EXACT, load = '', more = 'guardrails: []', cpus = 4 }: Wanted): number | undefined {
  const { experiment } = loadProfile(
    `name: at-once
addresses: { cidr: 10.50.0.0/24, count: 5 }
load: { strategy: bind, arrival: ${arrival}${load} }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - { name: more, addresses: { count: 10 } }
goal: failures.share
${more}`,
    'at-once.yaml',
  );
  return sideBySide(experiment, () => ({ ...makeEnvironment(), kernel: '6.18.0', cpus })).atOnce;
}

describe('runs that are under way at once', () => {
  it('are as many as there are CPUs for load workers where nothing but exact counts is compared', () => {
    assert.equal(atOnce({}), 4);
    assert.equal(atOnce({ cpus: 2 }), 2);
    assert.equal(atOnce({ load: ', workers: 2' }), 2);
    assert.equal(atOnce({ load: ', workers: 3' }), undefined);
    assert.equal(atOnce({ cpus: 1 }), undefined);
  });

  it('are one where a guardrail or a threshold is a time', () => {
    assert.equal(atOnce({ more: 'guardrails: [latency.total.p99]' }), undefined);
    const threshold = 'thresholds: [{ metric: latency.total.p99, max: 1s }]';
    assert.equal(atOnce({ more: `guardrails: []\n${threshold}` }), undefined);
    assert.equal(atOnce({ more: 'guardrails: []\nthresholds: [{ metric: failures.share, max: 50% }]' }), 4);
  });

  it('are one where ports come back in their own time, since the pace then decides the counts', () => {
    assert.equal(atOnce({ arrival: '{ shape: constant, rate: 20/s, duration: 90s }' }), undefined);
  });

  it('are one on a machine of which nothing is known, and beside neighbours', () => {
    const neighbours = `guardrails: []
neighbours:
  - { name: other, where: beside, strategy: connect, rate: 100/s, duration: 300ms }`;
    assert.equal(atOnce({ more: neighbours }), undefined);
  });
});

describe('runs in which calls are counted', () => {
  it('are made as many at once as there are CPUs, up to four, where each has a namespace of its own', () => {
    const of = (lab: 'netns' | 'vm' | 'host', cpus: number) => observedAtOnce({ ...makeExperiment(), lab }, cpus);
    assert.deepEqual([of('netns', 2), of('netns', 64), of('netns', 1)], [2, 4, 1]);
    assert.deepEqual([of('vm', 2), of('host', 2)], [1, 1]);
  });
});
