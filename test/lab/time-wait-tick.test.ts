/**
 * TIME_WAIT ends with a tick of the timer wheel, so that a rate of P / 60 s does not last and one of P / (60 s + tick) does. Three minutes long,
 * and so only on request: BINDSTORM_LONG=1 node --test dist/test/lab/time-wait-tick.test.js
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { describe, test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { timerTick } from '../../src/capacity/timer-wheel.js';
import { timerFrequency } from '../../src/kernel/timer-frequency.js';
import { labArm, measure } from '../support/lab.js';

const PORTS = 300;
/** Three lives of a TIME_WAIT: the first failures come when the ports of the first minute should be back. */
const SECONDS = 185;

const skip = process.env.BINDSTORM_LONG === '1' ? false : 'takes three minutes: set BINDSTORM_LONG=1';

test('the kernel says its HZ', () => {
  assert.ok([100, 250, 300, 1000].includes(timerFrequency()!), `${timerFrequency()}`);
});

describe('the sustained rate of bind', { concurrency: true, skip }, () => {
  const tick = timerTick(60, parseKernelVersion(release(), timerFrequency()));
  const attempt = (rate: number) =>
    measure(
      labArm({
        load: {
          strategy: 'bind',
          arrival: { shape: 'constant', rate, durationMs: SECONDS * 1000 },
          holdMs: 0,
          drain: true,
        },
        sysctls: { 'net.ipv4.ip_local_port_range': `40000 ${40000 + PORTS - 1}` },
      }),
    );

  test('P / (60 s + tick) lasts', async () => {
    const { outcomes } = await attempt((PORTS / (60 + tick)) * 0.993);
    assert.deepEqual(Object.keys(outcomes), ['ok']);
  });

  test('a rate between that and P / 60 s fails', async () => {
    const { outcomes } = await attempt((PORTS / (60 + tick)) * 1.013);
    assert.ok(outcomes['bind:EADDRINUSE']! > 0, JSON.stringify(outcomes));
  });
});
