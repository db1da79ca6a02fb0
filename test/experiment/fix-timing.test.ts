import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixProfile } from '../../src/experiment/fix-rows.js';
import { punctual, whyNoCount } from '../../src/experiment/fix-timing.js';
import { runOne } from '../../src/experiment/run-one.js';
import { parseFix } from '../../src/profile/fix.js';
import { loadProfile } from '../../src/profile/load.js';
import { fakeLab, makeMeasurement } from '../support/fake-lab.js';
import { makeEnvironment } from '../support/runs.js';

const fix = (name: string, change: string) =>
  parseFix(
    `{ name: ${name}, title: t, claim: c, source: s, change: ${change}, rule: r, kernelSource: k }`,
    `${name}.yaml`,
  );
const FIXES = [
  fix('tw-reuse-1', '{ sysctls: { net.ipv4.tcp_tw_reuse: 1 } }'),
  fix('at-once', '{ sysctls: { net.ipv4.tcp_tw_reuse: 1, net.ipv4.tcp_tw_reuse_delay: 1 } }'),
];
const { arms } = loadProfile(fixProfile(FIXES, { strategy: 'connect' }, 'host'), 'fixes.yaml').experiment;
const arm = (name: string) => arms.find((each) => each.name === name)!;
const environment = { ...makeEnvironment(), kernel: '6.18.0' };
const of = (name: string, loadMs: number, latency = {}, interrupted = false) =>
  whyNoCount(arm(name), { interrupted, latency, loadMs }, environment);
const lag = (p99: number) => ({ lag: { ...makeMeasurement().latency.total!, p99 } });

test('waves that outlast the second after which ports come back are no count', () => {
  assert.equal(of('tw-reuse-1', 1500 + 900), undefined);
  assert.match(of('tw-reuse-1', 1500 + 1100)!, /^its waves took 1\.1 s, and ports come back after 1\.0 s/);
});

test('where ports come back after a minute, or at once, a wave may take its time', () => {
  assert.equal(of('baseline', 20_000), undefined);
  assert.equal(of('at-once', 20_000), undefined);
});

test('nor is one whose attempts came late, and so many at once; one that was interrupted is not judged', () => {
  assert.equal(of('baseline', 2000, lag(900_000)), undefined);
  assert.equal(of('baseline', 9000, lag(7_400_000)), 'its attempts came 7.4 s late, and then many at once');
  assert.equal(of('tw-reuse-1', 9000, lag(7_400_000), true), undefined);
});

test('such a run fails, and says why; any other is as it was', async () => {
  const loads = [9000, 2000];
  const lab = fakeLab((i) => ({
    answers: () => [{ type: 'result', measurement: makeMeasurement({}, { loadMs: loads[i]! }) }],
  }));
  let late = 0;
  const judged = punctual(lab, environment, () => late++);
  const outcomes = [];
  for (const id of ['first', 'second'])
    outcomes.push(
      await runOne({
        lab: judged,
        arm: arm('tw-reuse-1'),
        planned: { id, variant: 'tw-reuse-1', block: 0, warmup: false, order: 0, seed: 1 },
        network: 'veth',
        signal: new AbortController().signal,
        onSample: () => {},
      }),
    );
  assert.deepEqual(
    outcomes.map(({ run }) => run.status),
    ['failed', 'ok'],
  );
  assert.match(outcomes[0]!.run.problems[0]!, /^its waves took 7\.5 s/);
  assert.equal(late, 1);
});
