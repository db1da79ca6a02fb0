import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSet, PORT_MAP_WORDS, portsIn, setRange } from '../../src/kernel/port-map.js';

test('a range of ports is in a set with both of its ends and nothing beside them, and is taken out again', () => {
  for (const [low, high] of [
    [0, 65_535],
    [32_768, 60_999],
    [1, 1],
    [31, 32],
    [32, 63],
    [33, 34],
    [65_535, 65_535],
    [1000, 1100],
  ] as const) {
    const map = new Uint32Array(PORT_MAP_WORDS);
    setRange(map, { low, high }, true);
    assert.equal(portsIn(map), high - low + 1, `${low}-${high}`);
    assert.ok(isSet(map, low) && isSet(map, high));
    assert.ok((low === 0 || !isSet(map, low - 1)) && (high === 65_535 || !isSet(map, high + 1)));
    if (high - low < 50) continue;
    setRange(map, { low: low + 3, high: high - 40 }, false);
    assert.equal(portsIn(map), 43);
    assert.ok(isSet(map, low + 2) && !isSet(map, low + 3) && !isSet(map, high - 40) && isSet(map, high - 39));
  }
});
