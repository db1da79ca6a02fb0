/**
 * Tor itself as the subject: a private network whose exits run out of ports, to the exact stream, as its clients, its log and its
 * sockets show it.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TOR } from '../../src/profile/defaults.js';
import type { Arm } from '../../src/profile/plan.js';
import type { TorSettings } from '../../src/profile/subject.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';

const FAIL = 'socks:general-failure';

function torArm(arm: Partial<LabArm> & { attempts?: number }, settings: Partial<TorSettings> = {}): Arm {
  const { attempts = 0, load, ...rest } = arm;
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40063' },
      ...rest,
      load: {
        protocol: 'socks5',
        holdMs: null,
        timeoutMs: 60_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 16, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy: { ...TOR, ...settings },
  };
}

describe('streams held open through exits of Tor', () => {
  for (const [addresses, ports, room] of [
    [1, 1, 64],
    [2, 1, 128],
    [1, 4, 256],
  ] as const) {
    it(`64 ports, ${addresses} exits, ${ports} destinations: ${room}`, async () => {
      const run = await measure(
        torArm({
          attempts: room + 20,
          addresses: tenAddresses(addresses),
          destinations: { kind: 'lab', addresses: 1, ports },
        }),
      );
      assert.deepEqual(run.outcomes, { ok: room, [FAIL]: 20 });
      assert.deepEqual(run.problems, []);
    });
  }
});
