import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { answerName } from '../../src/domain/outcome.js';
import { createNameTable, NAME_SLOTS, nameIndexer, namesIn } from '../../src/load/names.js';

test('a name has one index, whoever asks', () => {
  const table = createNameTable();
  const [one, two] = [nameIndexer(table), nameIndexer(table)];
  assert.deepEqual([one('http:503'), two('http:502'), two('http:503'), one('http:502')], [0, 1, 0, 1]);
  assert.deepEqual(namesIn(table), ['http:503', 'http:502']);
});

test('a long name is cut, and the last slot is for all that find no other', () => {
  const table = createNameTable();
  const index = nameIndexer(table);
  assert.equal(index('x'.repeat(200)), 0);
  assert.equal(namesIn(table)[0]?.length, 95);
  for (let i = 1; i < NAME_SLOTS - 1; i++) assert.equal(index(`n${i}`), i);
  assert.equal(index('one more'), NAME_SLOTS - 1);
  assert.equal(index('and another'), NAME_SLOTS - 1);
  assert.equal(namesIn(table).length, NAME_SLOTS - 1);
});

test('threads that register the same names at once agree', async () => {
  const table = createNameTable();
  const module = new URL('../../src/load/names.js', import.meta.url).href;
  const code = `import('${module}').then(({ nameIndexer }) => {
    const { workerData, parentPort } = require('node:worker_threads');
    const index = nameIndexer(workerData.table);
    const order = [...Array(40).keys()].sort((a, b) => (a * workerData.step) % 41 - (b * workerData.step) % 41);
    parentPort.postMessage(Object.fromEntries(order.map((i) => ['name' + i, index('name' + i)])));
  });`;
  const answers = await Promise.all(
    [3, 7, 11, 19].map(
      (step) =>
        new Promise<Record<string, number>>((resolve, reject) => {
          const worker = new Worker(code, { eval: true, workerData: { table, step } });
          worker.once('message', resolve);
          worker.once('error', reject);
        }),
    ),
  );
  const names = namesIn(table);
  assert.equal(new Set(names).size, 40);
  for (const answer of answers) for (const [name, index] of Object.entries(answer)) assert.equal(names[index], name);
});

test('the outcome of an answer is its status and the name of its error', () => {
  assert.equal(answerName(503, 'ERR_CONNECT_FAIL 0'), 'http:503 ERR_CONNECT_FAIL');
  assert.equal(answerName(502, ''), 'http:502');
  assert.equal(answerName(403, 'no such name'), 'http:403');
});
