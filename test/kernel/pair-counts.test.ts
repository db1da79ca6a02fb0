import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomStream } from '../../src/domain/random.js';
import { createPairCounts, MAPPED, type PairCounts } from '../../src/kernel/pair-counts.js';

/** `local port address` → sockets; an address as its four words. */
function counted(pairs: PairCounts): Map<string, number> {
  const counts = new Map<string, number>();
  pairs.forEach((sockets, local, port, wordOf) => {
    const name = nameOf(local, port, [0, 1, 2, 3].map(wordOf));
    assert.ok(!counts.has(name), `${name} comes once`);
    counts.set(name, sockets);
  });
  return counts;
}

function nameOf(local: number, port: number, address: readonly number[]): string {
  return `${local} ${port} ${address.join(':')}`;
}

test('pairs of both families are counted exactly, however often they take turns', () => {
  const pairs = createPairCounts(32_768);
  const random = randomStream(3, 'pairs');
  const truth = new Map<string, number>();
  const view = new DataView(new ArrayBuffer(24));
  for (let i = 0; i < 200_000; i++) {
    // 10,000 pairs of IPv4 are more than have a place at once; neighbours differ in one bit.
    const [local, port] = [Math.floor(random() * 5), 65_535 - Math.floor(random() * 10)];
    const address = (0x0100007f + Math.floor(random() * 200) * 0x1000000) >>> 0;
    const six = i % 4 === 0;
    const words = six ? [0x20010db8, 0, Math.floor(random() * 3), 1] : [0, 0, MAPPED, address];
    if (six) {
      for (const [at, word] of words.entries()) view.setUint32(8 + 4 * at, word, true);
      pairs.addV6(local, port, view, 8);
    } else pairs.addV4(local, port, address);
    const name = nameOf(local, port, words);
    truth.set(name, (truth.get(name) ?? 0) + 1);
  }
  assert.ok(truth.size > 9000 && truth.size <= 32_768, String(truth.size));
  assert.deepEqual(counted(pairs), truth);
  assert.equal(pairs.missed(), 0);
  pairs.addV4(1, 80, 7);
  assert.equal(counted(pairs).get(nameOf(1, 80, [0, 0, MAPPED, 7])), 1, 'it goes on counting after it was read');
});

test('with more pairs than the limit no count is above the truth, or below by more than it says', () => {
  const pairs = createPairCounts(512);
  const truth = new Map<number, number>();
  for (let i = 0; i < 90_000; i++) {
    const address = i % 3 === 0 ? 1 + (i % 7) : 1000 + ((i * 7919) % 20_011);
    pairs.addV4(0, 443, address);
    truth.set(address, (truth.get(address) ?? 0) + 1);
  }
  const missed = pairs.missed();
  assert.ok(missed > 0 && missed < 90_000 / 256, String(missed));
  const counts = counted(pairs);
  assert.ok(counts.size <= 512);
  for (let busy = 1; busy <= 7; busy++) assert.ok(counts.has(nameOf(0, 443, [0, 0, MAPPED, busy])), String(busy));
  for (const [name, sockets] of counts) {
    const all = truth.get(Number(name.slice(name.lastIndexOf(':') + 1)))!;
    assert.ok(sockets <= all && sockets >= all - missed, `${name}: ${sockets} of ${all}, ${missed} missed`);
  }
});

test('what was counted before is forgotten when cleared, what is not handed on as well', () => {
  const pairs = createPairCounts(8);
  pairs.addV4(1, 2, 3);
  pairs.clear();
  assert.equal(counted(pairs).size, 0);
  pairs.addV4(1, 2, 3);
  assert.deepEqual([...counted(pairs).values()], [1]);
});
