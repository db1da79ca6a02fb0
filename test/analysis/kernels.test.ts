/** Verdicts, thresholds and sentences where the kernel is a factor. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareArms } from '../../src/analysis/compare.js';
import { mayCompare, withinEngine } from '../../src/analysis/engines.js';
import { parseMetric } from '../../src/domain/metric.js';
import { armId } from '../../src/plan/kernels.js';
import { type Environment, resultsSchema } from '../../src/results/schema.js';
import { fittedExperiment, kernelInput, kernelResults, kernelRuns } from '../support/kernels.js';
import { makeExperiment, repeated } from '../support/runs.js';

describe('results of several kernels', () => {
  const results = kernelResults();
  const words = Object.fromEntries(results.variants.map((arm) => [armId(arm), arm.verdict?.verdict ?? null]));

  it('are what the schema of results.json asks for, before and after JSON', () => {
    assert.deepEqual(resultsSchema.parse(results), results);
    assert.deepEqual(JSON.parse(JSON.stringify(results)), results);
  });

  it('judge each variant on each kernel that ran it', () => {
    assert.deepEqual(words, {
      'baseline@old': null,
      'range@old': 'better',
      'delay@old': null,
      'recycle@old': null,
      'all@old': 'no difference',
      'baseline@new': null,
      'range@new': 'better',
      'delay@new': 'better',
      'recycle@new': null,
      'all@new': 'better',
    });
  });

  it('say of each variant what its kernel lacks, and keep its runs', () => {
    const arm = (id: string) => results.variants.find((variant) => armId(variant) === id)!;
    assert.deepEqual(
      [arm('delay@old').absent, arm('delay@old').missing, arm('delay@old').runs],
      [true, { 'net.ipv4.tcp_tw_reuse_delay': 'since Linux 6.14' }, []],
    );
    assert.deepEqual([arm('all@new').absent, Object.keys(arm('all@new').missing!).length], [undefined, 1]);
    for (const variant of results.variants)
      assert.ok(variant.runs.every(({ kernel, variant: name }) => armId({ name, kernel }) === armId(variant)));
  });

  it('list the kernels, each with its environment and its sentence', () => {
    assert.deepEqual(
      results.kernels!.map(({ name, guest, environment, summary }) => [
        name,
        guest.kernel,
        environment.kernel,
        summary,
      ]),
      [
        [
          'old',
          'bookworm',
          '6.1.176',
          'In the baseline 50.0 % of connection attempts failed because no local port was free (bind:EADDRINUSE): range ended it and all made no difference.',
        ],
        [
          'new',
          'sid',
          '7.2.7',
          'In the baseline 50.0 % of connection attempts failed because no local port was free (bind:EADDRINUSE): range, delay and all ended it.',
        ],
      ],
    );
    assert.equal(
      results.summary,
      'On old, in the baseline 50.0 % of connection attempts failed because no local port was free (bind:EADDRINUSE): range ended it and all made no difference. On new, in the baseline 50.0 % of connection attempts failed because no local port was free (bind:EADDRINUSE): range, delay and all ended it. recycle is on none of these kernels.',
    );
  });

  it('say what holds on all kernels once', () => {
    const experiment = fittedExperiment();
    const only = (name: string) => name === 'baseline' || name === 'range' || name === 'recycle';
    const { summary } = kernelResults({
      experiment: { ...experiment, arms: experiment.arms.filter((a) => only(a.name)) },
    });
    assert.match(summary, /^On old and new alike, in the baseline 50\.0 % .*: range ended it\. recycle is on none/);
  });

  it('a verdict never sees another kernel’s runs', () => {
    const experiment = fittedExperiment();
    const runs = kernelRuns(experiment).map((run) =>
      run.kernel === 'new' ? { ...run, attempts: 10, outcomes: { 'connect:ETIMEDOUT': 10 } } : run,
    );
    const spoilt = kernelResults({ runs });
    const old = (all: typeof results) => all.variants.filter(({ kernel }) => kernel === 'old');
    assert.deepEqual(old(spoilt), old(results));
  });

  it('a kernel that lacks what the baseline names has no verdicts, and says so', () => {
    const base = fittedExperiment();
    const missing = { 'net.ipv4.tcp_tw_reuse_delay': 'since Linux 6.14' };
    const arms = base.arms.map((arm) => (arm.kernel === 'old' ? { ...arm, absent: true, missing } : arm));
    const input = kernelInput({ experiment: { ...base, arms } });
    const { summary, variants } = kernelResults(input);
    assert.match(summary, /^On old, nothing could be run: the kernel lacks what the baseline names\. On new, in/);
    assert.ok(variants.filter(({ kernel }) => kernel === 'old').every(({ verdict }) => verdict === null));
  });

  it('warnings name the kernels that they are about', () => {
    const runs = kernelRuns(fittedExperiment());
    const failed = runs.map((run) =>
      run.id === 'b01-range@new' ? { ...run, status: 'failed' as const, valid: false, problems: ['it died'] } : run,
    );
    const { warnings } = kernelResults({ runs: failed });
    assert.ok(
      warnings.includes('new: 1 of 8 runs left out of every comparison: b01-range@new (failed)'),
      warnings.join('\n'),
    );
  });
});

describe('thresholds on several kernels', () => {
  const held = (variant: string | null) =>
    kernelResults({ experiment: fittedExperiment({ thresholds: [{ metric: 'failures.share', max: 0.5, variant }] }) })
      .thresholds;

  it('are held on each kernel that runs the variant', () => {
    assert.deepEqual(
      held('delay').map(({ kernel, passed, value }) => [kernel, passed, value]),
      [['new', true, 0]],
    );
    assert.equal(held(null).length, 7);
  });

  it('on a variant that no kernel runs are not kept', () => {
    assert.deepEqual(
      held('recycle').map(({ kernel, variant, passed, value }) => [kernel, variant, passed, value]),
      [[undefined, 'recycle', false, null]],
    );
  });
});

describe('what may be compared across engines', () => {
  const COUNTS = ['failures.share', 'outcomes["bind:EADDRINUSE"].count', 'capacity', 'ports.peak', 'memory.peak'];
  const TIMES = ['latency.total.p99', 'latency.bind.mean', 'cpu.perConnection', 'rate'];
  const other = 'qemu-tcg';

  it('counts, but no times', () => {
    for (const name of COUNTS) {
      assert.equal(parseMetric(name).time, false, name);
      assert.equal(mayCompare(parseMetric(name), 'uml', other), true, name);
    }
    for (const name of TIMES) {
      assert.equal(mayCompare(parseMetric(name), 'uml', other), false, name);
      assert.equal(mayCompare(parseMetric(name), 'uml', undefined), false, `${name}: a guest and this machine`);
      assert.equal(mayCompare(parseMetric(name), 'uml', 'uml'), true, name);
    }
  });

  it('a latency verdict across engines is refused, whatever the numbers', () => {
    const experiment = makeExperiment({ goal: 'latency.total.p50', guardrails: ['failures.share'], repeat: 12 });
    const runs = [
      ...repeated('baseline', 12, { latency: { total: 4000 } }),
      ...repeated('wider-range', 12, { latency: { total: 1000 } }),
    ];
    const [, variant] = experiment.arms;
    const compare = (engine: Environment['engine']) =>
      compareArms({
        experiment,
        runs,
        deterministic: () => false,
        engineOf: (arm) => (arm === variant!.name ? engine : 'uml'),
      }).get('wider-range')!;
    assert.ok(parseMetric('latency.total.p50').value(runs[0]!) === 4000);
    assert.equal(compare('uml').verdict, 'better', 'the same numbers within one engine are a difference');
    const { verdict, goal, guardrails } = compare(other);
    assert.equal(verdict, 'not enough evidence');
    assert.deepEqual([goal.difference, goal.ci, goal.p], [null, null, null]);
    assert.match(goal.why, /whose times are not compared\.$/);
    assert.notEqual(guardrails[0]!.difference, null, 'counts are compared');
    assert.equal(withinEngine(goal, 'uml', 'uml'), goal);
  });
});
