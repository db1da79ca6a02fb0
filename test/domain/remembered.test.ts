import assert from 'node:assert/strict';
import { it } from 'node:test';
import { remembered } from '../../src/domain/remembered.js';

it('an answer is worked out once for an object, and again for another that equals it', () => {
  const asked: object[] = [];
  const of = remembered((key: { readonly n: number }) => {
    asked.push(key);
    return [key.n];
  });
  const [one, same] = [{ n: 1 }, { n: 1 }];
  assert.equal(of(one), of(one));
  assert.deepEqual(of(same), [1]);
  assert.deepEqual(asked, [one, same]);
  assert.equal(asked[1], same);
});
