/** The load's DNS, byte by byte: a query carries the mark of its attempt, and the answer to it the address that its name has. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  answerInPlace,
  answerProblem,
  beginQuery,
  isAnswer,
  markIn,
  markQuery,
  QUERY_BYTES,
} from '../../src/load/datagram/queries.js';

function message(size = 512): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

function query(association: number, attempt: number, worker: number) {
  const { bytes, view } = message();
  beginQuery({ bytes, view }, 0);
  markQuery({ bytes, view }, 0, association, attempt, worker);
  return { bytes, view };
}

describe('a query of the load', () => {
  it('is one question for an A record, of a name with the mark', () => {
    const { bytes, view } = query(1234, 7, 0);
    const label = Buffer.from(bytes.subarray(13, 37)).toString();
    assert.equal(label, '000004d20000000700000000');
    assert.equal(Buffer.from(bytes.subarray(37, QUERY_BYTES - 4)).toString('latin1'), '\x09bindstorm\x07example\x00');
    assert.deepEqual([view.getUint16(0), view.getUint16(2), view.getUint16(4)], [7, 0x0100, 1]);
    assert.deepEqual([view.getUint16(QUERY_BYTES - 4), view.getUint16(QUERY_BYTES - 2)], [1, 1]);
  });

  it('is no answer', () => {
    assert.equal(isAnswer(query(1, 2, 3), 0, QUERY_BYTES), false);
  });

  it('is answered with the address of its name, and the mark', () => {
    for (const attempt of [0, 1, 70_000, 0xffff_ffff]) {
      const { bytes, view } = query(0xabcdef, attempt, 63);
      const length = answerInPlace({ bytes, view }, 0, QUERY_BYTES);
      assert.equal(length, QUERY_BYTES + 16);
      assert.equal(isAnswer({ bytes, view }, 0, length), true);
      assert.deepEqual(
        [markIn({ bytes, view }, 0, 0), markIn({ bytes, view }, 0, 1), markIn({ bytes, view }, 0, 2)],
        [0xabcdef, attempt, 63],
      );
      assert.equal(answerProblem({ bytes, view }, 0, length, attempt), '');
      assert.equal(
        answerProblem({ bytes, view }, 0, length, attempt ^ 1),
        'dns:no-address',
        'the address of another name',
      );
    }
  });

  it('letters of either case are the same mark', () => {
    const { bytes, view } = query(0xabcdef, 0xfa, 0);
    for (let i = 13; i < 37; i++) if (bytes[i]! >= 97) bytes[i]! -= 32;
    assert.deepEqual([markIn({ bytes, view }, 0, 0), markIn({ bytes, view }, 0, 1)], [0xabcdef, 0xfa]);
    bytes[20] = 'x'.charCodeAt(0);
    assert.equal(markIn({ bytes, view }, 0, 0), -1);
  });
});

describe('an answer that is none', () => {
  const answered = () => {
    const { bytes, view } = query(1, 9, 0);
    return { bytes, view, length: answerInPlace({ bytes, view }, 0, QUERY_BYTES) };
  };

  for (const [code, name] of [
    [1, 'FORMERR'],
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [4, 'NOTIMP'],
    [5, 'REFUSED'],
    [9, 'RCODE9'],
  ] as const)
    it(name, () => {
      const { bytes, view, length } = answered();
      bytes[3] = 0x80 | code;
      assert.equal(answerProblem({ bytes, view }, 0, length, 9), `dns:${name}`);
    });

  it('without a record, or cut', () => {
    const { bytes, view, length } = answered();
    assert.equal(answerProblem({ bytes, view }, 0, length - 1, 9), 'dns:no-address');
    view.setUint16(6, 0);
    assert.equal(answerProblem({ bytes, view }, 0, length, 9), 'dns:no-address');
  });
});

describe('the origin', () => {
  it('says that a name has nothing but an A record', () => {
    const { bytes, view } = query(1, 2, 3);
    view.setUint16(QUERY_BYTES - 4, 28);
    assert.equal(answerInPlace({ bytes, view }, 0, QUERY_BYTES), QUERY_BYTES);
    assert.deepEqual([bytes[3]! & 15, view.getUint16(6)], [0, 0]);
  });

  it('does not look at what is behind the question, as EDNS', () => {
    const { bytes, view } = query(1, 2, 3);
    view.setUint16(10, 1);
    bytes.set([0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0], QUERY_BYTES);
    assert.equal(answerInPlace({ bytes, view }, 0, QUERY_BYTES + 11), QUERY_BYTES + 16);
    assert.equal(view.getUint16(10), 0, 'no additional records');
  });

  it('answers a name that is not of the load', () => {
    const { bytes, view } = message();
    bytes.set([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 97, 0, 0, 1, 0, 1]);
    assert.equal(answerInPlace({ bytes, view }, 0, 19), 19 + 16);
  });

  it('does not answer what is no query', () => {
    const of = (change: (bytes: Uint8Array, view: DataView) => void, length = QUERY_BYTES) => {
      const { bytes, view } = query(1, 2, 3);
      change(bytes, view);
      return answerInPlace({ bytes, view }, 0, length);
    };
    assert.equal(
      of((bytes) => {
        bytes[2]! |= 0x80;
      }),
      0,
      'an answer',
    );
    assert.equal(
      of((_, view) => view.setUint16(4, 2)),
      0,
      'two questions',
    );
    assert.equal(
      of((bytes) => {
        bytes[12] = 0xc0;
      }),
      0,
      'a pointer',
    );
    assert.equal(
      of(() => {}, 11),
      0,
      'shorter than a header',
    );
    for (let length = 12; length < QUERY_BYTES; length++)
      assert.equal(
        of(() => {}, length),
        0,
        `cut after ${length} bytes`,
      );
  });
});
