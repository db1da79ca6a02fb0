import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { ProtocolError, parseMessage, readLines, readMessages, writeMessage } from '../../src/machine/ndjson.js';

/** A stream that delivers these chunks one by one. */
function streamOf(chunks: readonly Uint8Array[]): PassThrough {
  const stream = new PassThrough();
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  return stream;
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const TEXT = '{"a":1}\n\n{"b":"€ and 🌩"}\n{"c":"a\\nb"}\n';
const LINES = ['{"a":1}', '{"b":"€ and 🌩"}', '{"c":"a\\nb"}'];

describe('lines', () => {
  it('are the same wherever the stream is cut, also inside a character', async () => {
    const bytes = Buffer.from(TEXT);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found = await collect(readLines(streamOf([bytes.subarray(0, cut), bytes.subarray(cut)])));
      assert.deepEqual(found, LINES, `cut after byte ${cut}`);
    }
  });

  it('are the same byte by byte', async () => {
    assert.deepEqual(await collect(readLines(streamOf([...Buffer.from(TEXT)].map((byte) => Buffer.of(byte))))), LINES);
  });

  it('half a line at the end is none', async () => {
    assert.deepEqual(await collect(readLines(streamOf([Buffer.from('{"a":1}\n{"b":')]))), ['{"a":1}']);
    assert.deepEqual(await collect(readLines(streamOf([]))), []);
  });

  it('that never end are refused before they fill the memory', async () => {
    const stream = new PassThrough();
    const piece = Buffer.alloc(1 << 20, 'x');
    let written = 0;
    const flood = () => {
      while (!stream.destroyed && written < 200) {
        written++;
        if (!stream.write(piece)) return;
      }
    };
    stream.on('drain', flood).on('error', () => {});
    flood();
    await assert.rejects(collect(readLines(stream)), (error) => {
      assert.ok(error instanceof ProtocolError);
      assert.match(error.message, /longer than 67108864 characters/);
      return true;
    });
    assert.ok(written < 70, `${written} MiB were taken`);
    assert.ok(stream.destroyed);
  });

  it('many long ones are no flood', async () => {
    const line = `${'x'.repeat(9 << 20)}\n`;
    const lines = await collect(readLines(streamOf(Array(8).fill(Buffer.from(line)))));
    assert.equal(lines.length, 8);
    assert.ok(lines.every((found) => found.length === line.length - 1));
  });
});

const schema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('a'), n: z.number() }),
  z.object({ type: z.literal('b'), list: z.array(z.object({ name: z.string() })) }),
]);

describe('messages', () => {
  it('arrive as they were written', async () => {
    const stream = new PassThrough();
    const messages = [
      { type: 'a', n: 0.1 },
      { type: 'b', list: [{ name: 'line\nbreak "quoted" \u2028 🌩' }] },
    ];
    for (const message of messages) writeMessage(stream, message);
    stream.end();
    assert.deepEqual(await collect(readMessages(stream, schema)), messages);
  });

  it('what is no JSON is shown, the beginning of it', () => {
    assert.throws(() => parseMessage('Segmentation fault', schema), {
      name: 'ProtocolError',
      message: 'a line is not JSON: Segmentation fault',
    });
    assert.throws(
      () => parseMessage('x'.repeat(1000), schema),
      (error: Error) => error.message.length < 200,
    );
  });

  it('what is JSON and no message says where', () => {
    const says = (line: string) => {
      try {
        parseMessage(line, schema);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
        return error.message;
      }
      return assert.fail(`${line} was taken`);
    };
    assert.match(says('{"type":"b","list":[{"name":"x"},{"name":1}]}'), /a message is invalid at list\.1\.name: /);
    assert.match(says('{"type":"c"}'), /a message is invalid at type: /);
    for (const line of ['null', '7', '[]', '"a"']) assert.match(says(line), /a message is invalid at its top: /);
  });

  it('after a bad line there are no more', async () => {
    const good = '{"type":"a","n":1}\n';
    const messages = readMessages(streamOf([Buffer.from(`${good}garbage\n${good}`)]), schema);
    assert.deepEqual((await messages.next()).value, { type: 'a', n: 1 });
    await assert.rejects(messages.next(), ProtocolError);
    assert.equal((await messages.next()).done, true);
  });
});
