/**
 * What a program is given so that it finds the lab's internet, unchanged: a resolver, and an authority that it trusts. In the program's own
 * mount namespace, whose files nobody else sees.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bindMount } from '../../kernel/boot.js';

/** File in the folder → what it is mounted over, where that exists. */
const OVER: readonly (readonly [file: string, path: string])[] = [
  ['resolv.conf', '/etc/resolv.conf'],
  ['hosts', '/etc/hosts'],
  // A resolver of the machine's own, such as systemd's, is not in the lab.
  ['nsswitch.conf', '/etc/nsswitch.conf'],
  // GnuTLS, and OpenSSL and Go without the variables below: Debian and Alpine, then Fedora.
  ['ca.pem', '/etc/ssl/certs/ca-certificates.crt'],
  ['ca.pem', '/etc/pki/tls/certs/ca-bundle.crt'],
  ['ca.pem', '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem'],
  ['ca.jks', '/etc/ssl/certs/java/cacerts'],
  ['ca.jks', '/etc/pki/ca-trust/extracted/java/cacerts'],
];

/** Variables that name a file of trusted certificates, with who reads them. */
const TRUST_VARIABLES = [
  'SSL_CERT_FILE', // OpenSSL (X509_get_default_cert_file_env), Go, .NET, Ruby, Python's ssl and httpx, rustls-native-certs
  'NODE_EXTRA_CA_CERTS', // Node.js
  'REQUESTS_CA_BUNDLE', // Python's requests
  'CURL_CA_BUNDLE', // curl, requests
  'GIT_SSL_CAINFO', // git
  'AWS_CA_BUNDLE', // botocore
  'PIP_CERT', // pip
  'CARGO_HTTP_CAINFO', // cargo
  'DENO_CERT', // Deno
  'PERL_LWP_SSL_CA_FILE', // Perl's LWP
  'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH', // gRPC core
] as const;

/** Nothing may lead the program to a proxy of the machine's. Both cases are in use (curl(1), ENVIRONMENT). */
const PROXY_VARIABLES = ['http_proxy', 'https_proxy', 'ftp_proxy', 'all_proxy', 'no_proxy'];

const STORE_PASSWORD = 'changeit';

/**
 * Write and mount the files. The folder must be one that the program can read.
 * @param authority PEM; `resolvers`: addresses
 * @returns variables for the program's environment; undefined: to be taken out
 */
export function giveInternet(
  folder: string,
  { authority, resolvers }: { readonly authority: string; readonly resolvers: readonly string[] },
): Record<string, string | undefined> {
  const files: Record<string, string | Buffer> = {
    // The root domain alone, so that the machine's own is not tried; no second try of another server.
    'resolv.conf': `search .\n${resolvers.map((address) => `nameserver ${address}\n`).join('')}`,
    hosts: '127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
    'ca.pem': authority,
    'ca.jks': javaKeyStore(new X509Certificate(authority).raw),
  };
  for (const [name, contents] of Object.entries(files)) writeFileSync(join(folder, name), contents, { mode: 0o644 });
  for (const [file, path] of OVER) if (existsSync(path)) bindMount(join(folder, file), realpathSync(path));
  const trust = join(folder, 'ca.pem');
  const store = join(folder, 'ca.jks');
  return {
    ...Object.fromEntries(TRUST_VARIABLES.map((name) => [name, trust])),
    // The launcher reads it, and so do programs that embed a Java machine; it says so on standard error.
    JAVA_TOOL_OPTIONS: `-Djavax.net.ssl.trustStore=${store} -Djavax.net.ssl.trustStorePassword=${STORE_PASSWORD}`,
    ...Object.fromEntries(
      PROXY_VARIABLES.flatMap((name) => [name, name.toUpperCase()]).map((name) => [name, undefined]),
    ),
  };
}

/** Of a store: its magic number and version; of an entry: that it is a trusted certificate. */
const MAGIC = 0xfeedfeed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;

/**
 * Java's own form of a store, which every Java reads (sun.security.provider.JavaKeyStore): no Java reads PEM. It ends with a digest of
 * password, a phrase and all that is before.
 * @param certificate DER
 */
function javaKeyStore(certificate: Buffer): Buffer {
  const text = (value: string) => Buffer.concat([number(value.length).subarray(2), Buffer.from(value)]);
  const body = Buffer.concat([
    ...[MAGIC, VERSION, 1, TRUSTED_CERTIFICATE].map(number),
    text('bindstorm'),
    // When it was made, milliseconds.
    Buffer.alloc(8),
    text('X.509'),
    number(certificate.length),
    certificate,
  ]);
  const digest = createHash('sha1')
    .update(Buffer.from(STORE_PASSWORD, 'utf16le').swap16())
    .update('Mighty Aphrodite')
    .update(body)
    .digest();
  return Buffer.concat([body, digest]);
}

/** 32 bits, the highest first. */
function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
