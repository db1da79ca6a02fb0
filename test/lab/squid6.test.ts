/**
 * Squid 6 of Debian trixie beside Squid 5, fetched and not installed. It sets IP_BIND_ADDRESS_NO_PORT, so connect() chooses the port: what fits is P·K
 * for each destination, its failures have another errno and no line in the log, and other programs keep their ports.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { debianProgram } from '../../src/machine/debian-program.js';
import { LOAD } from '../../src/plan/load-settings.js';
import type { Arm, Neighbour } from '../../src/plan/plan.js';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { squid } from '../../src/subjects/squid/squid.js';
import { runCli, scratchFolder } from '../support/cli.js';
import { labArm, measure, tenAddresses } from '../support/lab.js';
import { SQUID } from '../support/proxies.js';

const FAIL = 'http:503 ERR_CONNECT_FAIL';
let six: Partial<typeof SQUID>;
before(async () => {
  six = { suite: 'trixie', binary: await debianProgram('trixie', squid.unpacked) };
});

/** Tunnels held open, 50 ports an address. */
function holding(attempts: number, addresses: number, destinations: number): Arm {
  return {
    ...labArm({
      addresses: tenAddresses(addresses),
      destinations: { kind: 'lab', addresses: 1, ports: destinations },
      sysctls: { 'net.ipv4.ip_local_port_range': '40000 40049' },
      load: {
        protocol: 'connect',
        holdMs: null,
        timeoutMs: 30_000,
        arrival: { shape: 'fill', attempts, failures: null, inFlight: 16, waves: 1, pauseMs: 0 },
      },
    }),
    proxy: { ...SQUID, ...six },
  };
}

describe('squid 6', () => {
  it('holds P·K·D tunnels, and the kernel refuses connect(), of which its log has no line', async () => {
    const run = await measure(holding(220, 2, 2), { observe: 'ebpf' });
    assert.match(run.proxy?.version ?? '', /^6\./);
    assert.deepEqual(run.outcomes, { ok: 200, [FAIL]: 20 });
    assert.deepEqual(run.proxy?.answers, { '503 ERR_CONNECT_FAIL 99': 20 });
    assert.deepEqual(run.proxy?.failures, []);
    assert.deepEqual(
      run.proxy?.syscalls?.failures
        .filter(({ errno }) => errno.startsWith('EADDR'))
        .map(({ call, errno, count }) => ({ call, errno, count })),
      [{ call: 'connect', errno: 'EADDRNOTAVAIL', count: 20 }],
    );
    assert.deepEqual(run.ports.peakPerAddress, [50, 50]);
  });

  it('leaves other programs their ports', async () => {
    const curl: Neighbour = {
      name: 'curl',
      where: 'beside',
      addresses: [],
      afterMs: null,
      load: {
        ...LOAD,
        pick: 'round-robin',
        timeoutMs: 30_000,
        arrival: { shape: 'constant', rate: 100, durationMs: 300 },
      },
    };
    const run = await measure(holding(60, 1, 1), { neighbours: [curl] });
    assert.deepEqual(run.outcomes, { ok: 50, [FAIL]: 10 });
    assert.deepEqual(run.neighbours?.[0]?.outcomes, { ok: 30 });
  });

  it('is a variant of an experiment whose baseline is squid 5, by its suite', async (t) => {
    const cwd = scratchFolder(t);
    const profile = `name: five-and-six
subject: { kind: squid }
addresses: { list: [10.50.0.1] }
destinations: { ports: 4 }
load: { arrival: { shape: fill, attempts: 210 }, timeout: 30s }
sysctls: { net.ipv4.ip_local_port_range: 40000 40049 }
variants:
  - { name: squid-6, subject: { suite: trixie } }
repeat: 2
warmup: 0
goal: failures.share
guardrails: []
`;
    writeFileSync(join(cwd, 'both.yaml'), profile);
    const end = await runCli(['run', 'both.yaml', '--json', '--quiet'], { cwd });
    assert.equal(end.code, 0, end.stderr);
    const { folder, ...results } = JSON.parse(end.stdout) as Results & { folder: string };
    const [five, six] = resultsSchema.parse(results).variants;
    for (const run of five!.runs) assert.deepEqual(run.outcomes, { ok: 50, [FAIL]: 160 });
    for (const run of six!.runs) assert.deepEqual(run.outcomes, { ok: 200, [FAIL]: 10 });
    assert.deepEqual([five!.strategy, six!.strategy], ['bind', 'bind-no-port']);
    assert.equal(six!.verdict?.verdict, 'better');
    assert.deepEqual(six!.changes, ['suite none → trixie', 'strategy bind → bind-no-port']);
  });
});
