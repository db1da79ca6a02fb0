import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHeadParser, MAX_HEAD } from '../../src/load/socket/http-head.js';

const parser = createHeadParser();
const parse = (text: string) => {
  const bytes = Buffer.from(text, 'latin1');
  return parser.parse(bytes, bytes.length);
};

const SQUID_503 = `HTTP/1.1 503 Service Unavailable\r
Server: squid/5.7\r
Mime-Version: 1.0\r
Content-Type: text/html;charset=utf-8\r
Content-Length: 3522\r
X-Squid-Error: ERR_CONNECT_FAIL 0\r
Vary: Accept-Language\r
Connection: close\r
\r
`;

describe('the head of a response', () => {
  it('gives status, length and the error of squid', () => {
    assert.equal(parse(`${SQUID_503}<!DOCTYPE html>`), SQUID_503.length);
    assert.deepEqual(
      [parser.status, parser.contentLength, parser.encoded, parser.squidError],
      [503, 3522, false, 'ERR_CONNECT_FAIL 0'],
    );
  });

  it('knows nothing of the response before', () => {
    parse(SQUID_503);
    const tunnel = 'HTTP/1.1 200 Connection established\r\n\r\n';
    assert.equal(parse(tunnel), tunnel.length);
    assert.deepEqual([parser.status, parser.contentLength, parser.squidError], [200, -1, '']);
  });

  it('is incomplete at every place where it can be cut', () => {
    for (let length = 0; length < SQUID_503.length; length++)
      assert.equal(parse(SQUID_503.slice(0, length)), 0, JSON.stringify(SQUID_503.slice(0, length).slice(-20)));
  });

  it('takes field names in any case, and blanks around values', () => {
    assert.ok(parse('HTTP/1.0 200 OK\r\nCONTENT-length: \t 12 \r\nTransfer-Encoding: chunked\r\n\r\n') > 0);
    assert.deepEqual([parser.contentLength, parser.encoded], [12, true]);
  });

  it('may have an empty reason and no field', () => {
    assert.ok(parse('HTTP/1.1 204 \r\n\r\n') > 0);
    assert.equal(parser.status, 204);
  });

  for (const [what, text] of [
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['HTTP/2', 'HTTP/2 200 \r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status above 599', 'HTTP/1.1 600 What\r\n\r\n'],
    ['a bare LF', 'HTTP/1.1 200 OK\n\n'],
    ['a bare CR', 'HTTP/1.1 200 OK\rX\r\n\r\n'],
    ['a bare CR at the end of the head', 'HTTP/1.1 200 OK\r\n\rX'],
    ['a NUL', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n'],
    ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n'],
    ['a field without a name', 'HTTP/1.1 200 OK\r\n: a\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n'],
    ['a line without a colon', 'HTTP/1.1 200 OK\r\nnonsense\r\n\r\n'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\n'],
    ['a negative length', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n'],
    ['two lengths that differ', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(MAX_HEAD)}`],
  ] as const) {
    it(`is refused: ${what}`, () => assert.equal(parse(text), -1));
  }
});
