import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { jsonPieces } from '../../src/machine/json-pieces.js';
import { sealed, sealedPieces, sealOf } from '../../src/machine/seal.js';

const VALUE = {
  text: 'a "quoted" line\nand another',
  none: undefined,
  empty: {},
  list: [],
  'odd key"': null,
  deep: { a: [{ b: { c: { d: [1, 2, { e: 'f\ng' }] } } }, 3, undefined, [true, []]] },
};

describe('JSON in pieces', () => {
  it('is the text that JSON.stringify gives with an indent of one', () => {
    assert.equal([...jsonPieces(VALUE)].join(''), JSON.stringify(VALUE, null, 1));
    assert.equal([...jsonPieces({})].join(''), '{}');
    assert.ok([...jsonPieces(VALUE)].length > 10);
  });

  it('has the seal that the whole text has', () => {
    const text = [...sealedPieces(jsonPieces(VALUE))].join('');
    assert.equal(text, sealed(JSON.stringify(VALUE, null, 1)));
    assert.equal(sealOf(text), 'sealed');
    assert.equal(sealOf(text.replace('quoted', 'Quoted')), 'broken');
  });
});
