import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { it } from 'node:test';
import { descendantsOf, endFile } from './support/overdue.js';

it('a file that hangs ends with all that it started, also what hears no SIGTERM, and no other does', {
  timeout: 60_000,
}, async () => {
  // What it starts outlives it, and holds its output open.
  const hangs = `const { spawn } = require('node:child_process');
    spawn('sh', ['-c', 'trap "" TERM; echo begun; while :; do sleep 1; done'], { stdio: ['ignore', 'inherit', 'ignore'] });
    setInterval(() => {}, 1000);`;
  const start = (name: string) => spawn(process.execPath, ['-e', hangs, name], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [file, other] = [start('/tests/hangs.test.js'), start('/tests/other.test.js')];
  try {
    await Promise.all([once(file.stdout, 'data'), once(other.stdout, 'data')]);
    assert.ok(descendantsOf(file.pid!).length >= 1);
    const closed = once(file, 'close');
    await endFile('/tests/hangs.test.js', 200);
    assert.deepEqual(await closed, [null, 'SIGTERM']);
    assert.equal(other.exitCode ?? other.signalCode, null);
    assert.ok(descendantsOf(other.pid!).length >= 1);
  } finally {
    await Promise.all(['/tests/hangs.test.js', '/tests/other.test.js'].map((name) => endFile(name, 0)));
  }
});
