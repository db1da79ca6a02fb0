import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { childrenUsage } from '../../src/subjects/running/usage.js';

test('CPU, memory and descriptors of children and of theirs', async () => {
  const busy =
    'const end = process.hrtime.bigint() + 300000000n; while (process.hrtime.bigint() < end); setInterval(() => {}, 1e6)';
  const code = `const { spawn } = require('node:child_process');
spawn(process.execPath, ['-e', ${JSON.stringify(busy)}], { stdio: 'ignore' });
${busy}; console.log('done')`;
  const usage = childrenUsage(() => Number.MAX_SAFE_INTEGER);
  assert.deepEqual(usage(), { processes: 0, cpu: { user: 0, system: 0 }, memory: 0, descriptors: 0 });
  const child = spawn('setsid', ['--wait', process.execPath, '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const seen = childrenUsage(() => 0)();
    assert.ok(seen.processes >= 2, `${seen.processes} processes`);
    assert.ok(seen.cpu.user + seen.cpu.system > 0.1, 'two loops of 0.3 s of wall time');
    assert.ok(seen.memory > 40e6, `${seen.memory} bytes`);
    assert.ok((seen.descriptors ?? 0) > 20);
  } finally {
    for (const pid of await pidsOf(child.pid!)) process.kill(pid, 'SIGKILL');
  }
});

/** A process and all its descendants, by pgrep(1). */
async function pidsOf(pid: number): Promise<number[]> {
  const pgrep = spawn('pgrep', ['-P', String(pid)], { stdio: ['ignore', 'pipe', 'ignore'] });
  let text = '';
  pgrep.stdout.on('data', (data) => {
    text += data;
  });
  await once(pgrep, 'close');
  const children = await Promise.all(text.split('\n').filter(Boolean).map(Number).map(pidsOf));
  return [...children.flat(), pid];
}
