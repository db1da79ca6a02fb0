import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { chooseDesign, designNotes, type EnvironmentOf, whyUseless } from '../../src/experiment/design.js';
import { type LoadedProfile, loadProfile } from '../../src/profile/load.js';
import { makeEnvironment } from '../support/runs.js';

const machine = { ...makeEnvironment(), kernel: '6.18.0', cpus: 4, descriptors: 20_200 };
const environmentOf: EnvironmentOf = () => machine;

interface Wanted {
  readonly arrival?: string;
  readonly load?: string;
  readonly variants?: number;
  /** Lines added at the end. */
  readonly more?: string;
  readonly range?: string;
  readonly pick?: string;
}

/** `noisy`: so long that ports come back; else the counts are exact. */
const EXACT = '{ shape: constant, rate: 4000/s, duration: 250ms }';
const NOISY = '{ shape: constant, rate: 20/s, duration: 90s }';

function profile({
  arrival = EXACT,
  load = '',
  variants = 6,
  more = '',
  range = '40000 40099',
  pick = 'round-robin',
}: Wanted): LoadedProfile {
  const names = Array.from({ length: variants }, (_, i) => `  - { name: v${i}, addresses: { count: ${i + 2} } }`);
  return loadProfile(
    `name: design
addresses: { cidr: 10.50.0.0/24, count: 5, pick: ${pick} }
load: { strategy: bind, arrival: ${arrival}${load} }
sysctls: { net.ipv4.ip_local_port_range: ${range} }
variants:
${names.join('\n')}
${more}`,
    'design.yaml',
  );
}

type How = 'looks' | 'fixed';

function chosen(wanted: Wanted, how?: How) {
  const { experiment, unsaid } = profile(wanted);
  return chooseDesign(experiment, unsaid, environmentOf, how);
}

const useless = (wanted: Wanted, how?: How) => whyUseless(chosen(wanted, how), environmentOf);

describe('pairs that nobody has named', () => {
  it('are nine at most, however many variants there are, with looks before', () => {
    for (const variants of [1, 7, 30]) {
      const { repeat, looks, chosen: why } = chosen({ arrival: NOISY, variants });
      assert.deepEqual([repeat, looks], [9, [2, 3, 4, 6, 9]]);
      assert.match(
        why![0]!,
        /^repeat is 9 at most, chosen here: .* looked at after 2, 3, 4, 6 and 9 pairs and stopped/,
      );
    }
    assert.deepEqual(chosen({ arrival: NOISY, more: 'repeat: 4\n' }).looks, [2, 3, 4]);
    assert.equal(chosen({ arrival: NOISY, more: 'repeat: 1\n' }).looks, undefined);
    assert.equal(chosen({ arrival: NOISY }, 'fixed').looks, undefined);
  });

  it('of a fixed number are one more than a verdict takes', () => {
    // 2/2^n · variants ≤ 5 %: 6 pairs for one, 8 for six, 9 for seven.
    for (const [variants, pairs] of [
      [1, 6],
      [6, 8],
      [7, 9],
      [30, 11],
    ] as const) {
      const { repeat, chosen: why } = chosen({ arrival: NOISY, variants }, 'fixed');
      assert.equal(repeat, pairs + 1, `${variants} variants`);
      assert.match(
        why![0]!,
        new RegExp(`^repeat is ${pairs + 1}, chosen here: .* takes ${pairs} pairs, and one to spare$`),
      );
    }
  });

  it('are those of the metric that takes the most: times vary where counts are exact', () => {
    assert.equal(chosen({}).repeat, 9);
    const exact = chosen({ more: 'guardrails: []\n' });
    assert.equal(exact.repeat, 2);
    assert.match(exact.chosen![0]!, /the kernel's rules alone decide/);
  });

  it('are left alone where they are named', () => {
    const { repeat, chosen: why } = chosen({ arrival: NOISY, more: 'repeat: 3\n', load: ', workers: 1' });
    assert.deepEqual([repeat, why], [3, undefined]);
  });
});

describe('workers that nobody has named', () => {
  const workersOf = (wanted: Wanted) => chosen(wanted).arms.map(({ load }) => load.workers);

  it('are one where one is enough', () => assert.deepEqual([...new Set(workersOf({}))], [1]));

  it('are as many as the open sockets of the largest arm take, the same in each arm', () => {
    const held = { arrival: '{ shape: fill, attempts: 50000 }', range: '10000 59999', variants: 1 };
    assert.deepEqual(workersOf(held), [3, 3], '50,000 sockets, 20,000 a worker');
    assert.match(chosen(held).chosen!.at(-1)!, /^load\.workers is 3, chosen here: 50,000 sockets are open at once/);
    assert.deepEqual(workersOf({ ...held, load: ', workers: 1' }), [1, 1]);
  });

  it('are as many as the rate takes, and no more than there are CPUs', () => {
    const at = (rate: string) =>
      workersOf({ arrival: `{ shape: constant, rate: ${rate}, duration: 1s }`, variants: 1 })[0];
    assert.deepEqual([at('20000/s'), at('20001/s'), at('500000/s')], [1, 2, 4]);
  });

  it('are not chosen where the picks depend on them', () => {
    assert.equal(workersOf({ arrival: '{ shape: constant, rate: 90000/s, duration: 1s }', pick: 'by-worker' })[0], 1);
  });
});

describe('runs that cannot decide anything', () => {
  it('are too few pairs for every variant', () => {
    const named = (repeat: number) => ({ arrival: NOISY, more: `repeat: ${repeat}\n` });
    assert.match(useless(named(7), 'fixed')!, /^repeat is 7, and it takes 8 pairs before any variant/);
    assert.equal(useless(named(8), 'fixed'), null);
    assert.equal(useless(named(2)), null, 'two pairs decide about a large effect');
    const time = { arrival: NOISY, more: 'repeat: 3\ngoal: latency.service.p90\n' };
    assert.match(useless(time)!, /^repeat is 3, and it takes 4 pairs before any variant can be called better or worse/);
    assert.match(useless({ more: 'repeat: 1\n' })!, /^repeat is 1, and it takes 2 pairs/);
    assert.equal(useless({ more: 'repeat: 2\n' }), null, 'the counts are exact, whatever the times are');
  });

  it('are of variants that all need more time than there is', () => {
    const text = `name: short
addresses: 10.50.0.1/32
load: { strategy: connect, arrival: { shape: constant, rate: 1000/s, duration: 250ms } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - { name: reuse, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }
`;
    const of = (yaml: string) => whyUseless(loadProfile(yaml, 'short.yaml').experiment, environmentOf);
    assert.match(of(text)!, /^every variant changes a time that is longer than the runs/);
    assert.equal(of(`${text}  - { name: more, addresses: { count: 1 } }\n`), null, 'an A/A variant is a question');
  });

  it('are of loads of which the rules let every attempt succeed', () => {
    assert.match(useless({ range: '10000 59999' })!, /^by the kernel's rules every attempt of every arm succeeds/);
    assert.equal(useless({ range: '10000 59999', more: 'goal: latency.total.p99\n' }), null);
  });

  it('are none where a limit is to be held: one run measures that', () => {
    const more = 'repeat: 1\nthresholds: [{ metric: failures.share, max: 0 }]\n';
    assert.equal(useless({ more }), null);
  });

  it('are in the notes of plan and run, as is what only guardrails lack', () => {
    const notes = (repeat: number, how?: How) =>
      designNotes(chosen({ more: `repeat: ${repeat}\n`, load: ', workers: 1' }, how), environmentOf, 'all');
    assert.match(notes(1)[0]!, /the runs could decide nothing/);
    assert.match(
      notes(2, 'fixed')[0]!,
      /^repeat is 2: by latency\.service\.p90 and cpu\.perConnection it takes 8 pairs before any variant/,
    );
    assert.deepEqual(notes(8, 'fixed'), []);
    assert.match(
      notes(3)[0]!,
      /^repeat is 3: by latency\.service\.p90 and cpu\.perConnection it takes 4 pairs before any variant/,
    );
    assert.deepEqual(notes(4), []);
  });
});
