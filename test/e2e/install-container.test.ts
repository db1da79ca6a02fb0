// needs: buildah, mmdebstrap, dpkg-dev
/**
 * The image of the Containerfile: built by buildah, with a base that is made here from Debian's packages under the name that the file has, since no
 * registry may be reachable. The image must pass the smoke test of the packages, have every subject, and need no capability for a look. Which a lab needs cannot be tried: buildah's chroot lets no program make namespaces.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Look } from '../../src/gauge/look.js';
import type { NodeLook } from '../../src/gauge/node-look.js';
import type { Finding } from '../../src/lab/finding.js';
import { PROXY_KINDS } from '../../src/subjects/index.js';
import { type BareRoot, enterRoot, makeEnterable, noBareRoot } from '../support/bare-root.js';
import { ROOT, runCli, scratchFolder } from '../support/cli.js';
import { singleFile } from '../support/single-file.js';
import { smokeTest } from '../support/smoke.js';

const built = noBareRoot ? { reason: noBareRoot } : singleFile();
const long = process.env.BINDSTORM_LONG === '1' ? undefined : 'takes ten minutes; BINDSTORM_LONG=1 runs it';
const skip = long ?? ('reason' in built ? built.reason : false);
/** Of apt, where no mirror is reached. */
const NO_MIRROR =
  /Could not (?:resolve|connect)|Temporary failure resolving|Unable to connect|Connection (?:failed|timed out)|Network is unreachable/;
const SOURCES = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'].filter((path) => existsSync(path));
const IMAGE = 'localhost/bindstorm';

describe('the image of the Containerfile', { skip }, () => {
  const cleanUp: (() => void)[] = [];
  const folder = skip ? '' : scratchFolder({ after: (work: () => void) => void cleanUp.push(work) });
  const [store, storeRun] = [join(folder, 'store'), join(folder, 'run')];
  let container = '';
  let root: Pick<BareRoot, 'folder' | 'within'>;
  let noMirror: string | null = null;

  /** What a command says; its words are in the error of one that fails. */
  function ran(program: string, ...args: string[]): string {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
    assert.equal(status, 0, `${program} ${args.join(' ')}: ${stdout.slice(-4000)}${stderr.slice(-4000)}`);
    return stdout.trim();
  }
  const buildah = (...args: string[]) =>
    ran('buildah', '--root', store, '--runroot', storeRun, '--storage-driver', 'vfs', ...args);

  before(() => {
    const codename = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'bookworm';
    const base = join(folder, 'base.tar');
    const made = spawnSync('mmdebstrap', ['--variant=minbase', codename, base, ...SOURCES], { encoding: 'utf8' });
    if (made.status !== 0 && NO_MIRROR.test(made.stderr)) {
      noMirror = `no mirror of Debian can be reached: ${made.stderr.trim().split('\n').at(-1)}`;
      return;
    }
    assert.equal(made.status, 0, made.stderr);
    const scratch = buildah('from', 'scratch');
    buildah('add', scratch, base, '/');
    rmSync(base);
    // As in the images of Debian: what is installed is not started.
    const policy = join(folder, 'policy-rc.d');
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
    buildah('copy', scratch, policy, '/usr/sbin/policy-rc.d');
    buildah('commit', '--rm', scratch, `docker.io/library/debian:${codename}-slim`);
    const deb = ran(process.execPath, join(ROOT, 'scripts/build-deb.mjs'), '--quick').split('\n').at(-1)!;
    const file = join(ROOT, 'Containerfile');
    // apt asks the mirrors of this machine.
    const here = ['--isolation', 'chroot', '--pull-never', '--volume', '/etc/apt:/etc/apt:ro'];
    buildah(
      'build',
      ...here,
      '--build-arg',
      `DEBIAN=${codename}-slim`,
      '--tag',
      IMAGE,
      '--file',
      file,
      join(deb, '..'),
    );
    container = buildah('from', '--pull-never', IMAGE);
    const mounted = buildah('mount', container);
    makeEnterable(mounted);
    root = { folder: mounted, within: (who) => enterRoot(mounted, who) };
  });
  after(() => {
    if (container !== '') buildah('rm', container);
    for (const work of cleanUp) work();
  });

  test('passes the smoke test, as root and as an ordinary user', async (t) => {
    if (noMirror !== null) return t.skip(noMirror);
    await smokeTest(root, '/usr/bin/bindstorm');
  });

  test('has every subject and tracer', async (t) => {
    if (noMirror !== null) return t.skip(noMirror);
    const { stdout } = await inside(['doctor', '--json']);
    const findings = JSON.parse(stdout) as Finding[];
    for (const kind of PROXY_KINDS) {
      const found = findings.find(({ what }) => what === kind);
      assert.equal(found?.state, 'ok', JSON.stringify(found));
    }
    const args = ['watch', '--all', '--once', '--failures', '--interval', '1s', '--json'];
    const [there, here] = [await inside(args), await runCli(args, { cwd: ROOT })];
    const refusedOf = (text: string) => (JSON.parse(text) as NodeLook).refused!;
    assert.equal(refusedOf(there.stdout).kind, refusedOf(here.stdout).kind, there.stderr);
  });

  test('says its version as its entry point, and needs no capability for a look', (t) => {
    if (noMirror !== null) return t.skip(noMirror);
    // buildah's templates have no function that writes JSON.
    const entry = buildah('inspect', '--type', 'image', '--format', '{{index .OCIv1.Config.Entrypoint 0}}', IMAGE);
    assert.equal(entry, 'bindstorm');
    const run = (...args: string[]) =>
      spawnSync(
        'buildah',
        [
          ...['--root', store, '--runroot', storeRun, '--storage-driver', 'vfs', 'run', '--isolation', 'chroot'],
          ...['--cap-drop', 'ALL'],
          ...[container, '--', 'bindstorm', ...args],
        ],
        { encoding: 'utf8' },
      );
    const look = run('watch', '--once', '--json');
    assert.ok([0, 1, 5].includes(look.status!), look.stderr);
    assert.ok((JSON.parse(look.stdout) as Look).capacity.ports > 0);
  });

  function inside(args: readonly string[]) {
    return runCli([...args], { cwd: ROOT, within: root.within('root'), program: ['/usr/bin/bindstorm'] });
  }
});
