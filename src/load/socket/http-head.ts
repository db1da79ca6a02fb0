/**
 * The head of an HTTP/1.x response (RFC 9112), strictly: what is not exactly of that form is no answer. For the hot loop: one pass
 * over the bytes, and the results in fields instead of objects.
 */

/** A head is not longer than this. */
export const MAX_HEAD = 32 * 1024;

interface HeadParser {
  /**
   * Parse the head at the beginning of `length` received bytes.
   * @returns its length with the empty line; 0 when more must come; -1 when this is no HTTP/1.x response
   */
  parse(bytes: Uint8Array, length: number): number;
  status: number;
  /** Content-Length, or -1 where there is none. */
  contentLength: number;
  /** There is a Transfer-Encoding. */
  encoded: boolean;
  /** The field X-Squid-Error as it is, or ''. */
  squidError: string;
}

const CR = 13;
const LF = 10;
const SP = 32;
const TAB = 9;
const COLON = 58;
const VERSION = [72, 84, 84, 80, 47, 49, 46]; // HTTP/1.

/** tchar of RFC 9110 §5.6.2. */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
  TOKEN[character.charCodeAt(0)] = 1;

const CONTENT_LENGTH = 'content-length';
const TRANSFER_ENCODING = 'transfer-encoding';
const SQUID_ERROR = 'x-squid-error';

/** A parser, to be used for one head after the other. */
export function createHeadParser(): HeadParser {
  const parser: HeadParser = {
    status: 0,
    contentLength: -1,
    encoded: false,
    squidError: '',
    parse(bytes, length) {
      const statusLine = parseStatusLine(bytes, length);
      if (statusLine <= 0) return incomplete(statusLine, length);
      parser.contentLength = -1;
      parser.encoded = false;
      parser.squidError = '';
      for (let at = statusLine; ; ) {
        if (at >= length) return incomplete(0, length);
        if (bytes[at] === CR) {
          if (at + 1 >= length) return incomplete(0, length);
          return bytes[at + 1] === LF ? at + 2 : -1;
        }
        const next = parseField(bytes, at, length);
        if (next <= 0) return incomplete(next, length);
        at = next;
      }
    },
  };
  return parser;

  /** @returns where the next line begins, 0 or -1 */
  function parseStatusLine(bytes: Uint8Array, length: number): number {
    for (let i = 0; i < VERSION.length && i < length; i++) if (bytes[i] !== VERSION[i]) return -1;
    if (length < 13) return 0;
    if ((bytes[7] !== 48 && bytes[7] !== 49) || bytes[8] !== SP || bytes[12] !== SP) return -1;
    const a = bytes[9]! - 48;
    const b = bytes[10]! - 48;
    const c = bytes[11]! - 48;
    if (a < 1 || a > 5 || b < 0 || b > 9 || c < 0 || c > 9) return -1;
    parser.status = a * 100 + b * 10 + c;
    return endOfLine(bytes, 13, length);
  }

  /** @returns where the next line begins, 0 or -1 */
  function parseField(bytes: Uint8Array, from: number, length: number): number {
    let colon = from;
    while (colon < length && TOKEN[bytes[colon]!] === 1) colon++;
    if (colon === length) return 0;
    // Also a line that begins with a blank, which folds it to the one before, as RFC 9112 §5.2 forbids.
    if (colon === from || bytes[colon] !== COLON) return -1;
    const next = endOfLine(bytes, colon + 1, length);
    if (next <= 0) return next;
    switch (colon - from) {
      case CONTENT_LENGTH.length:
        if (is(bytes, from, CONTENT_LENGTH)) return setContentLength(number(bytes, colon + 1, next - 2)) ? next : -1;
        break;
      case TRANSFER_ENCODING.length:
        if (is(bytes, from, TRANSFER_ENCODING)) parser.encoded = true;
        break;
      case SQUID_ERROR.length:
        if (is(bytes, from, SQUID_ERROR)) parser.squidError = text(bytes, colon + 1, next - 2);
        break;
    }
    return next;
  }

  /** @param value -1: no number */
  function setContentLength(value: number): boolean {
    // Two different ones make a message whose end nobody knows (RFC 9112 §6.3).
    if (value < 0 || (parser.contentLength >= 0 && parser.contentLength !== value)) return false;
    parser.contentLength = value;
    return true;
  }
}

function incomplete(result: number, length: number): number {
  return result === 0 && length > MAX_HEAD ? -1 : result;
}

/** @returns the byte behind CR LF, 0 when the line has no end yet, -1 for a byte that no line may have */
function endOfLine(bytes: Uint8Array, from: number, length: number): number {
  for (let at = from; at < length; at++) {
    const byte = bytes[at]!;
    if (byte === CR) {
      if (at + 1 >= length) return 0;
      return bytes[at + 1] === LF ? at + 2 : -1;
    }
    if ((byte < SP && byte !== TAB) || byte === 127) return -1;
  }
  return 0;
}

/** Whether the bytes are an ASCII name, in any case. */
function is(bytes: Uint8Array, from: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((bytes[from + i]! | 32) !== name.charCodeAt(i)) return false;
  return true;
}

const MOST_DIGITS = 15;

/** A field's value as a number of at most 15 digits; -1 when it is none. No string is made of it: this is done for every answer. */
function number(bytes: Uint8Array, from: number, to: number): number {
  let begin = from;
  let end = to;
  while (begin < end && isBlank(bytes[begin]!)) begin++;
  while (end > begin && isBlank(bytes[end - 1]!)) end--;
  if (begin === end || end - begin > MOST_DIGITS) return -1;
  let value = 0;
  for (let at = begin; at < end; at++) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** Optional white space (RFC 9110 §5.6.3). */
function isBlank(byte: number): boolean {
  return byte === SP || byte === TAB;
}

/** A field's value without the blanks around it. */
function text(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to)).trim();
}
