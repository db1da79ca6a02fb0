/**
 * The profile that `try` makes of a first look at a program: what the model foresees of each change, before any is tried.
 */
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import { foresee } from '../../src/experiment/foresee.js';
import { loadProfile } from '../../src/profile/load.js';
import { profileOf, type Seen } from '../../src/profile/try.js';
import { foreseenText } from '../../src/report/rows/foreseen.js';

const CHOICE = {
  command: ['node', 'service.js'],
  workdir: '/',
  ports: 32,
  forMs: 2000,
  forward: false,
  origin: {},
  env: {},
};
const SEEN: Seen = {
  port: null,
  ends: true,
  attempts: 60,
  fails: true,
  strategy: 'connect',
  ending: 'client',
  destinations: 1,
};
const MACHINE = { kernel: '6.18.0', hz: 250, defaults: { 'net.ipv4.ip_local_port_range': '32768 60999' } };

/** What each arm comes to with the ports of a machine, by the rules alone. */
function foreseen(seen: Partial<Seen>, choice: Partial<typeof CHOICE> = {}): Record<string, string> {
  const text = profileOf({ ...CHOICE, ...choice }, { ...SEEN, ...seen });
  const { experiment } = loadProfile(text, 'made.yaml', { folder: '/' });
  return Object.fromEntries(experiment.arms.map((arm) => [arm.name, foreseenText(foresee(arm, experiment, MACHINE)!)]));
}

describe('what is foreseen of a program and of each change to it', () => {
  it('connect() chooses, and the program closes first: P / 62.048 s', () => {
    assert.deepEqual(foreseen({}), {
      baseline: '455/s sustained, 28,232 at once',
      'keep-alive': 'not limited by ports, 28,232 at once',
      'wider-range': '1,039/s sustained, 64,512 at once',
      'tw-reuse': '28,232/s sustained, 28,232 at once',
      'fin-timeout': '455/s sustained, 28,232 at once',
    });
  });

  it('bind() chooses, for one destination of three as for all: IP_BIND_ADDRESS_NO_PORT gives P to each', () => {
    assert.deepEqual(foreseen({ strategy: 'bind', destinations: 3 }, { command: ['./job'] }), {
      baseline: '455/s sustained, 28,232 at once',
      'wider-range': '1,039/s sustained, 64,512 at once',
      // tcp_tw_reuse does nothing for bind(), and ip_autobind_reuse nothing without SO_REUSEADDR.
      'tw-reuse': '455/s sustained, 28,232 at once',
      'no-port': '1,365/s sustained, 84,696 at once',
      'autobind-reuse': '455/s sustained, 28,232 at once',
      'fin-timeout': '455/s sustained, 28,232 at once',
    });
  });

  it('the other side closes first: no TIME_WAIT at the program', () => {
    const { baseline } = foreseen({ ending: 'server' });
    assert.equal(baseline, 'not limited by ports, 28,232 at once');
  });

  it('nobody knows who closes first: no rate is foreseen', () => {
    const { baseline, 'keep-alive': kept } = foreseen({ ending: 'unknown' });
    assert.deepEqual([baseline, kept], Array(2).fill('not modelled, 28,232 at once'));
  });
});

test('on a busy machine a program has as many times longer to come to its end', () => {
  const durations = (seen: Seen | null) => {
    const { experiment } = loadProfile(profileOf(CHOICE, seen, 3.25), 'made.yaml', { folder: '/' });
    return experiment.arms[0]!.load.arrival;
  };
  assert.deepEqual(durations(null), { shape: 'own', attempts: null, durationMs: 6500 });
  assert.deepEqual(durations({ ...SEEN, ends: false }), { shape: 'own', attempts: 48, durationMs: 65_000 });
  assert.deepEqual(durations(SEEN), { shape: 'own', attempts: null });
});
