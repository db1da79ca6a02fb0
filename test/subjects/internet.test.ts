/** What a profile says of the lab's internet. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesOf, complete } from '../../src/domain/setting.js';
import { INTERNET, internetOf } from '../../src/subjects/internet.js';

const { origin, names } = INTERNET;
const USUAL = {
  status: 200,
  body: 6,
  chunked: false,
  redirect: false,
  delayMs: 0,
  keepAliveHint: null,
  close: false,
  http10: false,
};

test('nothing said: every name resolves, and answers are small and let the connection open', () => {
  assert.deepEqual(internetOf(complete(INTERNET, {})), { origin: USUAL, names: null, families: 'own' });
});

test('what is said of an answer is kept alone, so that a variant adds to it', () => {
  const kept = origin.written.parse({ status: 500, delay: '10ms' });
  assert.deepEqual(kept, { status: 500, delayMs: 10 });
  assert.deepEqual(internetOf({ origin: kept, names: null, families: 'own' }).origin, {
    ...USUAL,
    status: 500,
    delayMs: 10,
  });
});

test('words for a change', () => {
  const before = complete(INTERNET, {});
  const after = {
    origin: { close: true, keepAliveHint: 1 },
    names: { 'db.internal': ['203.0.113.7'] },
    families: 'both' as const,
  };
  assert.deepEqual(changesOf(INTERNET, before, after), [
    'origin as usual → keepAliveHint 1, close on',
    'names every name → db.internal 203.0.113.7',
    'families own → both',
  ]);
});

test('mistakes', () => {
  const says = (kind: typeof origin | typeof names, value: unknown) =>
    kind.written
      .safeParse(value)
      .error?.issues.map(({ message }) => message)
      .join('; ');
  assert.match(says(origin, { statuss: 500 }) ?? '', /unknown key "statuss".*did you mean status\?/);
  assert.match(says(names, { 'api..example': ['203.0.113.7'] }) ?? '', /"api..example" is not a name of DNS/);
  assert.match(says(names, { 'api.example': ['localhost'] }) ?? '', /"localhost" is not an IPv4 or IPv6 address/);
  assert.notEqual(says(names, { 'api.example': [] }), undefined);
  assert.notEqual(says(origin, { status: 99 }), undefined);
});
