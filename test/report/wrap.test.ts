import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrap } from '../../src/report/wrap.js';

test('lines are as long as fits, and no longer', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('one two three', 6), ['one', 'two', 'three']);
  assert.deepEqual(wrap('one two three', 13), ['one two three']);
});

test('a word that is too long has a line of its own', () => {
  assert.deepEqual(wrap('a net.ipv4.ip_local_port_range b', 10), ['a', 'net.ipv4.ip_local_port_range', 'b']);
  assert.deepEqual(wrap('abcdef', 3), ['abcdef']);
});

test('white space of any kind is one space, and none is left at the ends', () => {
  assert.deepEqual(wrap('  one\n\ttwo  \n', 80), ['one two']);
  assert.deepEqual(wrap(' one \n', 3), ['one']);
  assert.deepEqual(wrap('', 80), ['']);
});

test('no word is lost', () => {
  const words = Array.from({ length: 200 }, (_, i) => 'x'.repeat(1 + ((i * 7) % 13)));
  for (const width of [1, 5, 20, 79]) {
    const lines = wrap(words.join(' '), width);
    assert.deepEqual(lines.join(' ').split(' '), words);
    for (const line of lines) assert.ok(line.length <= width || !line.includes(' '));
  }
});
