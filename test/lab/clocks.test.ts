/**
 * load.clocks against the kernel that runs here: what a server sees in the SYNs, and what it makes of them.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { netnsCommand, netnsLab } from '../../src/lab/netns.js';
import { CLOCK_STEP } from '../../src/load/socket/clocks.js';
import type { DriverInput, SeenSyn } from '../support/clock-driver.js';

const DRIVER = fileURLToPath(new URL('../support/clock-driver.js', import.meta.url));
/** Ticks of a millisecond; the attempts of one test are over in less. */
const MOMENT = 60_000;

async function synsOf(input: Omit<DriverInput, 'destinations'> & Partial<DriverInput>): Promise<SeenSyn[]> {
  const [program, ...rest] = netnsCommand([process.execPath, DRIVER], process.getuid?.() === 0);
  const { stdout } = await execa(program!, rest, { input: JSON.stringify({ destinations: 1, ...input }) });
  return stdout.split('\n').map((line) => JSON.parse(line) as SeenSyn);
}

/** How far each SYN's clock is behind the first one's, in steps. Clocks go round in 32 bits. */
function stepsBehind(syns: readonly SeenSyn[]): number[] {
  return syns.map(({ timestamp }) => {
    const behind = (syns[0]!.timestamp - timestamp) | 0;
    const steps = Math.round(behind / CLOCK_STEP);
    assert.ok(Math.abs(behind - steps * CLOCK_STEP) < MOMENT, `${behind} ticks are not whole steps`);
    return steps === 0 ? 0 : steps;
  });
}

describe('clients behind one address', () => {
  for (const address of ['127.0.0.1', '::1']) {
    test(`each has a clock of its own, a step behind the one before: ${address}`, async () => {
      const syns = await synsOf({ address, clocks: 3, attempts: 7, strategy: 'bind' });
      assert.deepEqual(stepsBehind(syns), [0, 1, 2, 0, 1, 2, 0]);
    });
  }

  test('and their SYNs are otherwise those of one client', async () => {
    const of = (clocks: number) => synsOf({ address: '127.0.0.1', clocks, attempts: 2, strategy: 'bind-reuseaddr' });
    const [many, one] = await Promise.all([of(2), of(1)]);
    const shape = ({ options, data }: SeenSyn) => ({ options, data });
    assert.deepEqual(many.map(shape), one.map(shape));
    assert.equal(many[0]!.data, 0);
  });

  test('500 clocks are in one order: the last is behind the first, not ahead', async () => {
    const syns = await synsOf({ address: '127.0.0.1', clocks: 500, attempts: 500, strategy: 'bind' });
    assert.deepEqual(
      stepsBehind(syns),
      Array.from({ length: 500 }, (_, i) => i),
    );
  });

  test('the options of a strategy outlive the setting of the clock', async () => {
    // Each port of the list is bound twice, once a destination: only SO_REUSEADDR on both sockets allows that.
    const load = { clocks: 2, attempts: 4, destinations: 2, strategy: 'bind-explicit-port' } as const;
    const syns = await synsOf({ address: '127.0.0.1', ...load });
    assert.deepEqual(
      syns.map(({ port }) => port),
      [40_000, 40_001, 40_000, 40_001],
    );
  });

  test('the rehearsal tries it, on IPv4 and IPv6', async () => {
    for (const address of ['10.50.0.1', 'fd00::1']) {
      const session = await netnsLab().open('check');
      try {
        session.send({ type: 'check', sysctls: [], strategies: ['bind'], addresses: [address], clocks: true });
        const event = await session.next();
        assert.ok(event.type === 'checked', JSON.stringify(event));
        assert.equal(event.check.clocksMissing, null);
      } finally {
        await session.close();
      }
    }
  });
});
