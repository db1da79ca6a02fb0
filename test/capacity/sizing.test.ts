import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressesFor, type Spread, sustainedRates } from '../../src/capacity/sizing.js';
import { input, LATEST } from './inputs.js';

const EVEN: Spread = { pick: 'round-robin', loss: 0 };
const RANDOM: Spread = { pick: 'random', loss: 1e-4 };
const full = (changes: Parameters<typeof input>[0]) =>
  input({ range: { low: 32_768, high: 60_999 }, maxTwBuckets: Number.POSITIVE_INFINITY, ...changes });

test('50,000 connections a second to 20 destinations', () => {
  const noPort = full({ kernel: '6.1.192', strategy: 'bind-no-port', destinations: 20 });
  const hard = addressesFor(noPort, 50_000, 'hard', EVEN);
  assert.deepEqual(hard, { kind: 'addresses', addresses: 6, perAddress: (28_232 * 20) / LATEST });
  const slow = addressesFor(noPort, 50_000, 'slow', EVEN);
  assert.equal(slow.kind === 'addresses' && slow.addresses, 11);
  const bind = addressesFor(full({ kernel: '6.1.192', strategy: 'bind', destinations: 20 }), 50_000, 'hard', EVEN);
  assert.equal(bind.kind === 'addresses' && bind.addresses, 110);
  const reused = addressesFor({ ...noPort, twReuse: 1 }, 50_000, 'hard', EVEN);
  assert.equal(reused.kind === 'addresses' && reused.addresses, 1);
});

test('so many addresses are just enough', () => {
  for (const strategy of ['bind', 'bind-no-port'] as const) {
    for (const rate of [100, 471, 5000, 123_456]) {
      for (const wall of ['hard', 'slow'] as const) {
        for (const spread of [EVEN, RANDOM]) {
          const setup = full({ strategy, destinations: 3 });
          const needed = addressesFor(setup, rate, wall, spread);
          assert.ok(needed.kind === 'addresses');
          const at = (addresses: number) => sustainedRates({ ...setup, addresses }, spread)[wall]!;
          assert.ok(at(needed.addresses) >= rate * 0.999, `${strategy} ${rate} ${wall} ${spread.pick}`);
          if (needed.addresses > 1) assert.ok(at(needed.addresses - 1) < rate, `${strategy} ${rate} ${wall}`);
        }
      }
    }
  }
});

test('where addresses do not help, or are not needed', () => {
  const shared = addressesFor(full({ strategy: 'bind', kernel: '3.2.71' }), 1000, 'hard', EVEN);
  assert.equal(shared.kind, 'useless');
  assert.match(shared.kind === 'useless' ? shared.why : '', /all addresses share one pool/);
  assert.equal(addressesFor(full({ strategy: 'connect' }), 1000, 'hard', EVEN).kind, 'useless');
  assert.equal(addressesFor(full({ strategy: 'bind-explicit-port' }), 1000, 'hard', EVEN).kind, 'unlimited');
  assert.equal(addressesFor(full({ strategy: 'bind', close: 'reset' }), 1000, 'hard', EVEN).kind, 'unlimited');
  assert.equal(addressesFor(full({ strategy: 'bind', kernel: '4.1' }), 1000, 'slow', EVEN).kind, 'unlimited');
  assert.equal(
    addressesFor(full({ strategy: 'bind-reuseaddr', autobindReuse: true, destinations: 2 }), 1000, 'hard', EVEN).kind,
    'unknown',
  );
  assert.equal(addressesFor(full({ strategy: 'bind-no-port', kernel: '3.10' }), 1, 'hard', EVEN).kind, 'useless');
});

test('a random spread bears less than an even one: some pair is full first', () => {
  const setup = input({ strategy: 'bind', addresses: 50, maxTwBuckets: 1e9 });
  const [even, random] = [sustainedRates(setup, EVEN), sustainedRates(setup, RANDOM)];
  assert.equal(even.hard, 5000 / LATEST);
  // Erlang's table: 100 lines bear 69.3 erlang at a loss of 1 in 10,000.
  const erlang = (100 * random.hard!) / even.hard!;
  assert.ok(Math.abs(erlang - 69.3) < 1, String(erlang));
  assert.ok(random.slow! < even.slow!);
});
