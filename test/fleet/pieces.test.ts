import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { fromPieces, isSent, toPieces } from '../../src/fleet/pieces.js';

describe('the folder of a unit', () => {
  const files = { 'journal.ndjson': '{"type":"begin"}\n', 'hlog/b00-baseline@trixie.hlog': 'x'.repeat(100_000) };

  it('comes out of its pieces as it went in', () => {
    for (const size of [1, 7, 64, 1_000_000]) {
      const { pieces, sum } = toPieces(files, size);
      assert.ok(pieces.every((piece) => piece.length <= size && piece.length > 0));
      assert.deepEqual(fromPieces(pieces, sum), files);
    }
  });

  it('is not believed when a piece is missing, changed, or in the wrong place', () => {
    const { pieces, sum } = toPieces(files, 16);
    assert.ok(pieces.length > 3);
    const [first, second, ...rest] = pieces;
    for (const wrong of [pieces.slice(1), pieces.slice(0, -1), [second!, first!, ...rest], [...pieces, first!]])
      assert.throws(() => fromPieces(wrong, sum), /checksum differs/);
  });

  it('has no path that leads out of it, whoever sends it', () => {
    for (const path of [
      '../x',
      '/etc/passwd',
      'hlog/../x.hlog',
      'hlog/..',
      'configuration/../../x',
      'hlog/a/b.hlog',
      '.lock',
      'configuration/a/.x',
    ]) {
      assert.equal(isSent(path), false, path);
      const packed = gzipSync(JSON.stringify({ [path]: 'x' }));
      const sum = createHash('sha256').update(packed).digest('hex');
      assert.throws(() => fromPieces([packed], sum), path);
    }
    for (const path of [
      'journal.ndjson',
      'row.json',
      'profile.yaml',
      'hlog/b03-wider-range@6.1.hlog',
      'configuration/no-port@trixie/squid.conf',
    ])
      assert.equal(isSent(path), true, path);
  });
});
