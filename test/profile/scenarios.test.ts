import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';

const profile = (scenarios: string, more = '', variant = 'name: v') => `name: x
addresses: 10.50.0.0/29
load: { strategy: bind, hold: 1s, arrival: { shape: constant, rate: 100/s, duration: 5s } }
scenarios: ${scenarios}
variants: [{ ${variant} }]
${more}
`;

function arms(scenarios: string, more?: string, variant?: string): Arm[] {
  return loadProfile(profile(scenarios, more, variant), 'x.yaml').experiment.arms;
}

function problems(scenarios: string, more?: string, variant?: string): string[] {
  try {
    arms(scenarios, more, variant);
  } catch (error) {
    return (error as Error).message.split('\n');
  }
  return [];
}

const BULK =
  '{ name: bulk, load: { arrival: { shape: constant, rate: 20/s, duration: 1s } }, destinations: { ports: 4 } }';

test('a scenario has from the first load what it does not name', () => {
  const [baseline] = arms(`[${BULK}, { name: rest, load: { hold: 0s } }]`);
  const [bulk, rest] = baseline!.scenarios!;
  assert.deepEqual(
    [bulk?.load.strategy, bulk?.load.holdMs, bulk?.destinations],
    ['bind', 1000, { kind: 'lab', addresses: 1, ports: 4 }],
  );
  assert.deepEqual(bulk?.load.arrival, { shape: 'constant', rate: 20, durationMs: 1000 });
  assert.deepEqual([rest?.load.holdMs, rest?.load.arrival, rest?.destinations], [0, baseline?.load.arrival, undefined]);
});

test('a variant changes all loads by load, and one by its name', () => {
  const changes = (variant: string) => arms(`[${BULK}]`, '', `name: v, ${variant}`)[1]!;
  const all = changes('load: { strategy: connect }');
  assert.deepEqual(all.changes, ['strategy bind → connect']);
  assert.equal(all.scenarios?.[0]?.load.strategy, 'connect');
  const one = changes('scenarios: [{ name: bulk, load: { strategy: connect } }]');
  assert.deepEqual(one.changes, ['bulk: strategy bind → connect']);
  assert.deepEqual([one.load.strategy, one.scenarios?.[0]?.load.strategy], ['bind', 'connect']);
  assert.deepEqual(changes('scenarios: [{ name: bulk, destinations: { ports: 2 } }]').changes, [
    'bulk: 2 destinations (was 4)',
  ]);
});

test('the goal may name one', () => {
  const goal = (name: string) =>
    `goal: scenarios["${name}"].failures.share\nguardrails: ['scenarios["load"].latency.total.p99']`;
  assert.deepEqual(problems(`[${BULK}]`, goal('bulk')), []);
  assert.match(
    problems(`[${BULK}]`, goal('bulky'))[0]!,
    /x\.yaml:6:7: goal: this profile has no scenario "bulky"; it has load, bulk$/,
  );
  assert.match(problems('[]', goal('bulk'))[0]!, /this profile has no scenario "bulk"; add it to scenarios$/);
});

const refused: readonly [what: string, of: Parameters<typeof problems>, message: RegExp][] = [
  [
    'the name of the first load',
    ['[{ name: load }]'],
    /scenarios\[0\]\.name: "load" is the name of the first load: use another name$/,
  ],
  [
    'a name twice',
    [`[${BULK}, ${BULK}]`],
    /scenarios\[1\]\.name: "bulk" is the name of scenarios\[0\] too: rename one$/,
  ],
  [
    'a variant of one that is not there',
    ['[]', '', 'name: v, scenarios: [{ name: bulk, load: { hold: 2s } }]'],
    /variants\[0\]\.scenarios\[0\]\.name: there is no scenario "bulk" to change; add it to scenarios at the top/,
  ],
  [
    'hosts of the first load that would have to answer otherwise',
    ['[{ name: pages, load: { engine: http, hold: 0s } }]'],
    /scenarios\[0\]\.load: the hosts of the first load answer as that load says, and here protocol differs: add destinations/,
  ],
  [
    'waves',
    ['[{ name: w, load: { hold: 0s, arrival: { shape: fill, attempts: 10, waves: 2 } } }]'],
    /scenarios\[0\]\.load\.arrival\.waves: the waves of a fill wait for each other/,
  ],
  [
    'what no load may have, at its own key',
    ['[{ name: w, load: { timeout: 0s } }]'],
    /4:41: scenarios\[0\]\.load\.timeout: timeout must be greater than 0s/,
  ],
];

for (const [what, of, message] of refused)
  test(`refused: ${what}`, () => {
    const found = problems(...of);
    assert.equal(found.length, 1, found.join('\n'));
    assert.match(found[0]!, message);
  });

test('refused: a search for one rate', () => {
  const text = profile(`[${BULK}]`).replace(
    '{ shape: constant, rate: 100/s, duration: 5s } }\n',
    '{ find: max-rate } }\n',
  );
  assert.throws(() => loadProfile(text, 'x.yaml'), /scenarios: a search looks for the rate of one load/);
});
