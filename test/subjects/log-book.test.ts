import assert from 'node:assert/strict';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLogBook } from '../../src/subjects/running/log-book.js';
import { tailFile } from '../../src/subjects/running/tail.js';
import { scratchFolder } from '../support/cli.js';

const IN_USE = { kind: 'failure', call: 'bind', errno: 'EADDRINUSE' } as const;

test('failures are counted by call and errno, with their first lines', () => {
  const book = createLogBook();
  for (let i = 0; i < 5; i++) book.add(`in use ${i}`, IN_USE);
  book.add('somehow', { kind: 'failure', call: null, errno: null });
  assert.deepEqual(book.failures(), [
    { call: 'bind', errno: 'EADDRINUSE', count: 5, lines: ['in use 0', 'in use 1', 'in use 2'] },
    { call: null, errno: null, count: 1, lines: ['somehow'] },
  ]);
});

test('the tail is not flooded by equal failures, nor by the lines that belong to them', () => {
  const book = createLogBook();
  book.add('started', null);
  for (let i = 0; i < 100; i++) {
    book.add(`in use ${i}`, IN_USE);
    book.add(`    of request ${i}`, null);
  }
  book.add('FATAL', { kind: 'trouble', what: 'it gave up' });
  assert.deepEqual(book.tail(), [
    'started',
    'in use 0',
    '    of request 0',
    'in use 1',
    '    of request 1',
    'in use 2',
    '    of request 2',
    'FATAL',
  ]);
});

test('the tail has an end, and long lines are cut', () => {
  const book = createLogBook();
  for (let i = 0; i < 100; i++) book.add(`line ${i}`, null);
  book.add('x'.repeat(10_000), null);
  assert.equal(book.tail().length, 20);
  assert.equal(book.tail()[0], 'line 81');
  assert.equal(book.tail().at(-1)?.length, 500);
});

test('requests are counted and not kept, troubles are said once', () => {
  const book = createLogBook();
  for (const result of ['TCP_TUNNEL/200', 'NONE_NONE/503', 'TCP_TUNNEL/200'])
    book.add('…', { kind: 'request', result });
  for (let i = 0; i < 3; i++) book.add('WARNING', { kind: 'trouble', what: 'it ran out of descriptors' });
  assert.deepEqual(book.requests(), { 'TCP_TUNNEL/200': 2, 'NONE_NONE/503': 1 });
  assert.deepEqual(book.troubles(), ['it ran out of descriptors']);
});

test('a log is read as it grows, whole lines only', (t) => {
  const path = join(scratchFolder(t), 'x.log');
  const tail = tailFile(path);
  assert.deepEqual(tail(), [], 'it is not there yet');
  writeFileSync(path, 'one\ntw');
  assert.deepEqual(tail(), ['one']);
  appendFileSync(path, 'o\n\nthree\n');
  assert.deepEqual(tail(), ['two', 'three']);
  appendFileSync(path, `${'long '.repeat(50_000)}\nlast`);
  assert.deepEqual(
    tail().map((line) => line.length),
    [250_000],
  );
  appendFileSync(path, '\n');
  assert.deepEqual(tail(), ['last']);
});
