import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { test } from 'node:test';
import { EADDRINUSE, EADDRNOTAVAIL, errnoName, SystemCallError } from '../../src/kernel/errno.js';

test('an errno has its name', () => {
  assert.equal(errnoName(98), 'EADDRINUSE');
  assert.equal(errnoName(99), 'EADDRNOTAVAIL');
  assert.deepEqual([EADDRINUSE, EADDRNOTAVAIL], [98, 99]);
  for (const value of Object.values(constants.errno)) assert.equal(constants.errno[errnoName(value) as never], value);
});

test('of two names of one errno, that of the man pages of socket calls', () => {
  assert.equal(errnoName(11), 'EAGAIN');
  assert.equal(errnoName(95), 'EOPNOTSUPP');
  assert.equal(errnoName(35), 'EDEADLK');
});

test('an errno without a name keeps its number', () => {
  // 133 is EHWPOISON, the last of asm-generic/errno.h, which Node does not name.
  assert.equal(errnoName(133), 'E133');
  assert.equal(errnoName(0), 'E0');
});

test('a failed system call says which call, why, and on what', () => {
  const error = new SystemCallError('bind', 98, '10.50.0.1 port 80');
  assert.ok(error instanceof Error);
  assert.equal(error.message, 'bind failed with EADDRINUSE (10.50.0.1 port 80)');
  assert.deepEqual([error.name, error.call, error.errno], ['SystemCallError', 'bind', 98]);
  assert.equal(new SystemCallError('socket', 24).message, 'socket failed with EMFILE');
});
