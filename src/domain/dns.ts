/**
 * What a message of DNS is made of (RFC 1035, section 4), as far as the lab asks and answers. Pure.
 */

/** Bytes before the question. */
export const DNS_HEADER = 12;
export const TYPE_A = 1;
export const TYPE_AAAA = 28;
export const CLASS_IN = 1;
/** A pointer to the name of the question, which begins behind the header. */
export const NAME_OF_QUESTION = 0xc000 | DNS_HEADER;
/** Seconds that an answer of the lab may be kept. */
export const TTL_SECONDS = 60;

/** Bits of the third byte of the header: QR, and QR with AA. */
export const IS_ANSWER = 0x80;
export const AUTHORITATIVE_ANSWER = 0x84;
/** Of the fourth: RA. */
export const RECURSION_AVAILABLE = 0x80;

/** The names of the lower four bits of the fourth byte (RFC 1035, section 4.1.1; RFC 2136 has the numbers from 6 on). */
export const RESPONSE_CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

/** The name of a response code: `SERVFAIL`; `RCODE9` for those that have none here. */
export function responseCodeName(code: number): string {
  return RESPONSE_CODES[code] ?? `RCODE${code}`;
}
