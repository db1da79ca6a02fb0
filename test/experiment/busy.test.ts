import assert from 'node:assert/strict';
import { it } from 'node:test';
import { busyBy } from '../../src/experiment/busy.js';

const quiet = { queue: { ranMs: 200, waitedMs: 20 }, load1: 0.2, cpus: 2 };

it('a quiet machine is not called busy', () => {
  assert.deepEqual(busyBy(quiet), { slower: 1, why: null });
  assert.deepEqual(busyBy({ queue: undefined, load1: undefined, cpus: 1 }), { slower: 1, why: null });
  assert.deepEqual(busyBy({ ...quiet, load1: 6, cpus: 16 }), { slower: 1, why: null });
});

it('the stronger of two signs counts, and is named', () => {
  assert.deepEqual(busyBy({ ...quiet, load1: 6 }), { slower: 4, why: 'the load average is 6.0 on 2 CPUs' });
  assert.deepEqual(busyBy({ ...quiet, load1: 4, cpus: 1 }), { slower: 3, why: 'the load average is 4.0 on 1 CPU' });
  assert.deepEqual(busyBy({ ...quiet, queue: { ranMs: 100, waitedMs: 250 }, load1: 4 }), {
    slower: 3.5,
    why: 'bindstorm itself has waited 2.5 times as long for a CPU as it has run',
  });
});
