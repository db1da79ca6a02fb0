import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type PlannedRun, planRuns } from '../../src/experiment/order.js';
import type { Experiment } from '../../src/plan/plan.js';
import { makeExperiment } from '../support/runs.js';

const VARIANTS = ['a', 'b', 'c'];
const ARMS = ['baseline', ...VARIANTS];

function experiment(changes: Partial<Experiment> = {}): Experiment {
  return { ...makeExperiment({ variants: VARIANTS, repeat: 6 }), warmup: 2, ...changes };
}

function blocksOf(runs: readonly PlannedRun[]): PlannedRun[][] {
  const blocks: PlannedRun[][] = [];
  for (const run of runs) {
    blocks[run.block] ??= [];
    blocks[run.block]!.push(run);
  }
  return blocks;
}

describe('the order of runs', () => {
  it('has every arm once in every block', () => {
    const blocks = blocksOf(planRuns(experiment()));
    assert.equal(blocks.length, 8);
    for (const block of blocks) assert.deepEqual(block.map(({ variant }) => variant).sort(), [...ARMS].sort());
  });

  it('goes block by block, the warm-up first', () => {
    const runs = planRuns(experiment());
    runs.forEach((run, i) => {
      assert.equal(run.order, i);
      assert.equal(run.block, Math.floor(i / 4));
      assert.equal(run.warmup, run.block < 2);
    });
    assert.ok(planRuns(experiment({ warmup: 0 })).every(({ warmup }) => !warmup));
  });

  it('gives every run an id of its block and its arm, and no id twice', () => {
    const runs = planRuns(experiment({ repeat: 101 }));
    assert.equal(new Set(runs.map(({ id }) => id)).size, runs.length);
    assert.ok(runs.every(({ id, block, variant }) => id === `b${String(block).padStart(2, '0')}-${variant}`));
    assert.match(runs[0]!.id, /^b00-/);
    assert.match(runs.at(-1)!.id, /^b102-/);
  });

  it('is the same for the same seed, and another for another', () => {
    const names = (changes: Partial<Experiment>) => planRuns(experiment(changes)).map(({ id }) => id);
    assert.deepEqual(planRuns(experiment({ seed: 5 })), planRuns(experiment({ seed: 5 })));
    assert.notDeepEqual(names({ seed: 5 }), names({ seed: 6 }));
  });

  it('stays when blocks are added, so that a longer experiment begins with the shorter one', () => {
    assert.deepEqual(planRuns(experiment({ repeat: 20 })).slice(0, 32), planRuns(experiment({ repeat: 6 })));
  });

  it('shares a seed within a block and not between blocks, so that a pair has the same schedule', () => {
    const blocks = blocksOf(planRuns(experiment({ repeat: 50 })));
    const seeds = blocks.map((block) => new Set(block.map(({ seed }) => seed)));
    assert.ok(seeds.every((set) => set.size === 1));
    const all = seeds.flatMap((set) => [...set]);
    assert.equal(new Set(all).size, 52);
    assert.ok(all.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32));
  });

  it('puts every arm at every place of a block equally often, in every order', () => {
    const blocks = blocksOf(planRuns(experiment({ repeat: 4000, warmup: 0 })));
    for (const arm of ARMS) {
      for (let place = 0; place < 4; place++) {
        const n = blocks.filter((block) => block[place]?.variant === arm).length;
        // 1000 expected, with a standard deviation of √(4000 · ¼ · ¾) = 27.
        assert.ok(Math.abs(n - 1000) < 4 * 27, `${arm} is at place ${place} in ${n} of 4000 blocks`);
      }
    }
    const orders = new Map<string, number>();
    for (const block of blocks) {
      const order = block.map(({ variant }) => variant).join();
      orders.set(order, (orders.get(order) ?? 0) + 1);
    }
    assert.equal(orders.size, 24, 'every order of four arms comes up');
    for (const [order, n] of orders) {
      // 4000/24 = 167 expected, with a standard deviation of 13.
      assert.ok(Math.abs(n - 167) < 4 * 13, `${order} came ${n} times`);
    }
  });
});
