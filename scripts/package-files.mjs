// The files of the package that its code reads, with those of the packages that it needs at run time: what the single file and the Debian package
// carry. Pages, reports and examples are left out.
import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENT_PACKAGES, GUEST_APP, installedPackages } from '../dist/src/lab/vm/packages.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** For people, and not for the program. */
const LEFT_OUT = /\.md$|^(?:docs|reports|examples|dashboards|bench|Containerfile|LICENSE)\b|^dist\/bundle\/man\//;
/** Add-ons for another C library than Node's, and of koffi what it is made with and its newer kind of module. */
const NOT_NEEDED = /\/musl_|\/koffi\/(?:(?:cnoke|.*\/trampolines)\.cjs$|.*\.js$|vendor\/)/;

/** As npm packs them: paths relative to the package. */
export function packedFiles() {
  const text = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return JSON.parse(text)[0].files.map(({ path }) => path);
}

/** @returns {{ path: string, from: string }[]} the path in the folder of the unpacked files, and the file here */
export function filesOfSingleFile() {
  const own = packedFiles()
    .filter((path) => !LEFT_OUT.test(path))
    .map((path) => ({ path, from: join(root, path) }));
  const others = installedPackages(AGENT_PACKAGES)
    .map(({ path, from }) => ({ path: path.slice(GUEST_APP.length + 1), from }))
    .filter(({ path }) => !NOT_NEEDED.test(path));
  return [...own, ...others, ...licences()];
}

/** Of what is not joined into the bundle, whose licences stand in dist/bundle/LICENSES.txt. */
export function licences() {
  const bin = dirname(realpathSync(process.execPath));
  // Beside Node of the project's own archives, and where its packages for Debian have it.
  const ofNode = [
    '../LICENSE',
    '../share/doc/node/LICENSE',
    '../share/doc/nodejs/LICENSE',
    '../share/doc/nodejs/copyright',
  ]
    .map((path) => join(bin, path))
    .find((path) => existsSync(path));
  return [
    { path: 'LICENSE', from: join(root, 'LICENSE') },
    ...AGENT_PACKAGES.map((name) => ({
      path: `node_modules/${name}/LICENSE.txt`,
      from: join(root, 'node_modules', name, 'LICENSE.txt'),
    })),
    ...(ofNode === undefined ? [] : [{ path: 'NODE-LICENSE', from: ofNode }]),
  ];
}
