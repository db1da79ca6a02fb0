import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSocketSample, SOCKET_ID_BYTES } from '../../src/kernel/socket-sample.js';

/** A struct inet_diag_msg of a socket with this number in its ports. */
function message(number: number): DataView {
  const view = new DataView(new ArrayBuffer(80));
  view.setUint8(8, 2);
  view.setUint32(12, number, true);
  view.setUint32(12 + SOCKET_ID_BYTES - 4, ~number >>> 0, true);
  return view;
}

function idsOf(sample: ReturnType<typeof createSocketSample>, local: number, most = 1 << 20): number[] {
  const found: number[] = [];
  sample.forEach(local, most, (family, id) => {
    assert.equal(family, 2);
    const view = new DataView(id.buffer, id.byteOffset, id.byteLength);
    const number = view.getUint32(0, true);
    assert.equal(view.getUint32(SOCKET_ID_BYTES - 4, true), ~number >>> 0, 'all of it is of one socket');
    found.push(number);
  });
  return found;
}

test('few sockets are all in the sample, by address and in order, until it is cleared', () => {
  const sample = createSocketSample(64);
  for (let i = 0; i < 60; i++) sample.offer(i % 3, message(i), 8);
  assert.deepEqual(
    idsOf(sample, 1),
    Array.from({ length: 20 }, (_, i) => 3 * i + 1),
  );
  // Fewer of them, at equal distances, from the first on.
  assert.deepEqual(idsOf(sample, 1, 4), [1, 16, 31, 46]);
  assert.deepEqual(idsOf(sample, 1, 0), []);
  sample.clear();
  assert.deepEqual(idsOf(sample, 1), []);
});

test('of very many each has the same chance, wherever it is listed', () => {
  const sample = createSocketSample(1024);
  const all = 200_000;
  const tenths = new Array<number>(10).fill(0);
  let [kept, rounds] = [0, 0];
  for (; rounds < 20; rounds++) {
    sample.clear();
    for (let i = 0; i < all; i++) sample.offer(i % 2, message(i), 8);
    const found = [...idsOf(sample, 0), ...idsOf(sample, 1)];
    assert.ok(found.length >= 256 && found.length <= 1024, String(found.length));
    assert.equal(new Set(found).size, found.length);
    kept += found.length;
    for (const number of found) tenths[Math.floor((10 * number) / all)]!++;
  }
  // Each tenth of the list: within five deviations of its share.
  for (const count of tenths)
    assert.ok(Math.abs(count - kept / 10) < 5 * Math.sqrt(kept / 10), `${tenths.join(' ')} of ${kept}`);
});
