/** When a load says that it began: when its workers did, not when they were told to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPool } from '../../src/load/pool.js';
import { LOAD } from '../../src/plan/load-settings.js';

/** Two workers, and no attempt: nothing is connected to. @returns microseconds */
async function beganAfter(leadMicros: number, protocol: 'tcp' | 'get' | 'udp'): Promise<number> {
  const pool = await createPool({
    plan: {
      ...LOAD,
      protocol,
      ...(protocol === 'get' ? { engine: 'http' } : {}),
      workers: 2,
      arrival: { shape: 'constant', rate: 1, durationMs: 0 },
    },
    addresses: ['127.0.0.1'],
    targets: [{ address: '127.0.0.1', port: 9 }],
    ports: { low: 1024, high: 65_535 },
    seed: 1,
    descriptorLimit: 1_000,
    descriptorReserve: 64,
  });
  pool.start(leadMicros);
  await pool.drained;
  return (await pool.finish()).beganAfter!;
}

for (const protocol of ['tcp', 'get', 'udp'] as const) {
  test(`${protocol}: an instant that is over is missed by as much`, async () => {
    assert.ok((await beganAfter(-200_000, protocol)) >= 200_000);
  });

  test(`${protocol}: no worker begins before the instant`, async () => {
    assert.ok((await beganAfter(30_000, protocol)) >= 0);
  });
}
