import assert from 'node:assert/strict';
import { it } from 'node:test';
import { wrongSource } from '../../src/load/origin/sources.js';

it('an address is expected when it is one of those that were given, in whatever notation', () => {
  const isWrong = wrongSource(['10.50.0.1', '10.51.0.1', 'fd00::1', 'fd00:1::1']);
  for (const known of ['10.50.0.1', '10.51.0.1', 'fd00::1', 'fd00:0:0::1', 'fd00:1::1'])
    assert.equal(isWrong(known), false);
  // Words in common with one that is known, or with an IPv4 address.
  for (const other of ['10.52.0.1', '10.50.0.2', 'fd00:2::1', 'fd00::2', '::10.50.0.1'])
    assert.equal(isWrong(other), true);
});
