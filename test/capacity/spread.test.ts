import assert from 'node:assert/strict';
import { test } from 'node:test';
import { erlangB, firstFull, offeredFor } from '../../src/capacity/spread.js';
import { randomStream } from '../../src/domain/random.js';

const near = (actual: number, expected: number, by: number) =>
  assert.ok(Math.abs(actual - expected) <= by, `${actual} is not ${expected} ± ${by}`);

test("Erlang's loss formula: values of the published tables", () => {
  near(erlangB(1, 1), 0.5, 1e-12);
  near(erlangB(10, 4.461), 0.01, 1e-5);
  near(erlangB(100, 84.06), 0.01, 1e-4);
  assert.equal(erlangB(28_232, 14_000), 0);
  assert.equal(erlangB(5, 0), 0);
  near(offeredFor(100, 0.01), 84.06, 0.01);
  near(offeredFor(10, 0.01), 4.461, 0.001);
});

/** Held connections when the first of them is refused, by throwing them. */
function thrown(places: number, ports: number, seed: number): number {
  const random = randomStream(seed, 'balls');
  const held = new Uint32Array(places);
  for (let n = 0; ; n++) {
    const place = Math.floor(random() * places);
    if (held[place] === ports) return n;
    held[place]! += 1;
  }
}

test('the first refusal of connections spread at random: as thrown', () => {
  for (const [places, ports] of [
    [2, 500],
    [50, 100],
    [200, 64],
  ] as const) {
    const trials = Array.from({ length: 400 }, (_, i) => thrown(places, ports, i)).sort((a, b) => a - b);
    const { low, median, high } = firstFull(places, ports);
    near(median, trials[200]!, 0.02 * median);
    const within = trials.filter((n) => low <= n && n <= high).length;
    assert.ok(within >= 0.92 * 400, `${within} of 400 within ${low}–${high}`);
  }
});

test('the first refusal: as measured through Squid with random outgoing addresses', () => {
  // 50 addresses of 100 ports: the first 503 at attempt 3855; 2 of 500: at 970.
  for (const [places, ports, measured] of [
    [50, 100, 3855],
    [2, 500, 970],
  ] as const) {
    const { low, high } = firstFull(places, ports);
    assert.ok(low <= measured && measured <= high, `${measured} in ${low}–${high}`);
  }
  assert.ok(firstFull(50_000, 28_232).median < 50_000 * 28_232);
});
