/**
 * Newline-delimited JSON over streams, validated by a zod schema.
 */
import type { Readable, Writable } from 'node:stream';
import type { z } from 'zod';

/** A line that is longer than this is a fault of the other side, not a message. */
const MAX_LINE = 64 * 1024 * 1024;

/** What arrived is no valid message: a fault of one of the two sides. */
export class ProtocolError extends Error {
  override name = 'ProtocolError';
}

/** Write one message. */
export function writeMessage(stream: Writable, message: object): void {
  stream.write(`${JSON.stringify(message)}\n`);
}

/** The messages of a stream, in order, until it ends. Throws ProtocolError for a line that is not a valid message. */
export async function* readMessages<T>(stream: Readable, schema: z.ZodType<T>): AsyncGenerator<T> {
  for await (const line of readLines(stream)) yield parseMessage(line, schema);
}

/** The lines of a stream that are not empty, in order, until it ends. */
export async function* readLines(stream: Readable): AsyncGenerator<string> {
  let parts: string[] = [];
  let length = 0;
  stream.setEncoding('utf8');
  for await (const chunk of stream as AsyncIterable<string>) {
    const lines = chunk.split('\n');
    for (let i = 0; i < lines.length - 1; i++) {
      parts.push(lines[i]!);
      const line = parts.join('');
      parts = [];
      length = 0;
      if (line !== '') yield line;
    }
    const rest = lines.at(-1)!;
    parts.push(rest);
    length += rest.length;
    if (length > MAX_LINE) throw new ProtocolError(`a message is longer than ${MAX_LINE} characters`);
  }
}

/** Parse and validate one line. @throws ProtocolError */
export function parseMessage<T>(line: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new ProtocolError(`a line is not JSON: ${line.slice(0, 120)}`);
  }
  return checkMessage(value, schema);
}

/** Validate what was parsed. @throws ProtocolError with the place of the first fault */
export function checkMessage<T>(value: unknown, schema: z.ZodType<T>): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ProtocolError(
    `a message is invalid at ${issue?.path.join('.') || 'its top'}: ${issue?.message ?? 'unknown'}`,
  );
}
