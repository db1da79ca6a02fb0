/**
 * The lab's resolver, as far as it is pure: which addresses a name has, and the answer to a message of DNS (RFC 1035 §4). It answers A
 * and AAAA, and that a name has nothing else.
 */
import { addressBytes, familyOf } from '../../../domain/addresses.js';
import {
  AUTHORITATIVE_ANSWER,
  CLASS_IN,
  DNS_HEADER,
  IS_ANSWER,
  NAME_OF_QUESTION,
  RECURSION_AVAILABLE,
  TTL_SECONDS,
  TYPE_A,
  TYPE_AAAA,
} from '../../../domain/dns.js';

const NO_ERROR = 0;
const FORMAT_ERROR = 1;
const NO_SUCH_NAME = 3;
const NOT_IMPLEMENTED = 4;
const TRUNCATED = 0x02;
/** Of a message over UDP without EDNS (RFC 1035 §2.3.4). */
export const UDP_BYTES = 512;

export interface Names {
  /** Of both families; undefined: there is no such name. */
  addressesOf(name: string): readonly string[] | undefined;
  /** The name that was looked up and has the address. */
  nameOf(address: string): string | undefined;
}

/**
 * The names of a lab.
 * @param table name → addresses; all other names are absent. null: every name has addresses of its own
 * @param own the addresses of the n-th name, in the order in which names are looked up; undefined: there are no more
 */
export function createNames(
  table: Readonly<Record<string, readonly string[]>> | null,
  own: (nth: number) => readonly string[] | undefined,
): Names {
  const known = new Map(Object.entries(table ?? {}).map(([name, addresses]) => [name.toLowerCase(), addresses]));
  const names = new Map<string, string>();
  return {
    addressesOf(asked) {
      const name = asked.toLowerCase();
      const isForward = !name.endsWith('.arpa');
      const addresses = known.get(name) ?? (table === null && isForward ? own(known.size) : undefined);
      if (addresses === undefined) return undefined;
      known.set(name, addresses);
      for (const address of addresses) if (!names.has(address)) names.set(address, name);
      return addresses;
    },
    nameOf: (address) => names.get(address),
  };
}

/**
 * The answer to a query.
 * @param most bytes; what is longer is cut to the question and marked, so that the client asks again over TCP
 * @returns undefined when the message is no query, to which there is no answer
 */
export function answerQuery(query: Uint8Array, names: Names, most: number): Uint8Array | undefined {
  if (query.length < DNS_HEADER || (query[2]! & IS_ANSWER) !== 0) return undefined;
  const question = readQuestion(query);
  if (question === undefined) return reply(query, DNS_HEADER, FORMAT_ERROR, []);
  const { name, type, end } = question;
  if ((query[2]! & 0x78) !== 0 || question.class !== CLASS_IN) return reply(query, end, NOT_IMPLEMENTED, []);
  const addresses = names.addressesOf(name);
  if (addresses === undefined) return reply(query, end, NO_SUCH_NAME, []);
  const family = type === TYPE_A ? 4 : type === TYPE_AAAA ? 6 : null;
  const records = addresses
    .filter((address) => familyOf(address) === family)
    .map((address) => record(type, addressBytes(address)));
  const whole = reply(query, end, NO_ERROR, records);
  if (whole.length <= most) return whole;
  const cut = reply(query, end, NO_ERROR, []);
  cut[2]! |= TRUNCATED;
  return cut;
}

interface Question {
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where it ends in the message. */
  readonly end: number;
}

/** The only question of a message; undefined when it has another number of them, or is damaged. */
function readQuestion(query: Uint8Array): Question | undefined {
  const view = new DataView(query.buffer, query.byteOffset, query.length);
  if (view.getUint16(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = DNS_HEADER;
  for (;;) {
    const length = query[at];
    // Longer than 63 is a pointer, which a question has no use for; a name has at most 255 bytes.
    if (length === undefined || length > 63 || at - DNS_HEADER > 255) return undefined;
    at++;
    if (length === 0) break;
    labels.push(Buffer.from(query.subarray(at, at + length)).toString('latin1'));
    at += length;
  }
  if (at + 4 > query.length) return undefined;
  return { name: labels.join('.'), type: view.getUint16(at), class: view.getUint16(at + 2), end: at + 4 };
}

function reply(query: Uint8Array, end: number, code: number, records: readonly Uint8Array[]): Uint8Array {
  const answer = Buffer.concat([query.subarray(0, end), ...records]);
  answer[2] = AUTHORITATIVE_ANSWER | (query[2]! & 0x79);
  answer[3] = RECURSION_AVAILABLE | code;
  answer.writeUInt16BE(end > DNS_HEADER ? 1 : 0, 4);
  answer.writeUInt16BE(records.length, 6);
  answer.writeUInt32BE(0, 8);
  return answer;
}

function record(type: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(12);
  head.writeUInt16BE(NAME_OF_QUESTION, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(TTL_SECONDS, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}
