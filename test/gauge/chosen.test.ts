import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenBy } from '../../src/gauge/chosen.js';

const P = 1000;
const by = (first: number, other: number, sockets = first + other) =>
  chosenBy({ parity: { first, other }, sockets }, P);

test('below half of the range the parity tells who chose the ports', () => {
  assert.equal(by(300, 0), 'connect');
  assert.equal(by(0, 300), 'bind');
  assert.equal(by(290, 10), 'connect');
  assert.equal(by(150, 150), null, 'named by the program, or both');
});

test('above it the half that is full does', () => {
  assert.equal(by(500, 200), 'connect');
  assert.equal(by(120, 499), 'bind');
});

test('few ports may be chance, and all ports tell nothing', () => {
  assert.equal(by(15, 0), null);
  assert.equal(by(500, 490), null);
});

test('ports that sockets share are those of connect()', () => {
  assert.equal(by(500, 490, 2000), 'connect');
});
