import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { it } from 'node:test';
import { guestInput, UNREAD_BYTES } from '../../../src/lab/vm/guest-input.js';

it('sends no more than the line holds until the guest has read it, and loses nothing', () => {
  const line = new PassThrough({ highWaterMark: 1 << 20 });
  const { input, onRead } = guestInput(line);
  const text = Array.from({ length: 5000 }, (_, i) => String.fromCharCode(97 + (i % 26))).join('');
  input.write(text);
  input.write('stop');
  let received = '';
  const take = () => {
    const piece = (line.read() as Buffer | null)?.toString() ?? '';
    received += piece;
    return piece.length;
  };
  assert.equal(take(), UNREAD_BYTES);
  assert.equal(take(), 0);
  onRead(1000);
  assert.equal(take(), 1000);
  for (let i = 0; i < 10; i++) {
    onRead(received.length);
    take();
  }
  assert.equal(received, `${text}stop`);
});

it('lets short messages through at once, and ends the line with the input', async () => {
  const line = new PassThrough();
  const { input } = guestInput(line);
  input.write('one');
  input.end('two');
  line.setEncoding('utf8');
  const pieces: string[] = [];
  for await (const piece of line) pieces.push(piece as string);
  assert.equal(pieces.join(''), 'onetwo');
});
