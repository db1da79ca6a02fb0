/**
 * A certificate for the lab's own origin, made at start and gone with it: X.509 v3 (RFC 5280), self-signed, ECDSA with P-256 and SHA-256.
 * node:crypto has keys and signatures but no certificates, so the few structures of DER (ITU-T X.690) that one needs are written here.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import type { Target } from '../../domain/target.js';
import type { LoadPlan } from '../../plan/plan.js';

/** Both PEM. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const BOOLEAN = 0x01;
/** [0] and [3] of TBSCertificate, constructed. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
/** [7] of GeneralName: iPAddress, as the bytes of the address. */
const IP_ADDRESS = 0x87;

/** Object identifiers, as DER has them. */
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('551d13', 'hex');

/** The clock of a guest may be off. */
const VALID_FROM = '20000101000000Z';
/** No well-defined end (RFC 5280 §4.1.2.5). */
const VALID_TO = '99991231235959Z';

/** What the origin shows and the load expects; undefined without TLS. */
export function certificateFor({ tls }: LoadPlan, targets: readonly Target[]): Certificate | undefined {
  return tls ? makeCertificate([...new Set(targets.map(({ address }) => address))]) : undefined;
}

/** @param addresses what clients connect to, IPv4 or IPv6 as text; a client checks that the one it asked for is among them */
export function makeCertificate(addresses: readonly string[]): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, der(OBJECT_IDENTIFIER, COMMON_NAME), der(UTF8_STRING, Buffer.from('bindstorm origin')))),
  );
  const validity = der(
    SEQUENCE,
    der(GENERALIZED_TIME, Buffer.from(VALID_FROM)),
    der(GENERALIZED_TIME, Buffer.from(VALID_TO)),
  );
  const toBeSigned = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.of(2))),
    der(INTEGER, serialNumber()),
    algorithm,
    name,
    validity,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      EXTENSIONS,
      der(
        SEQUENCE,
        // It is its own authority.
        extension(BASIC_CONSTRAINTS, der(SEQUENCE, der(BOOLEAN, Buffer.of(0xff)))),
        extension(
          SUBJECT_ALT_NAME,
          der(SEQUENCE, ...addresses.map((text) => der(IP_ADDRESS, Buffer.from(ipaddr.parse(text).toByteArray())))),
        ),
      ),
    ),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const whole = der(SEQUENCE, toBeSigned, algorithm, bits(signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    certificate: pem(whole),
  };
}

/** Tag, length, contents (X.690 §8.1). */
function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const body = Buffer.concat(contents);
  if (body.length < 128) return Buffer.concat([Buffer.of(tag, body.length), body]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  const short = length.subarray(length.findIndex((byte) => byte !== 0));
  return Buffer.concat([Buffer.of(tag, 0x80 | short.length), short, body]);
}

function bits(bytes: Buffer): Buffer {
  return der(BIT_STRING, Buffer.of(0), bytes);
}

function extension(identifier: Buffer, value: Buffer): Buffer {
  return der(SEQUENCE, der(OBJECT_IDENTIFIER, identifier), der(OCTET_STRING, value));
}

/** Positive, and without a leading zero byte that DER would forbid. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
