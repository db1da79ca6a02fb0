import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readSysctl } from '../../src/kernel/sysctl.js';
import { throwawayHost } from '../support/throwaway-host.js';

test('what is done in another namespace is done there alone, also when it throws', async (t) => {
  const { within } = await throwawayHost(t);
  const program = fileURLToPath(new URL('../support/two-namespaces.js', import.meta.url));
  const root = process.getuid?.() === 0;
  const [first, ...words] = [...within, process.execPath, program, ...(root ? [`/proc/${process.pid}/ns/net`] : [])];
  const { status, stdout, stderr } = spawnSync(first!, words, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), {
    own: '40000 40099',
    there: '50000 50099',
    thrown: 'in 50000 50099',
    refused: 'setns failed with EINVAL (/proc/self/ns/uts)',
    after: '40000 40099',
    // What the own namespace has is its own; what neither has is nowhere.
    reaching: '40000 40099',
    absent: { ok: false, errno: 'ENOENT' },
    // One value for all, which a fresh namespace does not show.
    machine: root ? readSysctl('net.core.netdev_max_backlog') : { ok: false, errno: 'ENOENT' },
  });
});
