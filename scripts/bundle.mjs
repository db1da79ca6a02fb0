// Joins dist/src and the packages that it imports into dist/bundle: a few files in place of some seven hundred modules, for most of
// the time that a short-lived process of Node takes to start is spent on finding and reading modules; an agent is started for every
// run, and in a guest every file costs more. What the compiler wrote stays beside it for the tests, which import single modules.
import { readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';

/** What is started by its path: the command line alone, and in a folder of its own, for no guest needs it; the rest together. */
const BUNDLES = [
  { entries: { 'cli/main': 'cli' }, shared: 'cli/[name]-[hash]' },
  {
    entries: {
      'agent/entry': 'agent/entry',
      'agent/guest-init': 'agent/guest-init',
      'agent/roles/neighbour': 'agent/roles/neighbour',
      'agent/roles/origin': 'agent/roles/origin',
      'agent/roles/proxy-role': 'agent/roles/proxy-role',
      'load/origin/threads': 'load/origin/threads',
      'load/worker': 'load/worker',
      'subjects/what-if/exec': 'subjects/what-if/exec',
      'subjects/what-if/supervisor': 'subjects/what-if/supervisor',
    },
    shared: 'shared/[name]-[hash]',
  },
];
/** Have a native part, which they look for beside themselves. */
const APART = ['koffi', '@resvg/resvg-js'];

/** @param {string} root the checkout. Rejects when a module cannot be found. */
export async function bundle(root) {
  const source = join(root, 'dist', 'src');
  const target = join(root, 'dist', 'bundle');
  rmSync(target, { recursive: true, force: true });
  for (const { entries, shared } of BUNDLES)
    await build({
      entryPoints: Object.entries(entries).map(([out, path]) => ({ out, in: join(source, `${path}.js`) })),
      outdir: target,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: APART,
      chunkNames: shared,
      // Of packages written for require(), which a module of the standard kind does not have.
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
      },
      legalComments: 'inline',
      logLevel: 'warning',
      plugins: [ownPlace(source), oneLanguage],
    });
  // The script of the live page, which runs in a browser.
  await build({
    entryPoints: [join(source, 'report', 'live', 'client.js')],
    outfile: join(target, 'live', 'client.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'inline',
    logLevel: 'warning',
  });
}

/**
 * A module that names a file beside itself means a place, which is another once it has been joined to others: the module's own place in
 * dist/bundle, where its entry points lie as the modules do in dist/src.
 */
function ownPlace(source) {
  return {
    name: 'own-place',
    setup(builder) {
      builder.onLoad({ filter: /\.js$/ }, ({ path }) => {
        const place = relative(source, path);
        if (place.startsWith('..')) return undefined;
        const text = readFileSync(path, 'utf8');
        return {
          contents: text.replaceAll(
            'import.meta.url',
            `new URL(${JSON.stringify(place)}, import.meta.url.replace(/^(.*\\/dist\\/bundle\\/).*$/, '$1')).href`,
          ),
          loader: 'js',
        };
      });
    },
  };
}

/** zod's messages in some fifty languages, of which English is in use. */
const oneLanguage = {
  name: 'one-language',
  setup(builder) {
    builder.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';\n",
      loader: 'js',
    }));
  },
};
