import assert from 'node:assert/strict';
import { existsSync, statSync, utimesSync } from 'node:fs';
import { test } from 'node:test';
import { guestImage, keptImage } from '../../../src/lab/vm/image.js';

test('an image that is in use is marked so, and one that is gone is made again', () => {
  const path = guestImage({ modules: [] });
  const aWhileAgo = new Date(Date.now() - 60_000);
  utimesSync(path, aWhileAgo, aWhileAgo);
  assert.equal(keptImage(path, { modules: [] }), path);
  assert.ok(statSync(path).mtimeMs > aWhileAgo.getTime() + 30_000);
  const again = keptImage(`${path}.gone`, { modules: [] });
  assert.equal(again, path);
  assert.ok(existsSync(again));
});
