/**
 * Tor of a Debian suite, fetched and unpacked into the cache, never installed: the release of another year beside the one that this
 * machine has.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebianSuite } from '../../domain/guest.js';
import { unpackDebianPackages } from '../../machine/debian.js';
import { cacheFolder, folderMadeOnce } from '../../machine/folders.js';

/** Libraries of Tor that another release need not have; the C library is this machine's, which no older program minds. */
const LIBRARIES =
  /^(?:libssl\d\S*|libevent-2\S*|libseccomp2|libsystemd0|liblzma5|libzstd1|libcap2|zlib1g|libgcrypt20|liblz4-1|libgpg-error0)$/;
const PROGRAMS = ['tor', 'tor-gencert'] as const;

/** @returns the path of a program. Rejects with LabError when it cannot be fetched */
export async function debianTor(suite: DebianSuite): Promise<string> {
  const folder = await folderMadeOnce(cacheFolder('tor-programs'), suite, 'tor', async (ready) => {
    const unpacked = join(ready, 'program');
    mkdirSync(unpacked);
    await unpackDebianPackages(suite, ['tor'], unpacked, {
      parts: LIBRARIES,
      otherwise: 'give the path of a Tor of your own as subject.binary, or leave out what names the suite',
    });
    for (const name of PROGRAMS) writeFileSync(join(ready, name), starter(unpacked, name), { mode: 0o755 });
  });
  return join(folder, 'tor');
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
