/**
 * Squid 6 on a machine that has Squid 5: Debian trixie's package with the libraries that it names, unpacked beside each other and not
 * installed, started by the C library's own loader. Kept between runs of the tests in the folder for temporary files, which
 * the proxy's user may enter.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackDebianPackages } from '../../src/machine/debian.js';

const LIBRARIES = /^(?:lib(?!.*-perl$)[a-z0-9.+-]+|squid-common)$/;

/** The path of a program that is Squid 6. Rejects with what apt says when it cannot be fetched. */
export async function squid6(): Promise<string> {
  const uid = process.getuid?.() ?? 0;
  const kept = join(tmpdir(), `bindstorm-test-squid6-${uid}`);
  const program = join(kept, 'squid');
  // What another user has put there is not run.
  if (existsSync(program) && statSync(kept).uid === uid) return program;
  const work = mkdtempSync(join(tmpdir(), 'bindstorm-test-squid6-'));
  try {
    chmodSync(work, 0o755);
    const root = join(work, 'root');
    mkdirSync(root, { mode: 0o755 });
    await unpackDebianPackages('trixie', ['squid'], root, { parts: LIBRARIES });
    const [loader] = filesIn(join(root, 'usr/lib'), /\/ld-linux-[^/]*\.so\.\d+$/);
    // Debian has one for each TLS library.
    const [squid] = filesIn(join(root, 'usr/sbin'), /\/squid(?:-gnutls)?$/);
    if (loader === undefined || squid === undefined)
      throw new Error('the packages of trixie have no squid, or no loader of the C library');
    const inKept = (path: string) => path.replace(work, kept);
    const libraries = inKept(loader.slice(0, loader.lastIndexOf('/')));
    const command = `exec ${inKept(loader)} --library-path ${libraries} ${inKept(squid)} "$@"`;
    writeFileSync(join(work, 'squid'), `#!/bin/sh\n${command}\n`, { mode: 0o755 });
    renameSync(work, kept);
  } catch (error) {
    rmSync(work, { recursive: true, force: true });
    // Another test may have been faster.
    if (!existsSync(program)) throw error;
  }
  return program;
}

function filesIn(folder: string, pattern: RegExp): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => pattern.test(path));
}
