// needs: strace, bpftrace
/**
 * The kernel's view by eBPF: exact at the moment at which it is asked for, while the probes are still attached.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findProgram } from '../../src/machine/programs.js';

const DRIVER = fileURLToPath(new URL('../support/observed-binds.js', import.meta.url));
const CALLS = 3000;
const skip =
  process.getuid?.() !== 0
    ? 'eBPF is for root'
    : findProgram('bpftrace') === undefined &&
      'program bpftrace not found; install it, for example: apt-get install bpftrace';

test('every refused call is counted, and only those of the namespace', { skip }, async (t) => {
  const { stdout } = await promisify(execFile)(
    'unshare',
    ['--net', '--mount', '--', process.execPath, DRIVER, String(CALLS)],
    { timeout: 120_000 },
  );
  const found = JSON.parse(stdout);
  if (found.by === 'strace') return t.skip('eBPF or its tracepoints are not available on this machine');
  assert.deepEqual(found.calls, { bind: CALLS, connect: 0 }, 'our own questions are no calls of the proxy');
  assert.deepEqual(
    found.failures.map(({ call, errno, count }: Record<string, unknown>) => ({ call, errno, count })),
    [{ call: 'bind', errno: 'EBADF', count: CALLS }],
  );
});
