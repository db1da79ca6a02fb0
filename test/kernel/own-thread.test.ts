import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { ownThread } from '../../src/kernel/own-thread.js';

/** The number of the calling thread, by proc(5) and as it is found where /proc has no thread-self. */
const both = () => [readlinkSync('/proc/thread-self'), ownThread(() => false)].map((path) => path.split('/').at(-1));

test('a thread finds its own folder in /proc, also where there is no thread-self: before Linux 3.17', async () => {
  assert.equal(ownThread(), '/proc/thread-self');
  const [here, found] = both();
  assert.equal(found, here);
  assert.match(
    ownThread(() => false),
    /^\/proc\/self\/task\/\d+$/,
  );

  const module = new URL('../../src/kernel/own-thread.js', import.meta.url);
  const code = `import(${JSON.stringify(`${module}`)}).then(({ ownThread }) => {
    const { readlinkSync } = require('node:fs');
    require('node:worker_threads').parentPort.postMessage([readlinkSync('/proc/thread-self'), ownThread(() => false)]);
  });`;
  const worker = new Worker(code, { eval: true });
  const said = await new Promise<string[]>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  const [there, foundThere] = said.map((path) => path.split('/').at(-1));
  assert.equal(foundThere, there);
  assert.notEqual(there, here);
});
