import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { atRealScale, modelOf, RESERVED_PORTS } from '../../src/capacity/real-scale.js';
import { LOCAL_PORT_RANGE as RANGE } from '../../src/domain/sysctl-syntax.js';

const USUAL = {
  [RANGE]: '32768\t60999',
  [RESERVED_PORTS]: '',
  'net.ipv4.tcp_max_tw_buckets': '131072',
  'net.core.somaxconn': '4096',
};

/** A change of one sysctl against a baseline. */
function scaled(
  name: string,
  value: string,
  before: Record<string, string> = {},
  usual: Record<string, string> = USUAL,
) {
  return atRealScale({ name, value, before, after: { ...before, [name]: value }, usual });
}

/** The value for a machine; null: none. */
function value(...args: Parameters<typeof scaled>): string | null {
  const result = scaled(...args);
  return result.kind === 'value' ? result.value : null;
}

describe('a range', () => {
  it('of a model grows by as many times on a machine, from the usual upper end downwards', () => {
    assert.deepEqual(scaled(RANGE, '40000 40005', { [RANGE]: '40000 40003' }), {
      kind: 'value',
      value: '18652 60999',
      note: 'in the lab 4 ports stood for 28,232, and 6, 1.5 times as many, for 42,348',
    });
  });

  it('never has more than all ports from 1024 on, and says that it is less of a step', () => {
    const result = scaled(RANGE, '40000 40399', { [RANGE]: '40000 40099' });
    assert.ok(result.kind === 'value');
    assert.equal(result.value, '1024 65535');
    assert.match(result.note!, /4 times as many, for 112,928; there are 64,512 from 1024 on, 2\.3 times as many/);
    assert.equal(value(RANGE, '40000 40211', { [RANGE]: '40000 40099' }), '1148 60999');
  });

  it('is not called less of a step where it is as good as the same', () => {
    const step = (to: string) => scaled(RANGE, to, { [RANGE]: '40000 40281' });
    // 645 of 282 are 64,573 of 28,232, and there are 64,512.
    assert.deepEqual(step('40000 40644'), {
      kind: 'value',
      value: '1024 65535',
      note: 'in the lab 282 ports stood for 28,232, and 645, 2.3 times as many, for 64,512',
    });
    const more = step('40000 40679');
    assert.ok(more.kind === 'value');
    assert.match(
      more.note!,
      /and 680, 2\.4 times as many, for 68,077; .* so this is less of a step than was measured$/,
    );
    const real = scaled(RANGE, '1024 65535', { [RANGE]: '1024 29257' }, { ...USUAL, [RANGE]: '1024 29255' });
    assert.ok(real.kind === 'value' && real.note === null, 'a real size on both sides');
    const alike = scaled(RANGE, '1024 65535', { [RANGE]: '1024 29000' });
    assert.ok(alike.kind === 'value');
    assert.equal(alike.note, 'in the lab 27,977 ports stood for 28,232');
  });

  it('of a real size stays as it was measured, and says how much of a step it is', () => {
    assert.deepEqual(scaled(RANGE, '1024 65535'), { kind: 'value', value: '1024 65535', note: null });
    const fromModel = scaled(RANGE, '1025 65530', { [RANGE]: '40000 40063' });
    assert.ok(fromModel.kind === 'value' && fromModel.value === '1025 65530');
    assert.match(fromModel.note!, /the step there was 1,008 times as many, here it is 2\.3 times as many at most/);
    assert.equal(
      value(RANGE, '20000 45000', { [RANGE]: '32768 60999' }),
      '20000 45000',
      'narrower, of a machine’s size',
    );
  });

  it('that is only smaller is for no machine', () => {
    assert.equal(value(RANGE, '40000 40099'), null);
    assert.equal(value(RANGE, '40000 40049', { [RANGE]: '40000 40099' }), null);
  });

  it('is compared with the machine’s own where that is another', () => {
    const before = { [RANGE]: '40000 40099' };
    assert.equal(value(RANGE, '40000 40149', before, { [RANGE]: '20001 30000' }), '15001 30000');
    assert.equal(value(RANGE, '40000 40149', before, {}), '18652 60999', 'not recorded: the kernel’s');
  });

  it('whose ports were all reserved has no number of times as many', () => {
    const result = scaled(RANGE, '1024 65535', { [RESERVED_PORTS]: '32768-60999' });
    assert.ok(result.kind === 'value');
    assert.doesNotMatch(result.note!, /∞|NaN/);
  });
});

describe('a list of reserved ports', () => {
  it('that makes a range small is for no machine, whatever the range', () => {
    assert.equal(value(RESERVED_PORTS, '33768-60999', { [RESERVED_PORTS]: '32788-60999' }), null);
    assert.equal(value(RESERVED_PORTS, '40000-40009', { [RANGE]: '40000 40099' }), null);
  });

  it('of services stays', () => {
    assert.equal(value(RESERVED_PORTS, '8080,49000-49010'), '8080,49000-49010');
    assert.equal(value(RESERVED_PORTS, '8080', { [RANGE]: '40000 40099' }), '8080', 'beside the range');
  });

  it('makes a model of the baseline', () => {
    assert.deepEqual(modelOf({ [RESERVED_PORTS]: '32788-60999' }, USUAL), { ports: 20, usual: 28_232 });
    assert.deepEqual(modelOf({ [RANGE]: '40000 40099' }, USUAL), { ports: 100, usual: 28_232 });
    assert.equal(modelOf({ [RESERVED_PORTS]: '8080,49000' }, USUAL), null);
    assert.equal(modelOf({ [RANGE]: '1024 65535' }, USUAL), null);
  });
});

describe('a limit', () => {
  it('below the kernel’s own is of the lab’s size', () => {
    const few = scaled('net.ipv4.tcp_max_tw_buckets', '100');
    assert.ok(few.kind === 'none');
    assert.equal(few.reason, 'is less than this kernel’s own 131,072, a limit of the lab’s size');
    assert.equal(value('net.core.somaxconn', '8'), null);
    assert.equal(value('net.ipv4.tcp_rmem', '4096 8192 16384', { 'net.ipv4.tcp_rmem': '4096 131072 6291456' }), null);
  });

  it('at or above it stays, and so does what has no size', () => {
    assert.equal(value('net.ipv4.tcp_max_tw_buckets', '2000000'), '2000000');
    assert.equal(value('net.core.somaxconn', '20480'), '20480');
    const buffers = '4096 87380 33554432';
    assert.equal(value('net.ipv4.tcp_rmem', buffers, { 'net.ipv4.tcp_rmem': '4096 131072 6291456' }), buffers);
    assert.equal(value('net.ipv4.tcp_fin_timeout', '5'), '5');
    assert.equal(value('net.ipv4.tcp_tw_reuse', '1'), '1');
  });
});

it('what is no value is for no machine, and what the results hold besides is not trusted', () => {
  assert.equal(value('net.ipv4.tcp_tw_reuse', '1; rm'), null);
  assert.equal(value(RANGE, '1024 65535', { [RANGE]: 'x', [RESERVED_PORTS]: 'y' }), '1024 65535');
});
