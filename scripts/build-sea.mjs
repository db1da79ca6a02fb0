// Makes one file that runs without Node installed: this machine's Node, a script that unpacks the files of the package (src/single-file.ts), and those
// files as an asset. Node's single executable application: https://nodejs.org/api/single-executable-applications.html
//   npm run build:sea [-- FILE]     dist/sea/bindstorm unless FILE is given
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { filesOfSingleFile } from './package-files.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const ready = join(root, 'dist', 'sea');
const target = resolve(process.argv[2] ?? join(ready, 'bindstorm'));
/** Where Node looks for the script (node.cc, postject_find_resource; the sentinel is in the documentation). */
const RESOURCE = 'NODE_SEA_BLOB';
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

const [major, minor] = process.versions.node.split('.').map(Number);
/** Assets have been there since 20.12; what is older cannot make it. */
if (major < 20 || (major === 20 && minor < 12)) {
  console.error(`a single file needs Node.js 20.12 or newer to be made; found ${process.versions.node}`);
  process.exit(2);
}
/** Since 25.5 Node joins the parts itself. */
const joinsItself = major > 25 || (major === 25 && minor >= 5);

mkdirSync(ready, { recursive: true });
mkdirSync(dirname(target), { recursive: true });
// Two builds at once, as of two tests, each have a folder; what is whole gets its name.
const work = mkdtempSync(join(ready, 'work-'));
const output = join(work, 'bindstorm');
const { pack } = await import('../dist/src/machine/unpack.js');
const archive = pack(filesOfSingleFile().map(({ path, from }) => ({ path, bytes: readFileSync(from) })));
const [files, key] = [join(work, 'files.gz'), join(work, 'key')];
writeFileSync(files, archive);
writeFileSync(key, createHash('sha256').update(archive).digest('hex').slice(0, 32));

const main = join(work, 'main.cjs');
await build({
  entryPoints: [join(root, 'dist', 'src', 'single-file.js')],
  outfile: main,
  bundle: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
});

/** Symbols for debuggers are a sixth of Node; the dynamic ones, which add-ons need, stay. */
const node = join(work, 'node');
copyFileSync(realpathSync(process.execPath), node);
spawnSync('strip', ['--strip-unneeded', node]);
const config = join(work, 'config.json');
const blob = join(work, 'blob');
writeFileSync(
  config,
  JSON.stringify({
    main,
    output: joinsItself ? output : blob,
    ...(joinsItself ? { executable: node } : {}),
    disableExperimentalSEAWarning: true,
    assets: { files, key },
  }),
);
if (joinsItself) execFileSync(node, ['--build-sea', config], { stdio: 'inherit' });
else {
  execFileSync(node, ['--experimental-sea-config', config], { stdio: ['ignore', 'ignore', 'inherit'] });
  copyFileSync(node, output);
  const { inject } = await import('postject');
  await inject(output, RESOURCE, readFileSync(blob), { sentinelFuse: FUSE });
}
chmodSync(output, 0o755);
renameSync(key, join(ready, 'key'));
renameSync(output, target);
rmSync(work, { recursive: true });
console.log(target);
