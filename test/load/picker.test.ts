import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPicker } from '../../src/load/picker.js';
import type { LoadPlan } from '../../src/plan/plan.js';

interface Shape {
  readonly pick: LoadPlan['pick'];
  readonly addresses: number;
  readonly destinations: number;
  readonly workers: number;
  readonly seed?: number;
}

interface Picked {
  readonly worker: number;
  readonly address: number;
  readonly destination: number;
  readonly visit: number;
}

/** The first `attempts` attempts of the whole load, each picked by the worker that makes it. */
function picks({ pick, addresses, destinations, workers, seed = 1 }: Shape, attempts: number): Picked[] {
  const pickers = Array.from({ length: workers }, (_, worker) =>
    createPicker(pick, addresses, destinations, worker, workers, seed),
  );
  return Array.from({ length: attempts }, (_, n) => {
    const worker = n % workers;
    const picker = pickers[worker]!;
    picker.pick(n);
    return { worker, address: picker.address, destination: picker.destination, visit: picker.visit };
  });
}

const pairOf = ({ address, destination }: Picked) => `${address} → ${destination}`;

function countBy<T>(items: readonly T[], key: (item: T) => string | number): Map<string | number, number> {
  const counts = new Map<string | number, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** Every number of addresses and of destinations from 1 to 12: with and without common factors. */
const SIZES = Array.from({ length: 144 }, (_, i) => ({
  addresses: 1 + Math.floor(i / 12),
  destinations: 1 + (i % 12),
}));

describe('round-robin', () => {
  it('after S·D attempts each pair had exactly one, whatever S, D and the number of workers', () => {
    for (const { addresses, destinations } of SIZES) {
      for (const workers of [1, 2, 3, 4]) {
        const found = picks({ pick: 'round-robin', addresses, destinations, workers }, addresses * destinations);
        assert.equal(
          new Set(found.map(pairOf)).size,
          addresses * destinations,
          `S = ${addresses}, D = ${destinations}`,
        );
        assert.ok(found.every(({ visit }) => visit === 0));
      }
    }
  });

  it('goes on evenly: the second S·D attempts are each pair’s second visit', () => {
    for (const { addresses, destinations } of SIZES) {
      const pairs = addresses * destinations;
      const second = picks({ pick: 'round-robin', addresses, destinations, workers: 3 }, 2 * pairs).slice(pairs);
      assert.equal(new Set(second.map(pairOf)).size, pairs);
      assert.ok(second.every(({ visit }) => visit === 1));
    }
  });

  it('every block of S attempts has each address once, every block of D with S = 1 each destination once', () => {
    const found = picks({ pick: 'round-robin', addresses: 5, destinations: 10, workers: 1 }, 50);
    for (let block = 0; block < 10; block++) {
      assert.deepEqual(
        found.slice(5 * block, 5 * block + 5).map(({ address }) => address),
        [0, 1, 2, 3, 4],
      );
    }
    const single = picks({ pick: 'round-robin', addresses: 1, destinations: 4, workers: 1 }, 5);
    assert.deepEqual(
      single.map(({ destination }) => destination),
      [0, 1, 2, 3, 0],
    );
  });
});

describe('by-worker', () => {
  it('each address belongs to one worker, and every address to some worker', () => {
    for (const workers of [1, 2, 3, 5]) {
      const found = picks({ pick: 'by-worker', addresses: 12, destinations: 4, workers }, 12 * 4 * 5 * workers);
      for (const { worker, address } of found) assert.equal(address % workers, worker);
      assert.equal(new Set(found.map(({ address }) => address)).size, 12);
    }
  });

  it('each worker gives each of its pairs the same share, also where its share and D have a common factor', () => {
    for (const { addresses, destinations } of SIZES) {
      for (const workers of [1, 2, 3].filter((n) => n <= addresses)) {
        const picked = picks(
          { pick: 'by-worker', addresses, destinations, workers },
          workers * addresses * destinations,
        );
        for (let worker = 0; worker < workers; worker++) {
          const own = Array.from({ length: addresses }, (_, i) => i).filter((i) => i % workers === worker).length;
          const round = picked.filter((pick) => pick.worker === worker).slice(0, own * destinations);
          assert.equal(round.length, own * destinations);
          assert.equal(new Set(round.map(pairOf)).size, own * destinations, `S = ${addresses}, D = ${destinations}`);
        }
      }
    }
  });
});

describe('random', () => {
  const shape: Shape = { pick: 'random', addresses: 8, destinations: 3, workers: 2 };

  it('the same seed gives the same picks, another seed others', () => {
    assert.deepEqual(picks(shape, 500), picks(shape, 500));
    assert.notDeepEqual(picks(shape, 500), picks({ ...shape, seed: 2 }, 500));
  });

  it('workers draw independently', () => {
    const found = picks(shape, 1000);
    const of = (worker: number) => found.filter((pick) => pick.worker === worker).map(pairOf);
    assert.notDeepEqual(of(0), of(1));
  });

  it('every pair is as likely', () => {
    const counts = countBy(picks(shape, 24_000), pairOf);
    assert.equal(counts.size, 24);
    const chiSquare = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    // 23 degrees of freedom: above 41.6 in one of a hundred samples. The seed is fixed.
    assert.ok(chiSquare < 41.6, `χ² = ${chiSquare}`);
  });
});

describe('visits, by which a program walks its port list', () => {
  for (const pick of ['round-robin', 'random', 'by-worker'] as const) {
    it(`${pick}: no (address, destination, visit) comes twice, over all workers`, () => {
      for (const [addresses, destinations] of [
        [1, 1],
        [4, 4],
        [6, 4],
        [5, 3],
        [12, 1],
      ] as const) {
        for (const workers of [1, 2, 3, 4, 7]) {
          if (pick === 'by-worker' && workers > addresses) continue;
          const found = picks({ pick, addresses, destinations, workers }, 3000);
          const distinct = new Set(found.map((picked) => `${pairOf(picked)} #${picked.visit}`));
          assert.equal(distinct.size, 3000, `S = ${addresses}, D = ${destinations}, ${workers} workers`);
        }
      }
    });
  }

  it('a pair’s visits have no gaps where the picks are even', () => {
    for (const pick of ['round-robin', 'by-worker'] as const) {
      const found = picks({ pick, addresses: 6, destinations: 4, workers: 3 }, 6 * 4 * 10);
      for (const [pair, count] of countBy(found, pairOf)) {
        const visits = found.filter((picked) => pairOf(picked) === pair).map(({ visit }) => visit);
        assert.deepEqual(visits, [...Array(10).keys()], `${pair}, ${count} times`);
      }
    }
  });
});
