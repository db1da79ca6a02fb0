// Joins programs and threads into one file, which each of them reads whole and runs in part, with the code that V8 has made of it: a process
// that lives for a second spends a third of it on finding, reading and compiling modules. The file is of the older kind of module, which can
// be given such code (https://nodejs.org/api/vm.html#new-vmscriptcode-options) and whose loader starts sooner.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';

/** Of programs: what they load when their work comes. Runs now, so that its code is made too. */
const LATER = 'later';

/** The package's own files are modules of the newer kind; below a folder with this file they are of the older. */
export const MANIFEST = '{ "type": "commonjs" }\n';
/** Options of esbuild for a module of the older kind. */
export const OLDER_KIND = {
  format: 'cjs',
  // What is not joined is loaded by require(), also late: a script of node:vm has no import().
  supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'ownUrl' },
  banner: { js: "const ownUrl = require('node:url').pathToFileURL(__filename).href;" },
};

/**
 * @param {object} options of esbuild that all bundles have
 * @param {{ source: string, target: string, home: string, entries: Record<string, string>, later: string[] }} what
 *   source: dist/src. target: dist/bundle. home: the folder of the joined file, below target. entries: file to write, below target and without
 *   its ending → module to run, below source. later: modules, below source, that entries import when they need them.
 * @returns what esbuild says of it
 */
export async function joinPrograms(options, { source, target, home, entries, later }) {
  const file = join(target, home, 'joined.js');
  const lazily = (path) => `() => import(${JSON.stringify(`./${path}.js`)})`;
  const programs = Object.entries(entries).map(([name, path]) => `${JSON.stringify(name)}: ${lazily(path)}`);
  const built = await build({
    ...options,
    stdin: {
      contents: `const programs = { ${programs.join(', ')} };
export const start = (name) => void programs[name]();
export const ${LATER} = () => Promise.all([${later.map(lazily).join(', ')}].map((load) => load()));
`,
      resolveDir: source,
    },
    outfile: file,
    ...OLDER_KIND,
  });
  writeFileSync(join(dirname(file), 'run-joined.js'), RUN);
  for (const name of Object.keys(entries)) {
    const path = join(target, `${name}.js`);
    mkdirSync(dirname(path), { recursive: true });
    const run = `./${relative(dirname(path), join(target, home, 'run-joined.js'))}`;
    writeFileSync(path, `'use strict';\nrequire(${JSON.stringify(run)}).start(${JSON.stringify(name)});\n`);
  }
  for (const folder of new Set([home, ...Object.keys(entries)].map((path) => path.split('/')[0])))
    writeFileSync(join(target, folder, 'package.json'), MANIFEST);
  makeCode(file);
  return built;
}

/**
 * A program of its own: V8's code for the file, from a process that has run what programs run at their start, since V8 makes that of a function when
 * it is called. Another version of Node does not take it, and compiles.
 */
function makeCode(file) {
  const { status, stderr } = spawnSync(process.execPath, [join(dirname(file), 'run-joined.js')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`no code could be made of ${file}: ${stderr}`);
}

const RUN = `'use strict';
// Runs the file beside it with the code that V8 has made of it, and makes that when it is the program itself.
const { readFileSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const file = \`\${__dirname}/joined.js\`;
const code = \`\${__dirname}/joined.cache\`;
const source = \`(function (exports, require, module, __filename) {\${readFileSync(file, 'utf8')}\\n})\`;
let cachedData;
try {
  if (require.main !== module) cachedData = readFileSync(code);
} catch {
  // It is compiled, then.
}
const script = new Script(source, { filename: file, cachedData });
const joined = { exports: {} };
script.runInThisContext()(joined.exports, require, joined, file);
module.exports = joined.exports;

if (require.main === module) joined.exports.${LATER}().then(() => writeFileSync(code, script.createCachedData()));
`;
