// needs: qemu-system-x86
/**
 * The folklore of NAT on kernels on either side of 6.5, as a user asks for it: what a second wave gets of the ports whose connections were closed.
 * Before 6.5 only what conntrack has forgotten by itself; since then a new connection ends closed ones (nf_nat_used_tuple_harder(), 458972550287).
 * An emulated CPU is slow, and may be slower beside other work: an attempt has 5 s in guests, and the whole has as long as it needs.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { disagreements, type FixReport } from '../../../src/analysis/fixes.js';
import { atLeast, parseKernelVersion } from '../../../src/capacity/kernel-version.js';
import { EVICTS_SINCE } from '../../../src/capacity/nat/after-close.js';
import { runCli, scratchFolder } from '../../support/cli.js';
import { SKIP } from '../../support/guests.js';

const P = 20;
const KERNELS = ['bookworm', 'trixie'];
const ONLY = ['two-rules-numgen', 'conntrack-time-wait', 'conntrack-max'];
const DEADLINE_MS = 1_800_000;
const MAX = 'net.netfilter.nf_conntrack_max';

it(`what a NAT gives back on ${KERNELS.join(' and ')}, as predicted`, SKIP, async (t) => {
  const args = ['fixes', '--subjects', 'nat', '--kernels', KERNELS.join(), '--no-host', '--only', ONLY.join()];
  const { code, stdout, stderr } = await runCli([...args, '--json', '--quiet'], {
    cwd: scratchFolder(t),
    deadlineMs: DEADLINE_MS,
  });
  assert.equal(code, 0, stderr);
  const report = JSON.parse(stdout) as FixReport;
  const found = report.tables.map(({ kernel, baseline, cells }) => [
    kernel.name,
    Object.fromEntries(
      Object.entries({ baseline, ...cells }).map(([name, cell]) => [
        name,
        cell.kind === 'measured' ? [cell.effect, cell.waves] : cell.kind === 'absent' ? cell.why : cell.kind,
      ]),
    ),
  ]);
  const evicts = report.tables.map(({ kernel }) => atLeast(parseKernelVersion(kernel.release), EVICTS_SINCE));
  assert.deepEqual(evicts, [false, true], 'kernels of both kinds');
  const expected = report.tables.map(({ kernel }, i) => {
    const second = (ports: number) => (evicts[i] ? ports : 0);
    return [
      kernel.name,
      {
        baseline: ['does nothing', [P, second(P)]],
        'two-rules-numgen': ['works', [2 * P, second(2 * P)]],
        'conntrack-time-wait': [evicts[i] ? 'does nothing' : 'works', [P, P]],
        'conntrack-max': `the router has a network namespace of its own, in which ${MAX} is read-only (EACCES): one value serves the whole kernel; leave it out`,
      },
    ];
  });
  assert.deepEqual(found, expected);
  assert.deepEqual(disagreements(report), []);
});
