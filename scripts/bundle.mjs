// Joins dist/src and the packages that it imports into dist/bundle: a few files in place of some seven hundred modules, for most of
// the time that a short-lived process of Node takes to start is spent on finding and reading modules; an agent is started for every
// run, and in a guest every file costs more. What the compiler wrote stays beside it for the tests, which import single modules.
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { joinPrograms, MANIFEST, OLDER_KIND } from './joined.mjs';

/**
 * The command line with `watch`, which a health check starts every few seconds: one file, and of the older kind of module, whose loader starts sooner
 * and reads a module of Node when it is called for and not before.
 */
const MAIN = { 'cli/main': 'cli' };
/** All commands, which that file imports by this path; no guest needs them. */
const COMMANDS = 'commands/every-command';
/** What is joined, each in a file with the code that V8 has made of it: the commands, and what is started by its path for each run or in a guest. */
const JOINED = [
  { home: 'commands', entries: { [COMMANDS]: COMMANDS }, later: ['commands/all', 'commands/run-program'] },
  {
    home: 'shared',
    entries: {
      'agent/entry': 'agent/entry',
      'agent/guest-init': 'agent/guest-init',
      'agent/roles/neighbour': 'agent/roles/neighbour',
      'agent/roles/origin': 'agent/roles/origin',
      'agent/roles/proxy-role': 'agent/roles/proxy-role',
      'agent/roles/router-role': 'agent/roles/router-role',
      'load/origin/threads': 'load/origin/threads',
      'load/worker': 'load/worker',
      'subjects/what-if/exec': 'subjects/what-if/exec',
      'subjects/what-if/supervisor': 'subjects/what-if/supervisor',
    },
    later: ['agent/main', 'agent/roles/serve', 'load/socket/engine-socket', 'load/origin/threads'],
  },
];
/** Have a native part, which they look for beside themselves. */
const APART = ['koffi', '@resvg/resvg-js'];

/** Of the PNG charts: a bare server has none. */
const FONTS = 'node_modules/@expo-google-fonts/pt-sans';
const FONT_FILES = ['400Regular/PTSans_400Regular.ttf', '700Bold/PTSans_700Bold.ttf'];

/** @param {string} root the checkout. Rejects when a module cannot be found. */
export async function bundle(root) {
  const source = join(root, 'dist', 'src');
  const target = join(root, 'dist', 'bundle');
  const common = {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    legalComments: 'inline',
    logLevel: 'warning',
    metafile: true,
    // Names stay, for the stack of a fault; blanks and comments are a quarter of the package.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
  };
  const forNode = { ...common, platform: 'node', target: 'node20', external: APART };
  rmSync(target, { recursive: true, force: true });
  const built = [
    await build({
      ...forNode,
      ...OLDER_KIND,
      entryPoints: Object.entries(MAIN).map(([out, path]) => ({ out, in: join(source, `${path}.js`) })),
      outdir: target,
      plugins: [ownPlace(source), commandsApart, noSubprograms],
    }),
  ];
  writeFileSync(join(target, 'cli', 'package.json'), MANIFEST);
  for (const joined of JOINED)
    built.push(
      await joinPrograms({ ...forNode, plugins: [ownPlace(source), oneLanguage] }, { source, target, ...joined }),
    );
  // The script of the live page, which runs in a browser.
  built.push(
    await build({
      ...common,
      entryPoints: [join(source, 'report', 'live', 'client.js')],
      outfile: join(target, 'live', 'client.js'),
      minify: true,
      platform: 'browser',
      target: 'es2022',
    }),
  );
  // By it a guest imports a module of either kind (src/agent/guest-init.ts): what is joined has require() alone.
  writeFileSync(join(target, 'shared', 'start.cjs'), 'module.exports = (url) => import(url);\n');
  for (const file of FONT_FILES) cpSync(join(root, FONTS, file), join(target, 'fonts', file));
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const folders = inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(path) ?? []);
  const licenses = [...new Set([FONTS, ...folders])].sort().map((folder) => licenseOf(join(root, folder)));
  writeFileSync(join(target, 'LICENSES.txt'), licenses.join('\n'));
}

/** What a licence wants to be kept with what was joined: whoever installs the package has no folder of its packages. */
function licenseOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder, { recursive: true }).filter((file) =>
    /^(?:licen[cs]e|licenses\/|notice|copying)/i.test(file),
  );
  const texts = files
    .filter((file) => statSync(join(folder, file)).isFile())
    .map((file) => readFileSync(join(folder, file), 'utf8'));
  return [`${name} ${version}, ${license}`, ...texts].join('\n\n');
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

/** What has every command is a file of its own. */
const commandsApart = {
  name: 'commands-apart',
  setup(builder) {
    builder.onResolve({ filter: /\/every-command\.js$/ }, () => ({ path: `../${COMMANDS}.js`, external: true }));
  },
};

/** commander loads what starts programs, for commands that are programs of their own, of which there are none here. */
const noSubprograms = {
  name: 'no-subprograms',
  setup(builder) {
    builder.onLoad({ filter: /\/commander\/lib\/command\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const late = text.replace(/^const childProcess = require\('node:child_process'\);$/m, '');
      if (late === text) throw new Error('commander is another: see what it loads child_process for');
      return { contents: late.replaceAll('childProcess.', "require('node:child_process')."), loader: 'js' };
    });
  },
};
