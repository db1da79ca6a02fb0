// needs: haproxy
/**
 * What goes wrong with a program in a guest of User-Mode Linux: each is one error, or a failed run, that says what it was.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runOne } from '../../../src/experiment/run-one.js';
import { vmLab } from '../../../src/lab/vm/vm.js';
import { loadProfile } from '../../../src/profile/load.js';
import { runCli, scratchFolder } from '../../support/cli.js';
import { engineProcesses, KERNEL, SKIP } from '../../support/guests.js';

const profile = (subject: string, load: string, sysctls = '') => `name: faults
addresses: 10.50.0.1/32
lab: { kind: vm, kernel: ${KERNEL} }
subject: ${subject}
load: ${load}
sysctls: { net.ipv4.ip_local_port_range: 40000 40019${sysctls} }
variants: [{ name: wider, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }]
repeat: 1
warmup: 0
guardrails: []
`;
const FILL = '{ arrival: { shape: fill, attempts: 40 }, timeout: 30s }';

describe('in a guest', SKIP, () => {
  // Watermarks above all memory: every allocation waits for pages that nobody can free (admin-guide/sysctl/vm.rst). The rehearsal, which sets
  // it too, would come no further.
  it('without memory a proxy is a failed run that says so', async () => {
    const [arm] = loadProfile(
      profile('{ kind: haproxy, mode: tcp }', FILL, ', vm.min_free_kbytes: 4000000'),
      'faults.yaml',
    ).experiment.arms;
    const { run } = await runOne({
      lab: vmLab({ engine: 'uml', kernel: KERNEL }, () => {}, { subjects: [arm!.proxy!] }),
      arm: arm!,
      planned: { id: 'r', variant: 'baseline', block: 0, warmup: false, order: 0, seed: 1 },
      network: 'veth',
      signal: new AbortController().signal,
      onSample: () => {},
    });
    assert.equal(run.status, 'failed');
    assert.match(`${run.problems} ${run.stderr}`, /out of memory|Out of memory/);
    assert.deepEqual(engineProcesses(), [], 'nothing of it is left');
  });

  it('a program is refused on a kernel that cannot give it the lab’s internet, with the engine that can', async (t) => {
    const cwd = scratchFolder(t);
    const own = profile('{ kind: program, command: [node, -e, ""] }', '{ protocol: get, arrival: { shape: own } }');
    writeFileSync(join(cwd, 'own.yaml'), own);
    const { code, stderr } = await runCli(['run', 'own.yaml', '--force', '--quiet'], { cwd, deadlineMs: 500_000 });
    assert.equal(code, 2, stderr);
    assert.match(
      stderr.replaceAll(/\s+/g, ' '),
      /the kernel of the guest \(6\.1\.\S+\) cannot give a program the lab's internet: .*; run it with engine qemu: /,
    );
  });
});
