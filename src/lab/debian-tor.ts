/**
 * Tor of a Debian suite, fetched and unpacked into the cache, never installed: the release of another year beside the one that this
 * machine has.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebianSuite } from '../domain/guest.js';
import { unpackDebianPackages } from './vm/apt.js';
import { cacheFolder } from './vm/cache.js';

/** Libraries of Tor that another release need not have; the C library is this machine's, which no older program minds. */
const LIBRARIES =
  /^(?:libssl\d\S*|libevent-2\S*|libseccomp2|libsystemd0|liblzma5|libzstd1|libcap2|zlib1g|libgcrypt20|liblz4-1|libgpg-error0)$/;
const PROGRAMS = ['tor', 'tor-gencert'] as const;

/** @returns the path of a program. Rejects with LabError when it cannot be fetched */
export async function debianTor(suite: DebianSuite): Promise<string> {
  const folder = join(cacheFolder('tor-programs'), suite);
  const program = join(folder, 'tor');
  if (existsSync(program)) return program;
  const work = mkdtempSync(`${folder}.`);
  try {
    const unpacked = join(work, 'program');
    mkdirSync(unpacked);
    await unpackDebianPackages(suite, ['tor'], unpacked, {
      parts: LIBRARIES,
      elsewhere: 'give the path of a Tor of your own as subject.binary, or leave out what names the suite',
    });
    for (const name of PROGRAMS) {
      writeFileSync(join(work, name), starter(unpacked, name));
      chmodSync(join(work, name), 0o755);
    }
    chmodSync(work, 0o755);
    rmSync(folder, { recursive: true, force: true });
    renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return program;
}

/** A script that becomes the program, with the libraries beside it, wherever the folder is copied to. */
function starter(unpacked: string, name: string): string {
  const folders = ['lib', 'usr/lib'].flatMap((lib) =>
    existsSync(join(unpacked, lib))
      ? readdirSync(join(unpacked, lib))
          .filter((entry) => entry.endsWith('-linux-gnu'))
          .map((entry) => `$here/program/${lib}/${entry}`)
      : [],
  );
  const binary =
    existsSync(join(unpacked, 'usr/sbin', name)) && !existsSync(join(unpacked, 'usr/bin', name)) ? 'sbin' : 'bin';
  return `#!/bin/sh
here=\${0%/*}
LD_LIBRARY_PATH="${folders.join(':')}" exec "$here/program/usr/${binary}/${name}" "$@"
`;
}
