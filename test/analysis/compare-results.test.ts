import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assembleResults } from '../../src/analysis/assemble.js';
import { compareResults, gotWorse } from '../../src/analysis/compare-results.js';
import { randomStream } from '../../src/domain/random.js';
import type { Results, Second, VerdictWord } from '../../src/results/schema.js';
import { kernelInput } from '../support/kernels.js';
import {
  type ExperimentNumbers,
  makeEnvironment,
  makeExperiment,
  makePrediction,
  makeRuns,
  makeSecond,
  normal,
  type RunNumbers,
} from '../support/runs.js';

type Numbers = Omit<RunNumbers, 'variant' | 'block'>;

interface Setting extends ExperimentNumbers {
  readonly deterministic?: boolean;
}

/** A result by the numbers of each run of its two arms. */
function resultOf(
  baseline: readonly Numbers[],
  variant: readonly Numbers[],
  { deterministic = false, ...setting }: Setting = {},
): Results {
  const experiment = makeExperiment({ repeat: baseline.length, goal: 'failures.share', ...setting });
  const runs = [...makeRuns('baseline', baseline), ...makeRuns('wider-range', variant)];
  return assembleResults({
    experiment,
    runs,
    environment: makeEnvironment(),
    predictions: new Map(experiment.arms.map(({ name }) => [name, makePrediction()])),
    deterministic: () => deterministic,
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:14:05.000Z',
    runsPlanned: runs.length,
    command: 'bindstorm run x',
    profileText: 'name: x\n',
  });
}

const fails = (...counts: number[]): Numbers[] =>
  counts.map((count) => ({ outcomes: { ok: 1000 - count, 'bind:EADDRINUSE': count } }));
const p99s = (...values: number[]): Numbers[] => values.map((p99) => ({ latency: { total: { p50: 1000, p99 } } }));

/** The goal of the variant. */
function shiftOf(a: Results, b: Results, metric = 0) {
  const { arms } = compareResults(a, b);
  return arms.find(({ name }) => name === 'wider-range')!.metrics[metric]!;
}

const EXACT = { deterministic: true } as const;
const FIFTH = fails(200, 200, 200);

describe('counts that the kernel’s rules decide', () => {
  it('are compared by equality, without a p', () => {
    const a = resultOf(fails(500, 500, 500), FIFTH, EXACT);
    const same = shiftOf(a, resultOf(fails(500, 500), fails(200, 200), EXACT));
    assert.deepEqual(
      [same.kind, same.verdict, same.difference, same.ci, same.p, same.margin, same.runs],
      ['exact', 'no difference', 0, null, null, 0, { a: 3, b: 2 }],
    );
    assert.equal(
      same.why,
      'failures of any kind is exactly 20.0 % of attempts in both, in every run (3 and 2).'.replace(
        'kind is',
        'kind is',
      ),
    );
    const less = shiftOf(a, resultOf(fails(500, 500), fails(199, 199), EXACT));
    assert.deepEqual([less.kind, less.verdict], ['exact', 'better']);
    assert.match(less.why, /is 20\.0 % of attempts in A and 19\.9 % in B, exactly so in every run \(3 and 2\)\.$/);
    assert.equal(shiftOf(a, resultOf(fails(500, 500), fails(201, 201), EXACT)).verdict, 'worse');
  });

  it('need two runs of each', () => {
    const one = shiftOf(resultOf(fails(500, 500), fails(200, 200), EXACT), resultOf(fails(500), fails(100), EXACT));
    assert.deepEqual([one.kind, one.verdict], ['exact', 'not enough evidence']);
    assert.match(one.why, /one run cannot show that the runs repeat exactly/);
  });

  it('are exact only where both results found them so', () => {
    const exact = resultOf(fails(500, 500, 500), FIFTH, EXACT);
    assert.equal(shiftOf(exact, resultOf(fails(500, 500, 500), FIFTH)).kind, 'noisy', 'one is not declared');
    assert.equal(
      shiftOf(exact, resultOf(fails(500, 500, 500), fails(200, 201, 200), EXACT)).kind,
      'noisy',
      'one varies',
    );
  });

  it('of the baseline are exact where a variant’s comparison with it was', () => {
    const a = resultOf(fails(500, 500), fails(0, 0), EXACT);
    const [baseline] = compareResults(a, resultOf(fails(400, 400), fails(0, 0), EXACT)).arms;
    assert.deepEqual(
      [baseline!.baseline, baseline!.metrics[0]!.kind, baseline!.metrics[0]!.verdict],
      [true, 'exact', 'better'],
    );
  });

  it('count also of runs that began late, and of no warm-up or failed one', () => {
    const late: Numbers = { ...fails(200)[0]!, valid: false, generatorLimited: true, problems: ['late'] };
    const b = resultOf(
      fails(500, 500, 500, 500, 500),
      [...fails(200), late, { ...fails(7)[0]!, warmup: true }, { ...fails(9)[0]!, status: 'failed' }],
      EXACT,
    );
    assert.deepEqual(shiftOf(resultOf(fails(500, 500), fails(200, 200), EXACT), b).runs, { a: 2, b: 2 });
  });
});

describe('noisy metrics', () => {
  const goal = { goal: 'latency.total.p99' } as const;
  const cases: [string, number[], number[], VerdictWord, RegExp][] = [
    [
      'all of one side above all of the other, by more than the margin',
      [2000, 2100, 2050, 1950, 2020],
      [4000, 4300, 4100, 3900, 4050],
      'worse',
      /^latency\.total\.p99 is 2\.02 ms in A and 4\.05 ms in B; the difference is between \+1\.9\d? ms and \+2\.\d+ ms \(95 %\), p = 0\.0\d+\.$/,
    ],
    ['below', [4000, 4300, 4100, 3900, 4050], [2000, 2100, 2050, 1950, 2020], 'better', /in A and 2\.02 ms in B/],
    [
      'apart by less than the margin, with an interval inside it',
      [2000, 2010, 2005, 1995, 2002],
      [2003, 2012, 2001, 1999, 2004],
      'no difference',
      /the difference, between .* is within the ±501 µs that count as none\.$/,
    ],
    [
      'overlapping',
      [1000, 5000, 2000, 4000, 3000],
      [1500, 6500, 2500, 7500, 3500],
      'not enough evidence',
      /; chance can explain the difference, between .* \(95 %\), p = 1\.$/,
    ],
    [
      'too few runs for any claim',
      [1000, 1001, 1002],
      [9000, 9001, 9002],
      'not enough evidence',
      /; 3 runs and 3 cannot tell any difference from chance when 2 arms are compared, however large it is: it takes 5 of each\.$/,
    ],
    [
      'within the margin but too few to say so',
      [2000, 2001, 2002, 2003],
      [2000, 2001, 2002, 2003],
      'not enough evidence',
      /4 runs and 4 cannot tell/,
    ],
  ];
  for (const [name, before, after, verdict, why] of cases) {
    it(name, () => {
      const flat = (values: number[]) => p99s(...values.map((_, i) => 1000 + (i % 3)));
      const shift = shiftOf(resultOf(flat(before), p99s(...before), goal), resultOf(flat(after), p99s(...after), goal));
      assert.deepEqual([shift.kind, shift.verdict], ['noisy', verdict], shift.why);
      assert.match(shift.why, why);
    });
  }

  it('a clear difference that is within the margin is none', () => {
    const [before, after] = [
      [2000, 2001, 2002, 2003, 2004, 2005],
      [2100, 2101, 2102, 2103, 2104, 2105],
    ];
    const shift = shiftOf(
      resultOf(p99s(...before), p99s(...before), goal),
      resultOf(p99s(...before), p99s(...after), goal),
    );
    assert.deepEqual([shift.verdict, shift.difference], ['no difference', 100]);
    assert.ok(shift.pHolm! <= 0.05);
  });

  it('the arms are one family: p is corrected for all of them', () => {
    const low = p99s(2000, 2001, 2002, 2003, 2004);
    const high = p99s(4000, 4001, 4002, 4003, 4004);
    const { arms } = compareResults(resultOf(low, low, goal), resultOf(high, high, goal));
    for (const { metrics } of arms)
      assert.deepEqual(
        [metrics[0]!.p, metrics[0]!.pHolm].map((p) => Math.round(p! * 252)),
        [2, 4],
      );
  });

  it('equal results give equal comparisons', () => {
    const [a, b] = [resultOf(p99s(1, 5, 9), p99s(2, 4, 8), goal), resultOf(p99s(3, 6, 7), p99s(1, 9, 5), goal)];
    assert.deepEqual(compareResults(a, b), compareResults(a, b));
  });

  it('of two machines that are the same, no more are called different than the error rate allows', () => {
    const stream = randomStream(7, 'aa');
    const draw = () => p99s(...Array.from({ length: 6 }, () => 2000 * Math.exp(0.5 * normal(stream))));
    let claims = 0;
    for (let i = 0; i < 60; i++) {
      const { arms } = compareResults(resultOf(draw(), draw(), goal), resultOf(draw(), draw(), goal));
      if (arms.some(({ metrics }) => ['better', 'worse'].includes(metrics[0]!.verdict))) claims++;
    }
    assert.ok(claims <= 7, `${claims} of 60`);
  });
});

describe('capacity where nothing failed is a lower bound', () => {
  const goal = { goal: 'capacity' } as const;
  const held = (tuples: number, failed: boolean): Numbers[] =>
    Array.from({ length: 6 }, (_, i) => ({
      outcomes: { ok: 1000, ...(failed && { 'bind:EADDRINUSE': 5 }) },
      peakOpen: tuples + i,
      openAtFirstFailure: failed ? tuples + i : null,
    }));
  const verdict = (a: Numbers[], b: Numbers[]) => shiftOf(resultOf(a, a, goal), resultOf(a, b, goal));

  it('more of it is better, unless A never met its own', () => {
    assert.equal(verdict(held(1000, true), held(2000, true)).verdict, 'better');
    assert.equal(verdict(held(1000, true), held(2000, false)).verdict, 'better', 'and B may hold more still');
    const open = verdict(held(1000, false), held(2000, true));
    assert.equal(open.verdict, 'not enough evidence');
    assert.match(open.why, /but nothing failed in A, which may hold more; raise the load until something fails\.$/);
  });

  it('less of it is worse, unless B never met its own', () => {
    assert.equal(verdict(held(2000, true), held(1000, true)).verdict, 'worse');
    assert.equal(verdict(held(2000, false), held(1000, true)).verdict, 'worse');
    assert.match(verdict(held(2000, true), held(1000, false)).why, /nothing failed in B/);
  });

  it('equal bounds are no equality', () => {
    assert.equal(verdict(held(1000, true), held(1000, true)).verdict, 'no difference');
    assert.match(verdict(held(1000, false), held(1000, false)).why, /nothing failed in A and in B/);
  });
});

describe('what cannot be compared', () => {
  const result = (setting: Setting = {}) =>
    resultOf(fails(500, 500), fails(100, 100), { deterministic: true, ...setting });

  it('other goals are refused', () => {
    const { refused, arms } = compareResults(result(), result({ goal: 'rate' }));
    assert.equal(refused, 'their goals differ: failures.share and rate; compare results of one profile');
    assert.deepEqual(arms, []);
  });

  it('results without an arm in common are refused; arms of one only are named', () => {
    const b = result();
    b.variants[1]!.name = 'narrower';
    const { refused, onlyInA, onlyInB, arms } = compareResults(result(), b);
    assert.deepEqual([refused, onlyInA, onlyInB, arms.length], [null, ['wider-range'], ['narrower'], 1]);
    b.variants[0]!.name = 'ground';
    assert.equal(
      compareResults(result(), b).refused,
      'they have no arm in common: baseline and wider-range and ground and narrower; compare results of one profile',
    );
  });

  for (const [what, change, expected] of [
    [
      'the rate',
      (r: Results) =>
        Object.assign(r.variants[1]!.load, { arrival: { shape: 'constant', rate: 200, durationMs: 10_000 } }),
      'load.arrival.rate is 100 and 200',
    ],
    [
      'the strategy',
      (r: Results) => Object.assign(r.variants[1]!, { strategy: 'connect' }),
      'strategy is bind and connect',
    ],
    [
      'the number of addresses',
      (r: Results) => Object.assign(r.variants[1]!.addresses, { count: 9 }),
      'addresses is 2 and 9',
    ],
    ['the destinations', (r: Results) => Object.assign(r.variants[1]!, { destinations: 4 }), 'destinations is 1 and 4'],
    [
      'a sysctl',
      (r: Results) => Object.assign(r.variants[1]!.sysctls, { 'net.ipv4.tcp_tw_reuse': '1' }),
      'sysctls.net.ipv4.tcp_tw_reuse is – and 1',
    ],
  ] as const) {
    it(`an arm that was asked another question is left out: ${what}`, () => {
      const b = result();
      change(b);
      const { refused, arms } = compareResults(result(), b);
      assert.equal(refused, null);
      assert.deepEqual(
        arms.map((arm) => [arm.refused, arm.metrics.length > 0]),
        [
          [null, true],
          [expected, false],
        ],
      );
      for (const variant of b.variants) change({ ...b, variants: [variant, variant] });
      assert.match(
        compareResults(result(), b).refused!,
        /^no arm had the same settings in both: baseline: .*; wider-range: /,
      );
    });
  }

  it('what is said of an arm, and which addresses it had, is no question', () => {
    const b = result();
    Object.assign(b.variants[1]!, { description: 'other words', changes: ['x'] });
    b.variants[1]!.addresses.first = '10.9.9.9';
    b.variants[1]!.prediction.rule = 'another';
    assert.deepEqual(
      compareResults(result(), b).arms.map(({ refused }) => refused),
      [null, null],
    );
  });

  it('times of another kind of lab are not compared, counts are', () => {
    const guardrails = ['latency.total.p99', 'capacity'];
    const b = result({ guardrails });
    b.environment.lab = 'User-Mode Linux, client and origin joined by veth';
    b.environment.engine = 'uml';
    b.experiment.lab = 'vm';
    const { arms, notes } = compareResults(result({ guardrails }), b);
    assert.deepEqual(
      arms[1]!.metrics.map(({ metric }) => metric),
      ['failures.share', 'capacity'],
    );
    assert.equal(notes.length, 1);
    assert.match(
      notes[0]!,
      /^latency\.total\.p99 not compared: times were taken in another kind of lab: netns, .* and vm, User-Mode Linux, client and origin joined by veth$/,
    );
  });

  it('a goal that is a time is refused with it', () => {
    const b = result({ goal: 'latency.total.p99' });
    b.environment.lab = 'network namespace, client and origin in one';
    const { refused, arms } = compareResults(result({ goal: 'latency.total.p99' }), b);
    assert.match(refused!, /^their goal is latency\.total\.p99, and times were taken in another kind of lab: netns, /);
    assert.deepEqual(arms, []);
  });

  it('times of a namespace with and without root are of one kind, over veth and over loopback not', () => {
    const guardrails = ['latency.total.p99'];
    const on = (lab: string) => {
      const made = result({ guardrails });
      made.environment.lab = lab;
      return made;
    };
    const metrics = (a: string, b: string) => compareResults(on(a), on(b)).arms[1]!.metrics.length;
    assert.equal(
      metrics('network namespace, joined by veth', 'network namespace in a user namespace, joined by veth'),
      2,
    );
    assert.equal(metrics('network namespace, joined by veth', 'network namespace, client and origin in one'), 1);
  });

  it('times under one engine are compared, whatever the kernel, and of two engines not', () => {
    const under = (engine: 'uml' | 'qemu-kvm', kernel: string) => {
      const made = result({ guardrails: ['latency.total.p99'] });
      made.experiment.lab = 'vm';
      Object.assign(made.environment, { engine, kernel, lab: `a guest with ${kernel}` });
      return made;
    };
    const metrics = (a: Results, b: Results) => compareResults(a, b).arms[1]!.metrics.length;
    assert.equal(metrics(under('uml', '6.1'), under('uml', '6.12')), 2);
    assert.equal(metrics(under('uml', '6.1'), under('qemu-kvm', '6.1')), 1);
  });

  it('times of a Vagrant box are those of its provider, and times of guests also depend on how the roles are joined', () => {
    const under = (lab: 'vm' | 'vagrant', engine: Results['environment']['engine'], network: string) => {
      const made = result({ guardrails: ['latency.total.p99'] });
      made.experiment.lab = lab;
      Object.assign(made.environment, {
        engine,
        lab: `virtual machine: a box, ${network} (counts are exact; times are not)`,
      });
      return made;
    };
    const compare = (a: Results, b: Results) => compareResults(a, b);
    const metrics = (a: Results, b: Results) => compare(a, b).arms[1]!.metrics.length;
    const veth = 'client and origin joined by veth';
    const libvirt = under('vagrant', 'vagrant-libvirt', veth);
    assert.equal(metrics(libvirt, libvirt), 2);
    const { arms, notes } = compare(libvirt, under('vagrant', 'vagrant-virtualbox', veth));
    assert.equal(arms[1]!.metrics.length, 1);
    assert.match(notes[0]!, /: vagrant, Vagrant with libvirt, .* and vagrant, Vagrant with virtualbox, client/);
    assert.equal(metrics(under('vm', 'uml', veth), under('vm', 'uml', 'client and origin in one')), 1);
  });

  it('a guardrail of one side only is named', () => {
    const { notes } = compareResults(result({ guardrails: ['capacity'] }), result({ guardrails: ['rate'] }));
    assert.deepEqual(notes, ['capacity, rate not compared: a guardrail of one of the two only']);
  });

  it('an arm without a valid run is not enough evidence', () => {
    const shift = shiftOf(result(), resultOf(fails(500, 500), [{ status: 'failed' }, { status: 'failed' }], EXACT));
    assert.deepEqual(
      [shift.verdict, shift.b, shift.why],
      ['not enough evidence', null, 'B has no run that counts with a value of failures.share.'],
    );
  });
});

describe('several kernels side by side', () => {
  it('each arm is compared on the kernel of its name, and the baseline of one is not that of another', () => {
    const [a, b] = [assembleResults(kernelInput()), assembleResults(kernelInput())];
    const failing = b.variants.find((variant) => variant.baseline && variant.kernel === 'new')!;
    for (const run of failing.runs) run.outcomes = { ok: 900, 'bind:EADDRINUSE': 100 };
    b.kernels![1]!.environment.kernel = '9.9.9';
    const { arms, refused, differences } = compareResults(a, b);
    assert.equal(refused, null);
    const goals = arms.flatMap(({ name, metrics: [goal] }) =>
      goal && goal.a !== null ? [{ name, a: goal.a, b: goal.b }] : [],
    );
    assert.ok(goals.length >= 6);
    for (const goal of goals) assert.equal(goal.b, goal.name === 'baseline@new' ? 0.1 : goal.a, goal.name);
    assert.deepEqual(
      differences.map(({ what, b: there }) => [what, there]),
      [['kernel (new)', '9.9.9']],
    );
  });

  it('an arm that one of them could run in part only is another question', () => {
    const [a, b] = [assembleResults(kernelInput()), assembleResults(kernelInput())];
    b.variants.find(({ name, kernel }) => name === 'all' && kernel === 'old')!.missing = {};
    const arm = compareResults(a, b).arms.find(({ name }) => name === 'all@old');
    assert.match(arm!.refused!, /^missing\..* is .* and –$/);
  });

  it('a result of one kernel has no arm in common with one of several', () => {
    const { refused } = compareResults(assembleResults(kernelInput()), resultOf(fails(500), fails(100)));
    assert.match(refused!, /no arm in common: baseline@old, .* and baseline and wider-range/);
  });
});

describe('what differs around them', () => {
  it('comes machine first, then sysctls, then the experiment; equal things are left out', () => {
    const [a, b] = [resultOf(FIFTH, FIFTH), resultOf(FIFTH, FIFTH, { seed: 2 })];
    assert.deepEqual(compareResults(a, structuredClone(a)).differences, []);
    b.environment.kernel = '6.12.1';
    b.environment.cpus = 8;
    b.environment.defaults = { 'net.ipv4.ip_local_port_range': '1024\t65535', 'net.ipv4.tcp_tw_reuse': '' };
    b.experiment.status = 'partial';
    assert.deepEqual(compareResults(a, b).differences, [
      { what: 'kernel', a: '6.1.0', b: '6.12.1' },
      { what: 'cpus', a: '2', b: '8' },
      { what: 'net.ipv4.ip_local_port_range', a: '32768 60999', b: '1024 65535' },
      { what: 'status', a: 'complete', b: 'partial' },
      { what: 'seed', a: '1', b: '2' },
    ]);
    assert.match(compareResults(a, b).notes[0]!, /^B is partial: \d+ of \d+ runs were done$/);
  });
});

it('something got worse where any metric of any arm did', () => {
  const a = resultOf(fails(500, 500), fails(100, 100), EXACT);
  assert.equal(gotWorse(compareResults(a, a)), false);
  assert.equal(gotWorse(compareResults(a, resultOf(fails(500, 500), fails(90, 90), EXACT))), false);
  assert.equal(gotWorse(compareResults(a, resultOf(fails(501, 501), fails(90, 90), EXACT))), true);
});

describe('what is known of the machine', () => {
  /** Twelve runs a side; what fails differs clearly, and is not exact. */
  const varying = (counts: readonly number[], state: Partial<Second> = {}, more: Partial<Numbers> = {}) => {
    const results = resultOf(
      fails(...counts).map((numbers) => ({ ...numbers, ...more })),
      fails(...counts),
    );
    for (const run of results.variants.flatMap(({ runs }) => runs)) run.timeline = [makeSecond(state)];
    return results;
  };
  const [low, high] = [
    [2, 3, 2, 1, 2, 3, 2, 2],
    [14, 13, 15, 14, 12, 14, 15, 13],
  ];
  const machine = (steal: number): Partial<Second> => ({
    cpu: { client: 1, origin: null, machine: { user: 1, system: 0.5, softirq: 0, total: 1.5, steal } },
  });

  it('is weighed: with three times the load, more failures are no proof', () => {
    assert.equal(shiftOf(varying(low), varying(high)).verdict, 'worse', 'in one state');
    const comparison = compareResults(varying(low, { load1: 6 }), varying(high, { load1: 20 }));
    const { verdict, why } = comparison.arms[0]!.metrics[0]!;
    assert.equal(verdict, 'not enough evidence');
    assert.match(
      why,
      /but load average for each CPU \(median\) was 3 in A and 10 in B, which can make such a difference/,
    );
    assert.ok(!gotWorse(comparison));
    assert.ok(comparison.differences.some(({ what, a, b }) => /load average/.test(what) && a === '3' && b === '10'));
    assert.match(comparison.notes.join(), /the state of the machine was another/);
  });

  it('is steal and late runs too, and only where they differ much', () => {
    const verdictOf = (a: Partial<Second>, b: Partial<Second>) => shiftOf(varying(low, a), varying(high, b)).verdict;
    assert.equal(verdictOf(machine(0), machine(0.2)), 'not enough evidence', '10 % of two CPUs');
    assert.equal(verdictOf(machine(0), machine(0.02)), 'worse');
    assert.equal(verdictOf({ load1: 1 }, { load1: 1.5 }), 'worse');
    const late = { valid: false, generatorLimited: true, problems: ['late', 'another'] };
    const some = resultOf([...fails(...low), ...Array(4).fill(late)], fails(...low));
    assert.equal(shiftOf(some, varying(high)).verdict, 'not enough evidence');
  });

  it('leaves what is exact alone', () => {
    const exact = (count: number, load1: number) => {
      const results = resultOf(fails(count, count), fails(count, count), EXACT);
      for (const run of results.variants.flatMap(({ runs }) => runs)) run.timeline = [makeSecond({ load1 })];
      return results;
    };
    assert.equal(shiftOf(exact(200, 1), exact(300, 40)).verdict, 'worse');
  });
});

describe('before and after a change of one’s own', () => {
  const before = resultOf(fails(500, 500), fails(100, 100), EXACT);
  const after = structuredClone(resultOf(fails(200, 200), fails(100, 100), EXACT));
  for (const variant of after.variants) variant.sysctls['net.ipv4.tcp_tw_reuse'] = '1';

  it('is refused, with the way out, unless it is said to be one', () => {
    const { refused } = compareResults(before, after);
    assert.match(
      refused!,
      /^no arm had the same settings in both: .*; if that is a change of your own, add --changed$/,
    );
  });

  it('is compared, with what was changed', () => {
    const { refused, arms, changed } = compareResults(before, after, true);
    assert.deepEqual([refused, changed], [null, true]);
    const what = 'sysctls.net.ipv4.tcp_tw_reuse';
    assert.deepEqual(
      arms.map(({ changes, metrics }) => [changes, metrics[0]!.verdict]),
      [
        [[{ what, a: '–', b: '1' }], 'better'],
        [[{ what, a: '–', b: '1' }], 'no difference'],
      ],
    );
  });

  it('is none where the load is another', () => {
    const faster = structuredClone(after);
    for (const { load } of faster.variants)
      Object.assign(load, { arrival: { shape: 'constant', rate: 200, durationMs: 10_000 } });
    assert.match(compareResults(before, faster, true).refused!, /load\.arrival\.rate is 100 and 200$/);
  });
});
