/**
 * Squid itself as the subject: its ceilings to the exact connection, its failures as client, log and sockets show them.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SQUID } from '../../src/profile/defaults.js';
import type { Arm } from '../../src/profile/plan.js';
import type { SquidSettings } from '../../src/profile/subject.js';
import { type LabArm, labArm, measure, tenAddresses } from '../support/lab.js';

const FAIL = 'http:503 ERR_CONNECT_FAIL';

function squidArm(arm: Partial<LabArm> & { attempts?: number }, settings: Partial<SquidSettings> = {}): Arm {
  const { attempts = 0, load, ...rest } = arm;
  return {
    ...labArm({
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40099' },
      ...rest,
      load: {
        protocol: 'connect',
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 16, waves: 1, pauseMs: 0 },
        ...load,
      },
    }),
    proxy: { ...SQUID, ...settings },
  };
}

describe('tunnels held open through squid 5', () => {
  for (const [addresses, ports] of [
    [1, 1],
    [2, 1],
    [1, 4],
    [2, 4],
  ] as const) {
    it(`P·K: 100 ports, ${addresses} outgoing, ${ports} destinations`, async () => {
      const room = 100 * addresses;
      const run = await measure(
        squidArm({
          attempts: room + 20,
          addresses: tenAddresses(addresses),
          destinations: { kind: 'lab', addresses: 1, ports },
        }),
      );
      assert.deepEqual(run.outcomes, { ok: room, [FAIL]: 20 });
      assert.deepEqual(run.problems, []);
      assert.equal(run.capacity.tuples, room);
      assert.deepEqual(
        run.ports.peakPerAddress,
        Array.from({ length: addresses }, () => 100),
      );
      const { proxy } = run;
      assert.deepEqual(proxy?.answers, { '503 ERR_CONNECT_FAIL 0': 20 });
      assert.deepEqual(
        proxy?.failures.map(({ call, errno, count }) => ({ call, errno, count })),
        [{ call: 'bind', errno: 'EADDRINUSE', count: 20 }],
      );
      assert.match(proxy?.failures[0]?.lines[0] ?? '', /commBind Cannot bind socket FD \d+ to 10\.50\.0\.\d: \(98\)/);
    });
  }
});
