/**
 * `bindstorm run capacity --lab vm --kernel bookworm` in small: the shipped profile with two destinations instead of four, which
 * makes its arms rows of the oracle, five of its twelve arms, and one run of each. What the command reports of Linux 6.1 must be
 * what the oracle says of Linux 6.1.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse, stringify } from 'yaml';
import { resultsSchema } from '../../src/results/schema.js';
import { ROOT, runCli, scratchFolder } from '../support/cli.js';
import { KERNELS, rowOn } from '../support/kernel-tables.js';
import { PORTS, readOracle } from '../support/oracle.js';

const STRATEGIES = ['bind', 'connect', 'bind-no-port', 'bind-explicit-port-exclusive', 'local-port-range'];
const [ADDRESSES, DESTINATIONS] = [2, 2];
const { suite, column } = KERNELS.find(({ column }) => column === '6.1')!;

interface Profile {
  addresses: { count: number };
  destinations: { ports: number };
  load: { arrival: { attempts: number } };
  sysctls: Record<string, string>;
  variants: { name: string }[];
  warmup?: number;
}

function smallProfile(attempts: number): string {
  const profile = parse(readFileSync(join(ROOT, 'profiles', 'capacity.yaml'), 'utf8')) as Profile;
  assert.equal(profile.addresses.count, ADDRESSES);
  assert.equal(profile.sysctls['net.ipv4.ip_local_port_range'], `40000 ${40_000 + PORTS - 1}`);
  profile.destinations.ports = DESTINATIONS;
  profile.load.arrival.attempts = attempts;
  profile.warmup = 0;
  profile.variants = profile.variants.filter(({ name }) => STRATEGIES.includes(name));
  return stringify(profile);
}

describe('capacity in a guest', { skip: process.arch !== 'x64' && 'User-Mode Linux is for x86-64' }, () => {
  it(`counts on Linux ${column} what the oracle says of it`, async (t) => {
    const rows = readOracle()
      .filter(
        (row) =>
          row.mode === 'held' &&
          row.autobindReuse === '0' &&
          row.addresses === ADDRESSES &&
          row.destinations === DESTINATIONS &&
          STRATEGIES.includes(row.strategy),
      )
      .map((row) => rowOn(column, row));
    assert.equal(rows.length, STRATEGIES.length);
    const cwd = scratchFolder(t);
    writeFileSync(join(cwd, 'capacity.yaml'), smallProfile(rows[0]!.attempts));
    const command = [
      'run',
      'capacity.yaml',
      '--lab',
      'vm',
      '--kernel',
      suite,
      '--repeat',
      '1',
      '--quiet',
      '--force',
      '--json',
    ];
    const { code, stdout, stderr } = await runCli(command, { cwd, deadlineMs: 600_000 });
    assert.equal(code, 0, stderr);
    const results = resultsSchema.parse(JSON.parse(stdout));
    assert.match(results.environment.kernel, /^6\.1\./);
    const found = results.variants.map(({ strategy, runs }) => [strategy, runs.map(({ outcomes }) => outcomes)]);
    assert.deepEqual(Object.fromEntries(found), Object.fromEntries(rows.map((row) => [row.strategy, [row.outcomes]])));
  });
});
