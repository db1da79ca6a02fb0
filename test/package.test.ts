/**
 * The package as npm would publish it: what is in it, how large it is once installed, and that its pages lead to files that it has.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { before, test } from 'node:test';
import { ROOT } from './support/cli.js';

interface Locked {
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

let files: ReadonlyMap<string, number>;

before(() => {
  const packed = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [{ files: listed }] = JSON.parse(packed) as [{ files: { path: string; size: number }[] }];
  files = new Map(listed.map(({ path, size }) => [path, size]));
});

/** Bytes of a folder's files. */
function sizeOf(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => lstatSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0);
}

test('an installation takes at most 20 MB: what is joined into the bundle is not installed beside it', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const here = { os: process.platform, cpu: process.arch, libc: 'glibc' } as const;
  const suits = (locked: Locked) =>
    (['os', 'cpu', 'libc'] as const).every((part) => locked[part]?.includes(here[part]) ?? true);
  const installed = Object.entries(packages).filter(([path, locked]) => path !== '' && !locked.dev && suits(locked));
  const names = installed.map(([path]) => path.replace('node_modules/', ''));
  assert.ok(names.includes('koffi') && !names.includes('echarts'), names.join(', '));
  const own = [...files.values()].reduce((sum, size) => sum + size, 0);
  const all = installed.reduce((sum, [path]) => sum + sizeOf(join(ROOT, path)), own);
  assert.ok(all > 5e6 && all <= 20e6, `${(all / 1e6).toFixed(1)} MB, ${(own / 1e6).toFixed(1)} of them its own`);
});

test('the licences of what is joined into the bundle are in the package', () => {
  assert.ok(files.has('dist/bundle/LICENSES.txt'));
  const text = readFileSync(join(ROOT, 'dist/bundle/LICENSES.txt'), 'utf8');
  for (const name of [
    'echarts',
    'zrender',
    'zod',
    'yaml',
    'commander',
    'execa',
    'undici',
    '@expo-google-fonts/pt-sans',
  ])
    assert.match(text, new RegExp(`^${name} \\d+\\.`, 'm'), name);
  for (const words of ['Apache License', 'SIL OPEN FONT LICENSE', 'The MIT License'])
    assert.ok(text.includes(words), words);
});

/** Pages for those who change the code, which they have then. */
const OF_DEVELOPERS =
  /^(?:ARCHITECTURE|CONTRIBUTING|bench\/README|docs\/(?:internals\/.*|walk-the-code|how-to\/add-a-proxy))\.md$/;

/** Large: they stay in the repository, which docs/install.md says. */
const LEFT_OUT = /^reports\/examples\/(?:fixes\/runs|fixes-nat|headline|tor-2012)\b/;

test('each page of the package leads to files that the package has', () => {
  const pages = [...files.keys()].filter((path) => path.endsWith('.md') && !OF_DEVELOPERS.test(path));
  assert.ok(pages.includes('README.md') && pages.includes('docs/tutorial.md'));
  const folders = new Set(
    [...files.keys()].flatMap((path) => path.split('/').map((_, i, parts) => parts.slice(0, i).join('/'))),
  );
  for (const page of pages) {
    const links = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)];
    for (const [, link] of links.filter(([, target]) => !/^[a-z]+:/.test(target!))) {
      const target = normalize(join(dirname(page), link!)).replace(/\/$/, '');
      assert.ok(files.has(target) || folders.has(target) || LEFT_OUT.test(target), `${page} links to ${link}`);
    }
  }
});
