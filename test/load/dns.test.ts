/** The lab's resolver: names, and messages byte by byte. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { answerQuery, createNames } from '../../src/load/origin/internet/dns.js';
import { kindOf } from '../../src/load/origin/internet/serve-anything.js';

const own = (nth: number) => (nth < 2 ? [`198.19.128.${nth + 1}`, `2001:2:0:1::${nth + 1}`] : undefined);

describe('names', () => {
  it('each has addresses of its own, in the order of the first question, in whatever case; when there are no more, none', () => {
    const names = createNames(null, own);
    assert.deepEqual(names.addressesOf('a.example'), ['198.19.128.1', '2001:2:0:1::1']);
    assert.deepEqual(names.addressesOf('B.example'), ['198.19.128.2', '2001:2:0:1::2']);
    assert.deepEqual(names.addressesOf('A.EXAMPLE'), names.addressesOf('a.example'));
    assert.equal(names.addressesOf('c.example'), undefined);
    assert.equal(names.nameOf('2001:2:0:1::2'), 'b.example');
    assert.equal(names.nameOf('198.19.128.3'), undefined);
  });

  it('a question for the name of an address takes none', () => {
    const names = createNames(null, own);
    assert.equal(names.addressesOf('1.128.19.198.in-addr.arpa'), undefined);
    assert.deepEqual(names.addressesOf('a.example')?.[0], '198.19.128.1');
  });

  it('a table has no others', () => {
    const names = createNames({ 'Db.internal': ['203.0.113.7'] }, own);
    assert.deepEqual(names.addressesOf('db.internal'), ['203.0.113.7']);
    assert.equal(names.addressesOf('a.example'), undefined);
  });
});

/** A query for a.example. */
function query({ type = 1, questions = 1, flags = 0x0100, rest = '' } = {}): Buffer {
  const head = Buffer.alloc(12);
  [0x1234, flags, questions, 0, 0, 0].forEach((word, i) => {
    head.writeUInt16BE(word, 2 * i);
  });
  const name = Buffer.from('\x01a\x07example\x00', 'latin1');
  return Buffer.concat([head, name, Buffer.from([0, type, 0, 1]), Buffer.from(rest, 'hex')]);
}

const reply = (message: Uint8Array, most = 512) => {
  const answer = answerQuery(message, createNames(null, own), most);
  return answer && Buffer.from(answer).toString('hex');
};
const QUESTION = `016107${Buffer.from('example').toString('hex')}00`;

describe('messages', () => {
  it('A', () =>
    assert.equal(reply(query()), `12348580000100010000${'0000'}${QUESTION}00010001c00c000100010000003c0004c6138001`));
  it('AAAA', () =>
    assert.equal(
      reply(query({ type: 28 })),
      `12348580000100010000${'0000'}${QUESTION}001c0001c00c001c00010000003c001020010002000000010000000000000001`,
    ));
  it('another type: the name exists, and has none', () =>
    assert.equal(reply(query({ type: 15 })), `12348580000100000000${'0000'}${QUESTION}000f0001`));
  it('an additional record, as of EDNS, is left out', () =>
    assert.equal(reply(query({ rest: '0000291000000000000000' })), reply(query())));
  it('too long: cut and marked', () =>
    assert.equal(reply(query(), 30), `12348780000100000000${'0000'}${QUESTION}00010001`));
  it('no question, or two: a format error', () => {
    for (const questions of [0, 2]) assert.equal(reply(query({ questions })), '123485810000000000000000');
  });
  it('a name without an end, or a pointer: a format error', () => {
    assert.equal(reply(query().subarray(0, 20)), '123485810000000000000000');
    const pointer = query();
    pointer[12] = 0xc0;
    assert.equal(reply(pointer), '123485810000000000000000');
  });
  it('an answer, or half a header, has no answer', () => {
    assert.equal(reply(query({ flags: 0x8180 })), undefined);
    assert.equal(reply(query().subarray(0, 11)), undefined);
  });
});

describe('what a connection speaks, by its first bytes', () => {
  const cases: [string, string | undefined][] = [
    ['GET / HTTP/1.1\r\n', 'http1'],
    ['PROPFIND /', 'http1'],
    ['G', undefined],
    ['GETTER', 'other'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0', 'http2'],
    ['PRI * HT', undefined],
    ['\x16\x03\x01', 'tls'],
    ['\x16', undefined],
    ['\x16\x07', 'other'],
    ['\0\0\0\x08\x04\xd2\x16\x2f', 'other'],
    ['EHLO x', 'other'],
  ];
  for (const [bytes, kind] of cases)
    it(`${JSON.stringify(bytes)}: ${kind ?? 'too few'}`, () =>
      assert.equal(kindOf(Buffer.from(bytes, 'latin1')), kind));
});
