// needs: strace, bpftrace
/**
 * The kernel's view: by eBPF exact at the moment at which it is asked for, while the probes are still attached; by strace to the line that
 * says that the program has ended.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { countStrace } from '../../src/explain/strace-count.js';
import { findProgram } from '../../src/machine/programs.js';
import { startObservation } from '../../src/subjects/running/observe.js';
import { scratchFolder } from '../support/cli.js';

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

test('strace says when the program has ended, so that nobody waits for its last lines in vain', async (t) => {
  const file = join(scratchFolder(t), 'trace');
  const observation = await startObservation('strace', file, false, () => countStrace());
  if (typeof observation === 'string') return t.skip(observation);
  const [strace, ...rest] = [...observation.prefix(0), 'true'];
  const child = spawn(strace!, rest, { stdio: 'ignore' });
  await once(child, 'exit');
  await observation.finish(child.pid);
  const lines = readFileSync(`${file}.0`, 'utf8').trimEnd().split('\n');
  assert.match(lines.at(-1)!, new RegExp(`^${child.pid} +[+]{3} exited with 0 [+]{3}$`));
});
