// needs: haproxy, microsocks
// alone: a wave that ends after its own ports come back is no count, as beside other guests on a slow machine
/**
 * The catalogue of fixes put to two proxies on two kernels, as a user asks for it: four tables, each with the counts that the model says.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { FixReport } from '../../../src/results/fixes.js';
import { runCli, scratchFolder } from '../../support/cli.js';
import { SKIP } from '../../support/guests.js';

const PROXIES = { haproxy: 80, microsocks: 20 };
const KERNELS = ['bookworm', 'trixie'];

it('two proxies on two kernels: what each fix does in two waves, as predicted', SKIP, async (t) => {
  const rows = ['--subjects', Object.keys(PROXIES).join(), '--kernels', KERNELS.join(), '--no-host'];
  const only = ['--only', 'fin-timeout,wider-range,tw-recycle'];
  const { code, stdout, stderr } = await runCli(['fixes', ...rows, ...only, '--json', '--quiet'], {
    cwd: scratchFolder(t),
    deadlineMs: 900_000,
  });
  assert.equal(code, 0, stderr);
  const { tables } = JSON.parse(stdout) as FixReport;
  const found = tables.map(({ subject, kernel, baseline, cells }) => {
    const said = Object.entries({ baseline, ...cells }).map(([name, cell]) => [
      name,
      cell.kind === 'measured'
        ? [cell.effect, cell.waves, cell.predicted]
        : cell.kind === 'absent'
          ? cell.why
          : cell.kind,
    ]);
    return [subject?.kind, kernel.name, Object.fromEntries(said)];
  });
  const expected = Object.entries(PROXIES).flatMap(([kind, held]) =>
    KERNELS.map((kernel) => [
      kind,
      kernel,
      {
        baseline: ['does nothing', [held, 0], [held, 0]],
        'fin-timeout': ['does nothing', [held, 0], [held, 0]],
        'wider-range': ['works', [2 * held, 0], [2 * held, 0]],
        'tw-recycle': 'net.ipv4.tcp_tw_recycle: until Linux 4.11',
      },
    ]),
  );
  assert.deepEqual(found, expected);
});
