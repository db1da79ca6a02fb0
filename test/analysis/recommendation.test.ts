import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adviceOf } from '../../src/analysis/advice.js';
import { recommend, type SysctlChange } from '../../src/analysis/recommendation.js';
import type { Results, Variant } from '../../src/results/schema.js';
import { emptyResults, partialResults, quickstartResults, realSizeResults } from '../support/results.js';

const RANGE = 'net.ipv4.ip_local_port_range';
const variantOf = (results: Results, name: string) => results.variants.find((variant) => variant.name === name)!;

function setSysctl(variant: Variant, name: string, value: string): void {
  variant.sysctls[name] = value;
  for (const run of variant.runs) run.sysctls[name] = value.replace(' ', '\t');
}

function reason(results: Results): string {
  const winner = recommend(results);
  assert.equal(winner.kind, 'none');
  return winner.kind === 'none' ? winner.reason : '';
}

function name(results: Results): string {
  const winner = recommend(results);
  assert.ok(winner.kind === 'sysctls', winner.kind === 'none' ? winner.reason : '');
  return winner.variant.name;
}

describe('the winner', () => {
  it('is the variant of sysctls alone that is as good as the best; what was in force before is told', () => {
    const results = realSizeResults();
    const winner = recommend(results);
    assert.ok(winner.kind === 'sysctls');
    assert.equal(winner.variant.name, 'wider-range');
    const [{ note, sideEffect, ...change }] = winner.changes as [SysctlChange];
    assert.deepEqual(change, { name: RANGE, value: '1024 65535', measured: '1024 65535' });
    assert.equal(
      note,
      'in the lab 100 ports stood for 28,232: the step there was 645 times as many, here it is 2.3 times as many at most',
    );
    assert.match(sideEffect!.text, /^ports of the range/);
  });

  it('takes what was before from the baseline’s profile, then from the fresh lab, where no run has it; else it is not known', () => {
    const results = realSizeResults();
    const baseline = results.variants[0]!;
    const before = () => adviceOf(baseline, variantOf(results, 'wider-range'), results)[0]!.before;
    for (const run of baseline.runs) run.sysctls[RANGE] = '40000\t40050';
    assert.equal(before(), '40000 40050', 'what the kernel said');
    for (const run of baseline.runs) delete run.sysctls[RANGE];
    assert.equal(before(), '40000 40099', 'what the profile asked for');
    delete baseline.sysctls[RANGE];
    assert.equal(before(), '32768 60999', 'the lab’s own');
    delete results.environment.defaults[RANGE];
    assert.equal(before(), null);
  });

  it('has the value of a machine where the range is a scaled-down model of one', () => {
    const results = quickstartResults();
    const changed = (range: string) => {
      setSysctl(variantOf(results, 'wider-range'), RANGE, range);
      const winner = recommend(results);
      assert.ok(winner.kind === 'sysctls');
      const [{ value, measured, note }] = winner.changes as [SysctlChange];
      assert.equal(measured, range);
      return { value, note };
    };
    assert.deepEqual(changed('40000 40149'), {
      value: '18652 60999',
      note: 'in the lab 100 ports stood for 28,232, and 150, 1.5 times as many, for 42,348',
    });
    assert.equal(changed('40000 40999').value, '1024 65535');
    assert.match(changed('40000 40999').note!, /there are 64,512 from 1024 on, 2\.3 times as many, so this is less/);
    assert.equal(changed('32000 60231').value, '32000 60231', 'as large as usual');
    delete results.environment.defaults[RANGE];
    assert.equal(changed('32000 60231').value, '32000 60231', 'and where the usual size was not recorded');
  });

  it('changes as little as it can: of equals, the one with fewer sysctls', () => {
    const results = realSizeResults();
    const more = variantOf(results, 'tw-reuse-1');
    more.verdict!.verdict = 'better';
    Object.assign(more.verdict!.goal, { difference: -0.5, verdict: 'better' });
    assert.equal(name(results), 'wider-range');
    setSysctl(variantOf(results, 'wider-range'), 'net.ipv4.tcp_fin_timeout', '10');
    assert.equal(name(results), 'tw-reuse-1');
  });

  it('of equals with as many sysctls is the one that moved the goal further', () => {
    const results = realSizeResults();
    const other = variantOf(results, 'tw-reuse-1');
    other.verdict!.verdict = 'better';
    other.verdict!.goal.difference = -0.4999;
    assert.equal(name(results), 'wider-range');
    other.verdict!.goal.difference = -0.5001;
    assert.equal(name(results), 'tw-reuse-1');
  });

  it('counts a goal of which more is better the other way round', () => {
    const results = realSizeResults();
    results.experiment.goal = 'rate';
    for (const { verdict } of results.variants)
      if (verdict) verdict.goal.difference = -(verdict.goal.difference ?? 0) * 100;
    assert.equal(name(results), 'wider-range');
    variantOf(results, 'no-port-tw-reuse').verdict!.goal.difference = 80;
    assert.match(reason(results), /^no-port-tw-reuse is not a change of sysctls alone$/);
  });
});

describe('there is none', () => {
  it('where the experiment is not complete, or nothing was better', () => {
    assert.equal(reason(partialResults()), 'the experiment is not complete');
    const results = emptyResults();
    results.experiment.status = 'complete';
    assert.equal(reason(results), 'no variant was judged better than the baseline');
  });

  it('where several kernels were measured: a machine has one', () => {
    const results = realSizeResults();
    const guest = { engine: 'uml', kernel: 'bookworm' } as const;
    const kernel = { name: 'bookworm', guest, environment: results.environment, summary: '' };
    results.kernels = [kernel];
    assert.equal(name(results), 'wider-range', 'one is as good as none');
    results.kernels = [kernel, { ...kernel, name: 'trixie' }];
    assert.equal(reason(results), 'several kernels were measured, and a machine has one: repeat it on that one alone');
  });

  it('where another variant, no change of sysctls, did more than the margin', () => {
    const results = realSizeResults();
    const { goal } = variantOf(results, 'wider-range').verdict!;
    goal.difference = -0.495;
    assert.equal(name(results), 'wider-range', 'apart by the margin: as good');
    goal.difference = -0.49;
    assert.match(reason(results), /twice-the-addresses is not a change of sysctls alone; /);
    assert.doesNotMatch(reason(results), /wider-range/);
  });

  it('where each has a price: a guardrail that got worse, or a threshold that failed', () => {
    const results = realSizeResults();
    for (const variant of results.variants) {
      if (variant.verdict && variant.name !== 'wider-range') variant.verdict.verdict = 'no difference';
    }
    assert.equal(name(results), 'wider-range');
    const guardrail = variantOf(results, 'wider-range').verdict!.guardrails[1]!;
    guardrail.verdict = 'worse';
    assert.equal(reason(results), 'wider-range has a price: cpu.perConnection got worse');
    guardrail.verdict = 'not enough evidence';
    assert.equal(name(results), 'wider-range', 'what is not known is no price');
    results.thresholds[0]!.passed = false;
    assert.equal(reason(results), 'wider-range has a price: its threshold on failures.share (at most 0) failed');
  });

  it('never what frees ports by giving up a protection', () => {
    const results = realSizeResults();
    setSysctl(variantOf(results, 'wider-range'), 'net.ipv4.tcp_max_tw_buckets', '100');
    assert.match(
      reason(results),
      /wider-range gives up what TIME_WAIT protects from \(net\.ipv4\.tcp_max_tw_buckets\)/,
    );
  });

  it('the best of those that cost nothing, where one that did more gives up a protection; the reason is told', () => {
    const results = realSizeResults();
    const [best, next] = ['twice-the-addresses', 'wider-range'].map((each) => variantOf(results, each)) as [
      Variant,
      Variant,
    ];
    // A change of sysctls alone, which ended it, beside one that ended half of it.
    const baseline = variantOf(results, 'baseline');
    Object.assign(best, { load: baseline.load, strategy: baseline.strategy, addresses: baseline.addresses });
    setSysctl(best, 'net.ipv4.tcp_max_tw_buckets', '100');
    best.verdict = structuredClone(next.verdict);
    next.verdict!.goal.difference! /= 2;
    for (const variant of results.variants)
      if (variant.verdict && variant !== best && variant !== next) variant.verdict.verdict = 'no difference';
    const found = recommend(results);
    assert.ok(found.kind === 'sysctls');
    assert.equal(found.variant.name, 'wider-range');
    assert.deepEqual(found.passedOver, [
      'twice-the-addresses gives up what TIME_WAIT protects from (net.ipv4.tcp_max_tw_buckets), which no guardrail measures',
    ]);
    // What is no change of sysctls is no worse for it: nothing else is recommended in its place.
    best.strategy = 'bind-no-port';
    assert.match(reason(results), /^twice-the-addresses is not a change of sysctls alone$/);
  });

  it('but what only keeps more of it, or goes back from giving it up, is no obstacle', () => {
    const results = realSizeResults();
    const bought = (name: string, before: string, value: string) => {
      setSysctl(variantOf(results, 'baseline'), name, before);
      setSysctl(variantOf(results, 'wider-range'), name, value);
      return recommend(results);
    };
    const most = 'net.ipv4.tcp_max_tw_buckets';
    assert.equal(bought(most, '100', '99').kind, 'none');
    assert.equal(bought(most, '100', '101').kind, 'sysctls');
    assert.equal(bought('net.ipv4.tcp_tw_recycle', '0', '1').kind, 'none');
    assert.equal(bought('net.ipv4.tcp_tw_recycle', '1', '0').kind, 'sysctls');
  });

  it('where a price is on another variant, that one is passed over', () => {
    const results = realSizeResults();
    for (const variant of results.variants) {
      if (variant.verdict && variant.name !== 'wider-range') variant.verdict.guardrails[0]!.verdict = 'worse';
    }
    variantOf(results, 'wider-range').verdict!.goal.difference = -0.2;
    assert.equal(name(results), 'wider-range');
  });

  it('where a limit, or a list of reserved ports, is of the lab’s size', () => {
    const results = realSizeResults();
    const range = variantOf(results, 'wider-range');
    range.sysctls = { 'net.ipv4.ip_local_reserved_ports': '33768-60999' };
    for (const run of range.runs) run.sysctls = { ...range.sysctls, [RANGE]: '32768\t60999' };
    const baseline = variantOf(results, 'baseline');
    baseline.sysctls = { 'net.ipv4.ip_local_reserved_ports': '32788-60999' };
    for (const run of baseline.runs) run.sysctls = { ...baseline.sysctls, [RANGE]: '32768\t60999' };
    assert.match(
      reason(results),
      /wider-range has a value of the lab’s size \(net\.ipv4\.ip_local_reserved_ports = 33768-60999 leaves 1,000 ports, a scaled-down model of the 28,232 of a machine\)/,
    );
    range.sysctls = { 'net.core.somaxconn': '8' };
    for (const run of range.runs) run.sysctls = range.sysctls;
    results.environment.defaults['net.core.somaxconn'] = '4096';
    assert.match(reason(results), /somaxconn = 8 is less than this kernel’s own 4,096, a limit of the lab’s size/);
  });

  it('where the kernel did not have the value in every run that counts', () => {
    const results = realSizeResults();
    const { runs } = variantOf(results, 'wider-range');
    runs[0]!.sysctls[RANGE] = '32768 60999';
    assert.equal(name(results), 'wider-range', 'a warm-up does not count');
    runs[2]!.sysctls[RANGE] = '32768 60999';
    assert.match(reason(results), /wider-range did not have net\.ipv4\.ip_local_port_range = 1024 65535 in every run/);
    delete runs[2]!.sysctls[RANGE];
    assert.match(reason(results), /in every run/);
  });

  it('where something else was changed as well, even if the changes do not say so', () => {
    const results = realSizeResults();
    variantOf(results, 'wider-range').load.maxInFlight = 7;
    assert.match(reason(results), /wider-range is not a change of sysctls alone/);
    const proxied = realSizeResults();
    Object.assign(variantOf(proxied, 'wider-range'), { proxy: { kind: 'squid' } });
    assert.match(reason(proxied), /wider-range is not a change of sysctls alone/);
  });

  it('where a sysctl is none: results may come from anywhere', () => {
    for (const [sysctl, value] of [
      ['net.ipv4.tcp_tw_reuse\nkernel.core_pattern', '1'],
      ['net.ipv4.tcp_tw_reuse', '1; rm'],
    ] as const) {
      const results = quickstartResults();
      const variant = variantOf(results, 'wider-range');
      variant.sysctls = { [sysctl]: value };
      for (const run of variant.runs) run.sysctls[sysctl] = value;
      assert.match(reason(results), /wider-range has a sysctl that cannot be written to a file/);
    }
  });
});
