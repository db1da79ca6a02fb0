/**
 * How full a NAT is when the kernel drops, measured flow by flow, against the simulation of its search: the first drop, and the share of
 * dropped flows in each band of fill.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dropCurve } from '../../src/capacity/nat/drop-curve.js';
import { netnsCommand } from '../../src/lab/netns.js';
import type { NatFill, NatFilled } from '../support/nat-fill.js';

const FILL = fileURLToPath(new URL('../support/nat-fill.js', import.meta.url));
/** Of clients' ports that are drawn from 1024 to 65535 this share is the rule's, for each port of it. */
const DRAWN_FROM = 64_512;

function fill(how: NatFill): NatFilled {
  const [program, ...rest] = netnsCommand([process.execPath, FILL, JSON.stringify(how)], process.getuid?.() === 0);
  const { stdout, stderr, status } = spawnSync(program!, rest, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as NatFilled;
}

const HOW = {
  'sequential client ports': { clients: 'sequential', flags: [] },
  'random client ports': { clients: 'random', flags: [] },
  random: { clients: 'sequential', flags: ['random'] },
  'fully-random': { clients: 'sequential', flags: ['fully-random'] },
} as const;

/** Fills of each kind. */
const REPEATS = 6;
/**
 * One in twenty of what is measured lies outside of a band of 95 of 100; of some four hundred, of which those of one fill hang together, more than
 * this share does not by chance.
 */
const LEAST_COVERED = 0.9;

test('the first drop and the shares by fill are those of the simulation', () => {
  const outside: string[] = [];
  let compared = 0;
  for (const ports of [2000, 20_000]) {
    const runs = ports === 2000 ? 400 : 60;
    const searched = dropCurve(ports, runs, 7);
    const drawn = dropCurve(ports, runs, 7, ports / DRAWN_FROM);
    for (const [name, how] of Object.entries(HOW)) {
      const curve = how.clients === 'random' ? drawn : searched;
      const fills = Array.from({ length: REPEATS }, (_, seed) => fill({ ports, ...how, seed }));
      const hold = (what: string, measured: readonly number[], low: number, high: number) => {
        const told = `${ports} ports, ${name}, ${what}`;
        const mean = measured.reduce((sum, one) => sum + one, 0) / measured.length;
        // The mean of several lies within the band of one, whatever the dice say.
        assert.ok(mean >= low && mean <= high, `${told}: ${mean} on average, simulated ${low} to ${high}`);
        compared += measured.length;
        for (const one of measured)
          if (one < low || one > high) outside.push(`${told}: ${one}, simulated ${low} to ${high}`);
      };
      const { low, high } = curve.first;
      hold(
        'first drop',
        fills.map((one) => one.first),
        low,
        high,
      );
      for (const [i, band] of curve.bands.entries())
        hold(
          `from ${band.from}`,
          fills.map(({ attempts, drops }) => drops[i]! / attempts[i]!),
          band.low,
          band.high,
        );
    }
  }
  const covered = 1 - outside.length / compared;
  assert.ok(covered >= LEAST_COVERED, `${outside.length} of ${compared} outside:\n${outside.join('\n')}`);
});

test('client ports inside of the range are kept: no drop before all are taken', () => {
  for (const ports of [2000, 20_000]) {
    const { first, drops } = fill({ ports, clients: 'inside', flags: [], seed: 1 });
    assert.equal(first, ports);
    assert.deepEqual(new Set(drops), new Set([0]));
  }
});
