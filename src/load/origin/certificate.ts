/**
 * Certificates for the lab's own origin, made at start and gone with it: X.509 v3 (RFC 5280), ECDSA with P-256 and SHA-256. node:crypto
 * has keys and signatures but no certificates, so the few structures of DER (ITU-T X.690) that one needs are written here. They have
 * all that strict clients ask for (OpenSSL's X509_V_FLAG_X509_STRICT, which Python sets since 3.13).
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { addressBytes, isAddress } from '../../domain/addresses.js';
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
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const BOOLEAN = 0x01;
/** [0] and [3] of TBSCertificate, constructed. */
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;
/** [2] and [7] of GeneralName: dNSName, and iPAddress as the bytes of the address. */
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
/** [0] of AuthorityKeyIdentifier. */
const KEY_IDENTIFIER = 0x80;

const TRUE = Buffer.of(0xff);
/** Bits of KeyUsage (RFC 5280 §4.2.1.3), with the number of unused ones before them. */
const DIGITAL_SIGNATURE = Buffer.of(7, 0x80);
const CERTIFICATE_SIGN = Buffer.of(2, 0x84);

/** Object identifiers, as DER has them. */
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('550403', 'hex');
const SUBJECT_KEY_ID = Buffer.from('551d0e', 'hex');
const KEY_USAGE = Buffer.from('551d0f', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('551d13', 'hex');
const AUTHORITY_KEY_ID = Buffer.from('551d23', 'hex');
const EXTENDED_KEY_USAGE = Buffer.from('551d25', 'hex');
const SERVER_AUTH = Buffer.from('2b06010505070301', 'hex');

/** The clock of a guest may be off. Years before 2050 are UTCTime (RFC 5280 §4.1.2.5). */
const VALID_FROM = '000101000000Z';
/** No well-defined end (RFC 5280 §4.1.2.5). */
const VALID_TO = '99991231235959Z';

/** What the origin shows and the load expects; undefined without TLS. */
export function certificateFor({ tls }: LoadPlan, targets: readonly Target[]): Certificate | undefined {
  return tls ? makeCertificate([...new Set(targets.map(({ address }) => address))]) : undefined;
}

/**
 * A certificate that is its own authority.
 * @param addresses what clients connect to, IPv4 or IPv6 as text; a client checks that the one it asked for is among them
 */
export function makeCertificate(addresses: readonly string[]): Certificate {
  const { publicKey, privateKey } = newKeys();
  const own = { name: 'bindstorm origin', key: privateKey, id: keyId(publicKey) };
  const certificate = certify(own.name, publicKey, own, [...AUTHORITY, altNames(addresses)]);
  return { key: pemOf(privateKey), certificate: pem(certificate) };
}

/** A throwaway authority, and the certificates that it issues. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for one name or address, of a key that all of them share. */
  issue(host: string): Certificate;
}

/** Make an authority with a key of its own. */
export function makeAuthority(): Authority {
  const authority = newKeys();
  const issuer = { name: 'bindstorm lab authority', key: authority.privateKey, id: keyId(authority.publicKey) };
  const servers = newKeys();
  const key = pemOf(servers.privateKey);
  return {
    certificate: pem(certify(issuer.name, authority.publicKey, issuer, AUTHORITY)),
    issue: (host) => ({
      key,
      // A common name has at most 64 characters (RFC 5280, ub-common-name); clients look at the alternative name.
      certificate: pem(certify(host.slice(0, 64), servers.publicKey, issuer, [...SERVER, altNames([host])])),
    }),
  };
}

interface Issuer {
  readonly name: string;
  readonly key: KeyObject;
  /** Of its public key. */
  readonly id: Buffer;
}

const AUTHORITY = [
  extension(BASIC_CONSTRAINTS, der(SEQUENCE, der(BOOLEAN, TRUE)), true),
  extension(KEY_USAGE, der(BIT_STRING, CERTIFICATE_SIGN), true),
];
const SERVER = [
  extension(KEY_USAGE, der(BIT_STRING, DIGITAL_SIGNATURE), true),
  extension(EXTENDED_KEY_USAGE, der(SEQUENCE, der(OBJECT_IDENTIFIER, SERVER_AUTH))),
];

/** @returns the certificate in DER */
function certify(subject: string, subjectKey: KeyObject, issuer: Issuer, extensions: readonly Buffer[]): Buffer {
  const algorithm = der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
  const toBeSigned = der(
    SEQUENCE,
    der(VERSION, der(INTEGER, Buffer.of(2))),
    der(INTEGER, serialNumber()),
    algorithm,
    nameOf(issuer.name),
    der(SEQUENCE, der(UTC_TIME, Buffer.from(VALID_FROM)), der(GENERALIZED_TIME, Buffer.from(VALID_TO))),
    nameOf(subject),
    subjectKey.export({ type: 'spki', format: 'der' }),
    der(
      EXTENSIONS,
      der(
        SEQUENCE,
        extension(SUBJECT_KEY_ID, der(OCTET_STRING, keyId(subjectKey))),
        extension(AUTHORITY_KEY_ID, der(SEQUENCE, der(KEY_IDENTIFIER, issuer.id))),
        ...extensions,
      ),
    ),
  );
  return der(SEQUENCE, toBeSigned, algorithm, der(BIT_STRING, Buffer.of(0), sign('sha256', toBeSigned, issuer.key)));
}

function newKeys() {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Any value that is unique to the key (RFC 5280 §4.2.1.2). */
function keyId(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest();
}

function nameOf(commonName: string): Buffer {
  return der(
    SEQUENCE,
    der(SET, der(SEQUENCE, der(OBJECT_IDENTIFIER, COMMON_NAME), der(UTF8_STRING, Buffer.from(commonName)))),
  );
}

/** @param hosts names and addresses */
function altNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isAddress(host) ? der(IP_ADDRESS, Buffer.from(addressBytes(host))) : der(DNS_NAME, Buffer.from(host, 'latin1')),
  );
  return extension(SUBJECT_ALT_NAME, der(SEQUENCE, ...names));
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

function extension(identifier: Buffer, value: Buffer, critical = false): Buffer {
  const mark = critical ? [der(BOOLEAN, TRUE)] : [];
  return der(SEQUENCE, der(OBJECT_IDENTIFIER, identifier), ...mark, der(OCTET_STRING, value));
}

/** Positive, and without a leading zero byte that DER would forbid. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
