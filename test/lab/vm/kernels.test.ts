/**
 * One experiment on two real kernels, Debian's 6.1 and 6.12 under User-Mode Linux: what only one of them has, what neither has,
 * exact counts on both, and going on after a crash.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Results } from '../../../src/results/schema.js';
import { runCli, scratchFolder } from '../../support/cli.js';

/** P = 100 ports, S = 2 addresses. tcp_syn_linear_timeouts came with 6.5, and no stable kernel got it. */
const PROFILE = `name: two-kernels
lab: { kind: vm }
kernels: [bookworm, trixie]
addresses: { cidr: 10.50.0.0/24, count: 2 }
load: { strategy: bind, arrival: { shape: fill, attempts: 500 } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - { name: syn-timeouts, sysctls: { net.ipv4.tcp_syn_linear_timeouts: 5 } }
  - { name: tw-recycle, sysctls: { net.ipv4.tcp_tw_recycle: 1 } }
  - name: all
    skipMissing: true
    sysctls: { net.ipv4.tcp_tw_recycle: 1, net.netfilter.nf_conntrack_max: 196608, net.core.netdev_max_backlog: 1234 }
repeat: 1
warmup: 0
guardrails: []
`;

describe('two kernels', { skip: process.arch !== 'x64' && 'User-Mode Linux is for x86-64' }, () => {
  it('are one experiment, which goes on after a crash', async (t) => {
    const cwd = scratchFolder(t);
    writeFileSync(join(cwd, 'two.yaml'), PROFILE);
    const first = await runCli(['run', 'two.yaml', '--json', '--force'], { cwd, deadlineMs: 600_000 });
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stderr,
      /note: syn-timeouts is not run on bookworm: not on this kernel \(.*: since Linux 6\.\d+/,
    );
    assert.match(first.stderr, /note: tw-recycle is not run: on none of these kernels/);
    const results = JSON.parse(first.stdout) as Results & { folder: string };
    assertWhole(results);

    const journal = join(cwd, results.folder, 'journal.ndjson');
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    const lost = JSON.parse(lines.at(-2)!) as { run: { id: string } };
    // As a crash in the middle of the last run would have left it.
    writeFileSync(journal, `${lines.slice(0, -2).join('\n')}\n${lines.at(-2)!.slice(0, 40)}`);
    const second = await runCli(['run', '--resume', results.folder, '--json'], { cwd, deadlineMs: 600_000 });
    assert.equal(second.code, 0, second.stderr);
    const again = JSON.parse(second.stdout) as Results;
    assertWhole(again);
    const startOf = (all: Results, id: string) =>
      all.variants.flatMap(({ runs }) => runs).find((run) => run.id === id)!.startedAt;
    for (const { id } of again.variants.flatMap(({ runs }) => runs))
      assert.equal(startOf(again, id) === startOf(results, id), id !== lost.run.id, id);
  });

  it('a name that neither has, nor any other, is refused before anything starts', async (t) => {
    const cwd = scratchFolder(t);
    writeFileSync(join(cwd, 'two.yaml'), PROFILE.replace('tcp_syn_linear_timeouts', 'tcp_sin_linear_timeouts'));
    const { code, stderr } = await runCli(['run', 'two.yaml', '--force'], { cwd });
    assert.equal(code, 2);
    assert.match(
      stderr,
      /two\.yaml:8:\d+: variants\[0\]\.sysctls\["net\.ipv4\.tcp_sin_linear_timeouts"\]: none of these kernels \(6\.1\..*, 6\.12\..*\) has/,
    );
    assert.deepEqual(readdirSync(cwd), ['two.yaml'], 'no result folder');
  });
});

function assertWhole(results: Results): void {
  assert.equal(results.experiment.status, 'complete');
  assert.deepEqual(
    results.kernels!.map(({ name, environment }) => [name, environment.kernel.split('.').slice(0, 2).join('.')]),
    [
      ['bookworm', '6.1'],
      ['trixie', '6.12'],
    ],
  );
  const bound = { ok: 200, 'bind:EADDRINUSE': 300 };
  assert.deepEqual(
    results.variants.map(({ name, kernel, absent, runs }) => [name, kernel, absent ?? false, runs[0]?.outcomes]),
    [
      ['baseline', 'bookworm', false, bound],
      ['syn-timeouts', 'bookworm', true, undefined],
      ['tw-recycle', 'bookworm', true, undefined],
      ['all', 'bookworm', false, bound],
      ['baseline', 'trixie', false, bound],
      ['syn-timeouts', 'trixie', false, bound],
      ['tw-recycle', 'trixie', true, undefined],
      ['all', 'trixie', false, bound],
    ],
  );
  for (const kernel of ['bookworm', 'trixie']) {
    const all = results.variants.find((variant) => variant.name === 'all' && variant.kernel === kernel)!;
    assert.deepEqual(all.missing, { 'net.ipv4.tcp_tw_recycle': 'until Linux 4.11' });
    const { sysctls } = all.runs[0]!;
    assert.deepEqual(
      [sysctls['net.netfilter.nf_conntrack_max'], sysctls['net.core.netdev_max_backlog']],
      ['196608', '1234'],
    );
  }
}
