import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenBy } from '../../src/gauge/chosen.js';

const P = 1000;
const by = (first: number, other: number, sockets = first + other) =>
  chosenBy({ parity: { first, other, lower: { first: first / 2, other: other / 2 } }, sockets }, P);
/** Ports by their half of the range, and in it by parity. */
const byHalves = ([lowerFirst, lowerOther]: [number, number], [upperFirst, upperOther]: [number, number]) => {
  const lower = { first: lowerFirst, other: lowerOther };
  const parity = { first: lowerFirst + upperFirst, other: lowerOther + upperOther, lower };
  return chosenBy({ parity, sockets: parity.first + parity.other }, P);
};

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

test('bind() of a socket with SO_REUSEADDR, as libuv makes them, fills one half of the range before the other', () => {
  assert.equal(byHalves([0, 200], [0, 0]), 'bind');
  assert.equal(byHalves([160, 250], [0, 0]), 'bind');
  assert.equal(byHalves([250, 250], [0, 190]), 'bind');
  assert.equal(byHalves([250, 250], [150, 250]), 'bind');
  // connect() has never taken the other parity while there are ports of the first.
  assert.equal(byHalves([250, 0], [160, 0]), 'connect');
  assert.equal(byHalves([250, 100], [250, 100]), 'connect');
  assert.equal(byHalves([105, 105], [100, 100]), null, 'named by the program');
  assert.equal(byHalves([0, 0], [250, 160]), null, 'a program with a range of its own');
});
