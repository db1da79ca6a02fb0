/**
 * Messages as bytes: JSON, compressed where it is long, validated on arrival. Pure.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { z } from 'zod';
import { checkMessage, ProtocolError } from '../machine/ndjson.js';

/** Shorter texts are sent as they are. */
const LONG = 8_192;
const MOST_BYTES = 64 * 1024 * 1024;

/** A message as it is sent. */
export function encode(message: object): Uint8Array {
  const text = Buffer.from(JSON.stringify(message));
  return text.length < LONG ? text : gzipSync(text);
}

/** A message that arrived. @throws ProtocolError where it is none, with the place of the first fault */
export function decode<T>(data: Uint8Array, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    // RFC 1952: a gzip begins with these two bytes, and no JSON does.
    const isPacked = data[0] === 0x1f && data[1] === 0x8b;
    value = JSON.parse((isPacked ? gunzipSync(data, { maxOutputLength: MOST_BYTES }) : Buffer.from(data)).toString());
  } catch {
    throw new ProtocolError('a message of the fleet is not JSON');
  }
  return checkMessage(value, schema);
}

/** The same; undefined where it is none. */
export function decoded<T>(data: Uint8Array, schema: z.ZodType<T>): T | undefined {
  try {
    return decode(data, schema);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}
