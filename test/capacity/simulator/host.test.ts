/** The simulated namespace call by call: what the kernel's tables hold, and who is in whose way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../../src/capacity/kernel-version.js';
import { ANY } from '../../../src/capacity/simulator/bucket.js';
import {
  bindSocket,
  closeSocket,
  connectBound,
  connectUnbound,
  createHost,
  expire,
  type HostConfig,
} from '../../../src/capacity/simulator/host.js';
import { randomStream } from '../../../src/domain/random.js';

const ONE_PORT = { low: 40_000, high: 40_000 };

function host(kernel: string, changes: Partial<HostConfig> = {}) {
  const config: HostConfig = {
    kernel: parseKernelVersion(kernel),
    range: ONE_PORT,
    reserved: new Set(),
    autobindReuse: false,
    twReuse: false,
    twReuseDelayMs: 1000,
    timestamps: true,
    timeWaitMs: 60_000,
    peersHere: false,
    ...changes,
  };
  return createHost(config, randomStream(1, 'test'));
}

const plain = (address: number) => ({ address, reuse: false, reuseport: false });
const reuse = (address: number) => ({ address, reuse: true, reuseport: false });

test('a port that bind() has is barred to connect(), on every address, until its holder is gone', () => {
  const one = host('6.18');
  const bound = bindSocket(one, plain(0), null)!;
  assert.equal(connectUnbound(one, plain(1), 0, 0), null);
  assert.ok(bindSocket(one, plain(1), null), 'bind() on another address has it');
  assert.equal(bindSocket(one, plain(0), null), null);
  closeSocket(one, bound, false, 0);
  assert.ok(bindSocket(one, plain(0), null));
});

test('connect() first, then bind(): the port is shared with another address, and barred from then on', () => {
  const one = host('6.18');
  assert.ok(connectUnbound(one, plain(0), 0, 0));
  assert.ok(connectUnbound(one, plain(0), 1, 0), 'another destination');
  assert.equal(connectUnbound(one, plain(0), 1, 0), null, 'the 4-tuple is taken');
  assert.ok(bindSocket(one, plain(1), null));
  assert.equal(connectUnbound(one, plain(0), 2, 0), null);
});

test('what is left of a bind() bars the port: before 6.18 while any socket is on it (measured: 6.1 and 6.12 refuse, 6.18 does not)', () => {
  for (const [kernel, free] of [
    ['6.1.192', false],
    ['6.12.107', false],
    ['6.18.44', true],
    ['7.2.13', true],
  ] as const) {
    const one = host(kernel);
    connectUnbound(one, plain(0), 0, 0);
    const bound = bindSocket(one, plain(1), null)!;
    assert.equal(connectUnbound(one, plain(0), 1, 0), null, `${kernel}: while the binder lives`);
    closeSocket(one, bound, false, 0);
    assert.equal(connectUnbound(one, plain(0), 1, 0) !== null, free, kernel);
  }
});

test('bind() to the wildcard conflicts with every address; connect() then gives the socket the address of its route', () => {
  const one = host('6.18');
  const any = bindSocket(one, plain(ANY), null)!;
  assert.equal(bindSocket(one, plain(3), null), null);
  assert.ok(connectBound(one, any, 0, 0, 0));
  assert.ok(bindSocket(one, plain(3), null));
  assert.equal(bindSocket(one, plain(0), null), null);
});

test('TIME_WAIT holds the port for bind(); connect() takes it over by tcp_tw_reuse and timestamps, a named port without the sysctl', () => {
  const closed = (changes: Partial<HostConfig>, options: typeof plain) => {
    const one = host('6.18', changes);
    const socket = bindSocket(one, options(0), 40_000)!;
    connectBound(one, socket, 0, 0, 0);
    closeSocket(one, socket, true, 0);
    return one;
  };
  assert.equal(
    bindSocket(closed({ twReuse: true }, plain), plain(0), null),
    null,
    'bind() does not look at tcp_tw_reuse',
  );
  const named = closed({}, reuse);
  assert.ok(connectBound(named, bindSocket(named, reuse(0), 40_000)!, 0, 0, 1));
  const bare = closed({ timestamps: false }, reuse);
  assert.equal(connectBound(bare, bindSocket(bare, reuse(0), 40_000)!, 0, 0, 1), false);

  const own = (changes: Partial<HostConfig>) => {
    const one = host('6.18', changes);
    closeSocket(one, connectUnbound(one, plain(0), 0, 0)!, true, 0);
    return (now: number) => connectUnbound(one, plain(0), 0, now) !== null;
  };
  assert.equal(own({})(59_999), false);
  const reused = own({ twReuse: true });
  assert.deepEqual([reused(1000), reused(1001)], [false, true]);
  assert.equal(own({ twReuse: true, timestamps: false })(5000), false);
});

test('TIME_WAIT ends after 60 s, and 6.1.0 to 6.1.4 did not show it to bind()', () => {
  const refusedAt = (kernel: string) => {
    const one = host(kernel);
    const socket = bindSocket(one, plain(0), null)!;
    connectBound(one, socket, 0, 0, 0);
    closeSocket(one, socket, true, 0);
    return [1, 59_999, 60_000].filter((now) => {
      expire(one, now);
      const again = bindSocket(one, plain(0), null);
      if (again) closeSocket(one, again, false, now);
      return again === null;
    });
  };
  assert.deepEqual(refusedAt('6.18.44'), [1, 59_999]);
  assert.deepEqual(refusedAt('6.1.5'), [1, 59_999]);
  assert.deepEqual(refusedAt('6.1.4'), []);
});

test('SO_REUSEADDR: the port that all owners may share is found by the eras that share, and by ip_autobind_reuse', () => {
  const second = (kernel: string, changes: Partial<HostConfig> = {}, options = reuse) => {
    const one = host(kernel, changes);
    bindSocket(one, options(0), null);
    return bindSocket(one, reuse(0), null) !== null;
  };
  for (const kernel of ['3.2.71', '3.3.8', '3.10', '4.4', '4.9']) assert.ok(second(kernel), kernel);
  for (const kernel of ['4.11', '5.6', '5.7', '6.18']) assert.equal(second(kernel), false, kernel);
  assert.ok(second('5.7', { autobindReuse: true }));
  assert.equal(second('5.6', { autobindReuse: true }), false, 'the sysctl came with 5.7');
  for (const kernel of ['3.2.71', '3.10', '4.9', '6.18'])
    assert.equal(second(kernel, { autobindReuse: true }, plain), false, `${kernel}: the other has no SO_REUSEADDR`);
});
