// Makes a Debian package of the single file with Debian's own tools (dpkg-dev): control data from package.json, dependencies by dpkg-shlibdeps. It
// depends on the C and C++ libraries alone: Debian 12 has no Node.js that is new enough, and who looks at ports at night wants to install one package.
//   npm run build:deb [-- --quick]    into dist/deb; prints the path of the package. --quick: larger, and made in a third of the time
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { filesOfSingleFile, licences } from './package-files.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const output = join(root, 'dist', 'deb');
const compression = process.argv.includes('--quick') ? ['-Zgzip', '-z1'] : ['-Zxz'];
const { name, version, description, keywords } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
/** Nobody maintains it in Debian, and no address is known of the project. */
const MAINTAINER = `${name} developers <${name}@${name}.invalid>`;

const stage = join(output, 'stage');
const run = (program, ...args) => execFileSync(program, args, { cwd: output, encoding: 'utf8' }).trim();
rmSync(stage, { recursive: true, force: true });
mkdirSync(stage, { recursive: true });

/** A file of the package. */
function put(path, content, mode = 0o644) {
  const target = join(stage, path);
  mkdirSync(dirname(target), { recursive: true });
  if (typeof content === 'string' || Buffer.isBuffer(content)) writeFileSync(target, content);
  else copyFileSync(content.from, target);
  chmodSync(target, mode);
}
/** As `gzip -9n`: without a name and a time, so that the same input makes the same package. */
const zipped = (text) => gzipSync(text, { level: 9 });

const single = run(process.execPath, join(root, 'scripts', 'build-sea.mjs'));
const library = `usr/lib/${name}`;
put(`${library}/${name}`, { from: single }, 0o755);
// Unpacked already, so that nothing is unpacked into a home when it is started (src/machine/unpack.ts).
for (const { path, from } of filesOfSingleFile()) {
  const text = readFileSync(from);
  // Node, which the first line of a module names, is not there.
  if (text.subarray(0, 2).toString() !== '#!') put(`${library}/files/${path}`, text);
  else if (path.endsWith('.js')) put(`${library}/files/${path}`, text.subarray(text.indexOf('\n') + 1));
  else put(`${library}/files/${path}`, text, 0o755);
}
put(`${library}/files/.key`, readFileSync(join(root, 'dist', 'sea', 'key')));
// Symbols for debuggers.
for (const file of readdirSync(join(stage, library), { recursive: true }).filter((path) => path.endsWith('.node')))
  run('strip', '--strip-unneeded', join(stage, library, file));
mkdirSync(join(stage, 'usr/bin'), { recursive: true });
symlinkSync(`../lib/${name}/${name}`, join(stage, 'usr/bin', name));

const documents = `usr/share/doc/${name}`;
put(`${documents}/changelog.gz`, zipped(readFileSync(join(root, 'CHANGELOG.md'))));
put(`${documents}/changelog.Debian.gz`, zipped(changelog()));
put(`${documents}/copyright`, copyright());
put(`${documents}/licences.txt.gz`, zipped(licenceTexts()));
put(`usr/share/man/man1/${name}.1.gz`, zipped(readFileSync(join(root, 'dist/bundle/man', `${name}.1`))));
for (const [shell, path] of [
  ['bash', `bash-completion/completions/${name}`],
  ['zsh', `zsh/vendor-completions/_${name}`],
  ['fish', `fish/vendor_completions.d/${name}.fish`],
])
  put(`usr/share/${path}`, `${run(process.execPath, join(root, 'dist/bundle/cli/main.js'), 'completion', shell)}\n`);
put(`usr/share/lintian/overrides/${name}`, overrides());

const architecture = run('dpkg', '--print-architecture');
put('DEBIAN/control', control());
put('DEBIAN/md5sums', sums());
for (const folder of [stage, ...readdirSync(stage, { recursive: true }).map((path) => join(stage, path))])
  if (lstatSync(folder).isDirectory()) chmodSync(folder, 0o755);
const file = join(output, `${name}_${version}-1_${architecture}.deb`);
run('dpkg-deb', '--root-owner-group', ...compression, '--build', stage, file);
console.log(file);

/** deb-control(5). The kernel's part, namespaces, is asked for by `doctor`. */
function control() {
  const bytes = files().reduce((sum, path) => sum + lstatSync(path).size, 0);
  return [
    `Package: ${name}`,
    `Version: ${version}-1`,
    `Architecture: ${architecture}`,
    `Maintainer: ${MAINTAINER}`,
    `Installed-Size: ${Math.ceil(bytes / 1024)}`,
    `Depends: ${dependencies()}`,
    'Recommends: bpftrace',
    'Suggests: squid, haproxy, nginx, tor',
    'Section: net',
    'Priority: optional',
    'Description: measures and reproduces outbound port exhaustion on Linux',
    ...folded(`${description}. It has Node.js within it.`),
    ' .',
    ...folded(`It knows of ${keywords.join(', ')}.`),
    '',
  ].join('\n');
}

/** Lines of the long description. */
function folded(text) {
  return text.match(/.{1,76}(?:\s|$)/g).map((line) => ` ${line.trim()}`);
}

function dependencies() {
  mkdirSync(join(output, 'debian'), { recursive: true });
  writeFileSync(join(output, 'debian/control'), `Source: ${name}\n\nPackage: ${name}\nArchitecture: any\n`);
  const programs = files().filter((path) => path.endsWith('.node') || path.endsWith(`${library}/${name}`));
  const found = run('dpkg-shlibdeps', '-O', '--ignore-missing-info', ...programs.map((path) => `-e${path}`));
  return found.replace('shlibs:Depends=', '');
}

function files() {
  return readdirSync(stage, { recursive: true })
    .map((path) => join(stage, path))
    .filter((path) => !path.startsWith(join(stage, 'DEBIAN')) && lstatSync(path).isFile());
}

function sums() {
  const paths = files().map((path) => path.slice(stage.length + 1));
  return `${execFileSync('md5sum', paths.sort(), { cwd: stage, encoding: 'utf8' })}`;
}

function changelog() {
  const at = process.env.SOURCE_DATE_EPOCH
    ? ['-d', `@${process.env.SOURCE_DATE_EPOCH}`]
    : ['-r', join(root, 'package.json')];
  const date = execFileSync('date', ['-R', '-u', ...at], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  }).trim();
  return `${name} (${version}-1) unstable; urgency=medium

  * Made from the sources of version ${version}; what is new is in changelog.gz.

 -- ${MAINTAINER}  ${date}
`;
}

/** In the form of DEP 5 (copyright-format 1.0). */
function copyright() {
  const [, , holders] = readFileSync(join(root, 'LICENSE'), 'utf8').split('\n');
  const text = readFileSync(join(root, 'LICENSE'), 'utf8').split('\n').slice(4);
  return `Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: ${name}
Comment: The program contains Node.js, its libraries, and packages of npm. Their
 licences are in /usr/share/doc/${name}/licences.txt.gz.

Files: *
Copyright: ${holders.replace('Copyright (c) ', '')}
License: Expat
${text
  .map((line) => ` ${line || '.'}`)
  .join('\n')
  .replace(/(?: \.\n?)+$/, '')}
`;
}

/** Of Node, and of what is joined to the program or lies beside it. */
function licenceTexts() {
  const texts = licences().map(({ path, from }) => `${path}\n\n${readFileSync(from, 'utf8')}`);
  return [...texts, readFileSync(join(root, 'dist/bundle/LICENSES.txt'), 'utf8')].join('\n\n');
}

/** What lintian(1) is told, each with the reason. */
function overrides() {
  return [
    '# Node.js is linked as its project does it, at a fixed address and with its libraries in it.',
    `${name}: hardening-no-pie`,
    `${name}: embedded-library`,
    '# It is not in the archive of Debian.',
    `${name}: initial-upload-closes-no-bugs`,
    '',
  ].join('\n');
}
