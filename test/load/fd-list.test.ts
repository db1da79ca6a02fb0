import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomStream } from '../../src/domain/random.js';
import { createFdList } from '../../src/load/socket/fd-list.js';

test('a queue keeps the order in which descriptors were appended', () => {
  const list = createFdList(10);
  assert.deepEqual([list.head, list.size], [-1, 0]);
  for (const fd of [7, 0, 9]) list.append(fd);
  assert.deepEqual([list.head, list.size], [7, 3]);
  list.remove(0);
  list.remove(7);
  assert.deepEqual([list.head, list.size], [9, 1]);
  list.append(7);
  list.remove(9);
  assert.deepEqual([list.head, list.size], [7, 1]);
  list.remove(7);
  assert.deepEqual([list.head, list.size], [-1, 0]);
});

test('20,000 random appends and removals agree with a plain array', () => {
  const random = randomStream(1, 'fd-list');
  const capacity = 64;
  const list = createFdList(capacity);
  let model: number[] = [];
  for (let step = 0; step < 20_000; step++) {
    const fd = Math.floor(random() * capacity);
    // Filled for a while, then drained, so that the empty queue and the full one both come up.
    const draining = Math.floor(step / 500) % 2 === 1;
    if (model.includes(fd)) {
      if (draining || random() < 0.2) {
        list.remove(fd);
        model = model.filter((other) => other !== fd);
      }
    } else if (!draining || random() < 0.2) {
      list.append(fd);
      model.push(fd);
    }
    assert.equal(list.size, model.length, `step ${step}`);
    assert.equal(list.head, model[0] ?? -1, `step ${step}`);
  }
  // Drained from the head, the order shows.
  const drained: number[] = [];
  while (list.head >= 0) {
    drained.push(list.head);
    list.remove(list.head);
  }
  assert.deepEqual(drained, model);
});
