/**
 * More sockets open at once than the tables by descriptor have room for at first: the origin's grow, and those of the load are as long as the load can need.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIRST_ROOM } from '../../src/load/origin/listen.js';
import type { LoadPlan } from '../../src/plan/plan.js';
import { labArm, measure } from '../support/lab.js';

const MANY = 2 * FIRST_ROOM + 100;
const fill = { shape: 'fill', attempts: MANY, failures: null, inFlight: MANY, waves: 1, pauseMs: 0 } as const;

const LOADS: Readonly<Record<string, Partial<LoadPlan>>> = {
  'that were accepted, and say nothing': { holdMs: null },
  'each with an exchange of bytes': { holdMs: null, exchange: { request: 3, response: 5 } },
  // All wait for their answers at the same time.
  'each with a GET that is answered after three seconds': { protocol: 'get', holdMs: 3000, timeoutMs: 60_000 },
};

describe(`${MANY} connections`, () => {
  for (const [name, load] of Object.entries(LOADS))
    it(name, async () => {
      const arm = labArm({
        load: { arrival: fill, workers: 1, ...load },
        sysctls: { 'net.ipv4.ip_local_port_range': '20000 60000' },
      });
      const { outcomes, origin } = await measure(arm);
      assert.deepEqual(outcomes, { ok: MANY });
      assert.equal(origin?.accepted, MANY);
    });
});
