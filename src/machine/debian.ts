/**
 * Packages of a Debian suite, fetched with apt's own tools into a folder of ours: nothing is installed, and apt's own state on
 * this machine is neither used nor changed. The archive and the keys are those that this machine's apt has; apt checks the
 * signature of the lists and the checksums of the packages.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { execa } from 'execa';
import { LabError } from '../domain/error.js';

/** The archive's releases, and the names that move from one to the next. */
const DEBIAN_RELEASES = /^(?:bullseye|bookworm|trixie|forky|sid|oldoldstable|oldstable|stable|testing|unstable)$/;
const KEYRINGS = [
  '/usr/share/keyrings/debian-archive-keyring.pgp',
  '/usr/share/keyrings/debian-archive-keyring.gpg',
] as const;
/** Of one program: lists and kernels are tens of megabytes, which a slow line or a busy machine takes minutes for. apt ends by itself where nothing comes. */
const DEADLINE_MS = 600_000;
const OTHERWISE = 'fetch the kernel on a Debian machine and give its path with --kernel';

/**
 * Fetch packages of a suite and unpack them.
 * @param packages their names
 * @param folder where the contents are unpacked to; it must exist, and the work is done beside it
 * @param options `parts`: of the packages that these depend on, the names of those to be fetched too; of all others nothing is needed
 * `otherwise`: what to do where this does not work
 * @throws LabError when there is no apt, no archive, or no such package
 */
export async function unpackDebianPackages(
  suite: string,
  packages: readonly string[],
  folder: string,
  { parts, otherwise = OTHERWISE }: { readonly parts?: RegExp; readonly otherwise?: string } = {},
): Promise<void> {
  const work = mkdtempSync(join(dirname(folder), 'apt-'));
  try {
    const environment = { ...process.env, LC_ALL: 'C', APT_CONFIG: await writeConfiguration(work, suite) };
    await apt(['apt-get', '-qq', 'update'], work, environment, `the package lists of ${suite} cannot be fetched`);
    const what = `${packages.join(' and ')} of ${suite} cannot be fetched`;
    const names = parts === undefined ? packages : await withParts(packages, parts, work, environment, what);
    await apt(['apt-get', '-qq', 'download', ...names], work, environment, what);
    await unpackPackageFiles(
      readdirSync(work)
        .filter((file) => file.endsWith('.deb'))
        .map((name) => join(work, name)),
      folder,
    );
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    const remedy = error.remedy === null ? otherwise : `${error.remedy}; or ${otherwise}`;
    throw new LabError(error.message, { cause: error, remedy });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Unpack packages (.deb) into a folder. Rejects with LabError */
export async function unpackPackageFiles(files: readonly string[], folder: string): Promise<void> {
  const environment = { ...process.env, LC_ALL: 'C' };
  for (const file of files)
    await apt(['dpkg-deb', '-x', file, folder], folder, environment, `${basename(file)} cannot be unpacked`);
}

/** The packages, and those of the given names that they depend on, and these in turn. */
async function withParts(
  packages: readonly string[],
  parts: RegExp,
  cwd: string,
  env: NodeJS.ProcessEnv,
  what: string,
): Promise<string[]> {
  const all = new Set(packages);
  for (const name of all) {
    const said = await apt(['apt-cache', 'depends', '--important', name], cwd, env, what);
    for (const [, needed] of said.matchAll(/^\s*(?:Pre)?Depends: (\S+)$/gm)) if (parts.test(needed!)) all.add(needed!);
  }
  return [...all];
}

/** The Debian archive that this machine's apt uses; also where apt has never fetched a list. @throws LabError when it has none */
async function archive(): Promise<string> {
  const { stdout, exitCode, originalMessage } = await execa('apt-get', ['update', '--print-uris'], {
    reject: false,
    env: { LC_ALL: 'C' },
  });
  if (exitCode !== 0)
    throw new LabError(
      `packages of Debian are fetched with apt, which cannot be used here (${originalMessage ?? 'it failed'})`,
    );
  const uri = archiveIn(stdout);
  if (uri === undefined)
    throw new LabError(
      "packages of Debian are fetched from the Debian archive, and this machine's apt has none in its sources",
    );
  return uri;
}

/** The archive of a Debian release among the addresses that `apt-get update --print-uris` prints. Pure. */
export function archiveIn(uris: string): string | undefined {
  for (const [, uri, release] of uris.matchAll(/^'(\S+?)\/dists\/([^/\s']+)\/(?:In)?Release'/gm))
    if (DEBIAN_RELEASES.test(release!)) return uri;
  return undefined;
}

/** A configuration that has nothing of the machine's own but how to reach the archive (proxies, certificates, credentials). */
async function writeConfiguration(work: string, suite: string): Promise<string> {
  const uri = await archive();
  const { stdout: acquire } = await execa('apt-config', ['dump', 'Acquire'], { env: { LC_ALL: 'C' } });
  const keyring = KEYRINGS.find((path) => existsSync(path));
  writeFileSync(join(work, 'sources.list'), `deb ${keyring ? `[signed-by=${keyring}] ` : ''}${uri} ${suite} main\n`);
  for (const folder of ['state/lists/partial', 'cache/archives/partial'])
    mkdirSync(join(work, folder), { recursive: true });
  writeFileSync(join(work, 'status'), '');
  const path = join(work, 'apt.conf');
  writeFileSync(
    path,
    `${acquire}
Acquire::Languages "none";
Acquire::Retries "2";
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::sourcelist "${work}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "${work}/state";
Dir::State::status "${work}/status";
Dir::Cache "${work}/cache";
APT::Sandbox::User "";
`,
  );
  return path;
}

async function apt(
  [program, ...rest]: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  what: string,
): Promise<string> {
  const result = await execa(program!, rest, {
    cwd,
    env,
    extendEnv: false,
    reject: false,
    timeout: DEADLINE_MS,
  });
  if (result.exitCode === 0) return result.stdout ?? '';
  const said = result.timedOut
    ? `${program} had not ended after ${DEADLINE_MS / 60_000} min`
    : result.stderr?.split('\n').find((line) => /^E:|^dpkg-deb: error/.test(line));
  throw new LabError(`${what}: ${said ?? result.originalMessage ?? `${program} ended with code ${result.exitCode}`}`, {
    remedy: 'check that the archive can be reached from here',
  });
}
