/** Which ports a search never finds, misses at random, and walks first: as read in the kernel and found by random arms. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { predict } from '../../src/capacity/predict.js';
import { missesAtRandom, neverFound, sharedPorts, usablePorts, walkedFirst } from '../../src/capacity/search-order.js';
import { input } from './inputs.js';

const range = (ports: number, low = 40_000) => ({ low, high: low + ports - 1 });
const reserved = (...ports: number[]) => ({ reserved: ports.length, reservedPorts: new Set(ports) });

test('three ports carry two connections, the last is never found; with SO_REUSEADDR five carry four', () => {
  for (const strategy of ['bind', 'connect', 'bind-no-port', 'bind-any'] as const) {
    assert.equal(neverFound(input({ strategy, range: range(3) })), 40_002, strategy);
    assert.equal(predict(input({ strategy, range: range(3) })).concurrent, 2, strategy);
    assert.equal(neverFound(input({ strategy, range: range(5) })), null, strategy);
  }
  assert.equal(predict(input({ strategy: 'bind-reuseaddr', range: range(5) })).concurrent, 4);
  assert.match(predict(input({ range: range(3) })).rule, /port 40002 is never found/);
});

test('what is reserved is not missed twice: of 40000–40002 with the first two reserved no port is left', () => {
  assert.equal(usablePorts(input({ range: range(3), ...reserved(40_000, 40_001) })), 0);
  assert.equal(usablePorts(input({ range: range(3), ...reserved(40_002) })), 2);
});

test('neither an old kernel, nor a list of the program, nor a socket’s own range since 6.8 misses a port', () => {
  assert.equal(neverFound(input({ kernel: '4.5', range: range(3) })), null);
  assert.equal(neverFound(input({ strategy: 'bind-explicit-port', range: range(3) })), null);
  const own = { strategy: 'local-port-range', programPorts: range(3) } as const;
  assert.equal(neverFound(input(own)), null);
  assert.equal(neverFound(input({ ...own, kernel: '6.6' })), 40_002);
});

test('a longer odd range misses another port each time', () => {
  assert.equal(missesAtRandom(input({ range: range(53) })), true);
  assert.equal(missesAtRandom(input({ range: range(54) })), false);
  assert.equal(missesAtRandom(input({ strategy: 'bind-reuseaddr', range: range(7) })), true, 'five in its upper half');
});

test('the slow wall counts the ports of the parity that is walked first, without the reserved ones among them', () => {
  assert.equal(walkedFirst(input({ range: range(100) })), 50);
  assert.equal(walkedFirst(input({ range: range(100), ...reserved(40_001, 40_003, 40_002) })), 48, 'bind: odd');
  assert.equal(walkedFirst(input({ strategy: 'connect', range: range(100), ...reserved(40_001, 40_002) })), 49);
  assert.equal(walkedFirst(input({ strategy: 'bind-reuseaddr', range: range(100) })), 25);
  assert.equal(walkedFirst(input({ range: range(101) })), 50);
  assert.equal(walkedFirst(input({ strategy: 'connect', range: range(101) })), 50);
});

test('ip_autobind_reuse shares the first stretch that is not all reserved; where there is no port at all bind() fails', () => {
  const shares = (ports: number, ...without: number[]) =>
    sharedPorts(
      input({ strategy: 'bind-reuseaddr', autobindReuse: true, range: range(ports), ...reserved(...without) }),
    );
  assert.equal(shares(100), 25);
  assert.equal(shares(4, 40_001), 1, 'the even port of the lower half');
  assert.equal(shares(4, 40_000, 40_001), 1, 'the odd port of the upper half');
  assert.equal(shares(1), 1);
  const none = input({ strategy: 'bind-reuseaddr', autobindReuse: true, range: range(1), ...reserved(40_000) });
  assert.equal(predict(none).fails, 'bind:EADDRINUSE');
});
