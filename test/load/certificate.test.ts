// needs: openssl
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority, makeCertificate } from '../../src/load/origin/certificate.js';
import { scratchFolder } from '../support/cli.js';

test('a certificate is signed by its own key and holds for its addresses alone', () => {
  const { key, certificate } = makeCertificate(['198.18.0.2', 'fdb5::2']);
  const read = new X509Certificate(certificate);
  assert.ok(read.checkPrivateKey(createPrivateKey(key)));
  assert.ok(read.verify(read.publicKey));
  assert.equal(read.checkIP('198.18.0.2'), '198.18.0.2');
  assert.equal(read.checkIP('fdb5::2'), 'fdb5::2');
  assert.equal(read.checkIP('198.18.0.3'), undefined);
  assert.equal(read.subject, 'CN=bindstorm origin');
  assert.equal(read.issuer, read.subject);
  assert.ok(read.ca);
  assert.ok(Date.parse(read.validFrom) < Date.parse('2001-01-01'));
  assert.ok(Date.parse(read.validTo) > Date.parse('9999-01-01'));
});

test('it holds for as many addresses as an origin may have, each with a length of more than one byte', () => {
  const addresses = Array.from({ length: 4096 }, (_, i) => `198.19.${i >> 8}.${i & 255}`);
  const read = new X509Certificate(makeCertificate(addresses).certificate);
  assert.equal(read.checkIP('198.19.15.255'), '198.19.15.255');
});

test('no two are the same', () => {
  const [one, two] = [makeCertificate(['127.0.0.1']), makeCertificate(['127.0.0.1'])];
  assert.notEqual(new X509Certificate(one.certificate).serialNumber, new X509Certificate(two.certificate).serialNumber);
  assert.notEqual(one.key, two.key);
});

test('a throwaway authority: what it issues holds for one name or address, by its signature, and is no authority', () => {
  const authority = makeAuthority();
  const root = new X509Certificate(authority.certificate);
  assert.ok(root.ca && root.verify(root.publicKey));
  for (const host of ['api.example.com', '2001:db8::7', `${'a'.repeat(63)}.example.com`]) {
    const { key, certificate } = authority.issue(host);
    const read = new X509Certificate(certificate);
    assert.ok(read.checkPrivateKey(createPrivateKey(key)));
    assert.ok(read.checkIssued(root) && read.verify(root.publicKey));
    assert.equal(read.ca, false);
    assert.equal(isIP(host) ? read.checkIP(host) : read.checkHost(host), host);
    assert.equal(read.checkHost('www.example.org'), undefined);
  }
});

test('a strict client takes it too', (t) => {
  const folder = scratchFolder(t);
  const authority = makeAuthority();
  writeFileSync(join(folder, 'ca.pem'), authority.certificate);
  writeFileSync(join(folder, 'server.pem'), authority.issue('api.example.com').certificate);
  const strict = ['verify', '-x509_strict', '-purpose', 'sslserver', '-verify_hostname', 'api.example.com'];
  const { stdout, stderr } = spawnSync('openssl', [...strict, '-CAfile', 'ca.pem', 'server.pem'], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(stdout, 'server.pem: OK\n', stderr);
});
