/** A real child that is asked to end. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';

const MODULE = new URL('../../src/machine/interrupts.js', import.meta.url).href;
/** Says when it listens, and when it was interrupted, and then ends by itself after a while. */
const CHILD = `
  import { interruptible } from ${JSON.stringify(MODULE)};
  const alive = setInterval(() => {}, 1000);
  await interruptible((note) => console.log(note.split(':')[0]), async (signal) => {
    console.log('ready');
    await new Promise((resolve) => signal.addEventListener('abort', () => setTimeout(resolve, 300)));
  });
  clearInterval(alive);
  console.log('ended in good order');
`;

function start(t: TestContext): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '-e', CHILD], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  test(`the first ${signal} lets the work end in good order`, async (t) => {
    const child = start(t);
    child.stdout!.once('data', () => child.kill(signal));
    assert.equal(await text(child.stdout!), 'ready\ninterrupted\nended in good order\n');
  });

test('a second SIGHUP, as a lost terminal sends it, changes nothing', async (t) => {
  const child = start(t);
  child.stdout!.on('data', (said: Buffer) => /ready|interrupted/.test(String(said)) && child.kill('SIGHUP'));
  assert.equal(await text(child.stdout!), 'ready\ninterrupted\nended in good order\n');
});

test('a second SIGTERM ends it at once', async (t) => {
  const child = start(t);
  child.stdout!.on('data', (said: Buffer) => /ready|interrupted/.test(String(said)) && child.kill('SIGTERM'));
  assert.deepEqual(await once(child, 'close'), [null, 'SIGTERM']);
});
