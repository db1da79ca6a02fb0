/**
 * The keys of a private Tor network, made by Tor's own programs.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProxyError } from '../running/proxy-error.js';
import { gencertBeside } from './gencert.js';
import { type NetworkIdentity, RESOLVER_FILE, RESOLVER_TEXT, type TorLayout } from './layout.js';

/** Two seconds on a quiet machine; more than a minute was seen in a guest that had a quarter of a CPU. */
const KEY_DEADLINE_MS = 600_000;
/** Any will do: nobody but the tests of the lab ever sees the key. */
const PASSPHRASE = 'bindstorm\n';

/** Make the folders of all nodes, the keys of the relays and of the authority. @throws ProxyError */
export async function makeKeys(binary: string, layout: TorLayout): Promise<NetworkIdentity> {
  const { directory, nodes, authority, dirPort } = layout;
  const empty = join(directory, 'empty.torrc');
  writeFileSync(empty, '');
  for (const { name } of nodes) {
    mkdirSync(join(directory, name, 'keys'), { recursive: true, mode: 0o700 });
    writeFileSync(join(directory, name, RESOLVER_FILE), RESOLVER_TEXT);
  }
  const keys = join(directory, authority.name, 'keys');
  const certificate = join(keys, 'authority_certificate');
  const relays = nodes.filter(({ kind }) => kind !== 'client');
  const [, ...fingerprints] = await Promise.all([
    run(
      gencertOf(binary),
      [
        ...['--create-identity-key', '--passphrase-fd', '0', '-m', '24', '-a', dirPort],
        ...['-i', join(keys, 'authority_identity_key'), '-s', join(keys, 'authority_signing_key'), '-c', certificate],
      ],
      PASSPHRASE,
    ),
    ...relays.map(async ({ name }) => {
      const folder = join(directory, name);
      const nobody = '0'.repeat(39);
      const args = [
        ...['--list-fingerprint', '--hush', '--DataDirectory', folder, '--TestingTorNetwork', '1', '--ORPort', '1'],
        ...['--Nickname', name, '-f', empty],
        ...['--DirAuthority', `x orport=1 v3ident=${nobody}1 127.0.0.1:1 ${nobody}1`],
      ];
      await run(binary, args, '');
      return readFileSync(join(folder, 'fingerprint'), 'utf8').trim().split(' ')[1]!;
    }),
  ]);
  const v3ident = /^fingerprint (\S+)$/m.exec(readFileSync(certificate, 'utf8'))?.[1];
  if (v3ident === undefined) throw new ProxyError('tor-gencert made a certificate without a fingerprint', []);
  return { v3ident, fingerprints: Object.fromEntries(relays.map(({ name }, i) => [name, fingerprints[i]!])) };
}

function gencertOf(binary: string): string {
  const found = gencertBeside(binary);
  if (found === undefined)
    throw new ProxyError(
      `program tor-gencert not found beside ${binary} or on the PATH; it makes the keys of the private network's authority and is part of the package tor`,
      [],
    );
  return found;
}

function run(program: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { timeout: KEY_DEADLINE_MS }, (error, stdout, stderr) => {
      if (!error) return resolve();
      const said = `${stdout}\n${stderr}`.split('\n').filter(Boolean);
      reject(
        new ProxyError(`${program} could not make the keys of the network: ${said.at(-1) ?? error.message}`, said),
      );
    });
    // It may have ended without reading what it was given.
    child.stdin!.on('error', () => {});
    child.stdin!.end(input);
  });
}
