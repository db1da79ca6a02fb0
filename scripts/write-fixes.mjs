// Keeps a league table of fixes as the committed example: reports/examples/fixes/, and, where Chromium is installed, the picture
// docs/fixes.png. Its argument is the folder of a run; without one the whole table is made first, which takes about eleven minutes on a
// machine that has nothing else to do. An interrupted one is resumed: its folder, which is said, is the argument of --resume:
//   npm run example:fixes
//   npm run example:fixes -- --resume FOLDER
//   npm run example:fixes -- FOLDER
// The table of a NAT, which takes half an hour in guests without KVM, is kept as reports/examples/fixes-nat/. Cells that were made again, since their
// fix is another one now, are taken from the folders of these runs:
//   bindstorm fixes --subjects nat --kernels bullseye,bookworm,trixie,sid
//   npm run example:fixes -- FOLDER [LATER…]
// So is the column of a kernel that no archive has, which takes an image (docs/old-kernels.md); FOLDER may be the one that is kept:
//   bindstorm fixes --no-host --kernels boot/vmlinuz-4.9.154 --strategies bind,bind-no-port,bind-reuseaddr,connect
//   npm run example:fixes -- reports/examples/fixes LATER
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderFixes, renderFixesHtml } from '../dist/src/report/fixes.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const WHOLE = [
  'fixes',
  ...['--kernels', 'bullseye,bookworm,trixie,sid'],
  ...['--strategies', 'bind,bind-no-port,bind-reuseaddr,connect'],
  ...['--subjects', 'squid,haproxy,nginx,dante'],
];
const [first, ...more] = process.argv.slice(2);
const [resumed] = more;
const folder = first === undefined ? make() : first === '--resume' ? make(resumed) : first;

function make(before) {
  const out = before ? dirname(before) : mkdtempSync(join(tmpdir(), 'bindstorm-fixes-'));
  const args = before ? ['fixes', '--resume', before] : [...WHOLE, '--out', out];
  const { status } = spawnSync(join(root, 'bindstorm'), args, { cwd: root, stdio: 'inherit' });
  const made = before ?? join(out, readdirSync(out)[0]);
  if (status !== 0)
    throw new Error(`bindstorm fixes ended with ${status}; resume with: npm run example:fixes -- --resume ${made}`);
  return made;
}

const report = reportIn(folder);
const isNat = report.tables.every(({ subject }) => subject?.kind === 'nat');
const example = join(root, 'reports', 'examples', isNat ? 'fixes-nat' : 'fixes');
if (resolve(folder) !== example) {
  rmSync(example, { recursive: true, force: true });
  mkdirSync(example, { recursive: true });
  cpSync(join(folder, 'runs'), join(example, 'runs'), { recursive: true });
}
if (first !== '--resume') for (const later of more) putAgain(later, `runs/again-${timesAgain() + 1}`);
writeFileSync(join(example, 'fixes.json'), JSON.stringify(report));
writeFileSync(join(example, 'README.md'), renderFixes(report));
writeFileSync(join(example, 'fixes.html'), renderFixesHtml(report));
if (!isNat) takePicture();

function reportIn(from) {
  return JSON.parse(readFileSync(join(from, 'fixes.json'), 'utf8'));
}

/** How often runs were put beside the first's. */
function timesAgain() {
  return readdirSync(join(example, 'runs')).filter((name) => name.startsWith('again-')).length;
}

/** The cells of a later run, with their fixes as they were then, in the places of the first's; a kernel that the first has not is one more column. */
function putAgain(from, runs) {
  const later = reportIn(from);
  cpSync(join(from, 'runs'), join(example, runs), { recursive: true });
  const moved = (cell) => (cell.run ? { ...cell, run: cell.run.replace(/^runs/, runs) } : cell);
  for (const { baseline, cells, ...of } of later.tables) {
    const name = JSON.stringify([of.kernel.name, of.strategy, of.subject?.kind]);
    let table = report.tables.find(
      ({ kernel, strategy, subject }) => JSON.stringify([kernel.name, strategy, subject?.kind]) === name,
    );
    if (table === undefined) {
      table = { ...of, baseline: moved(baseline), cells: {} };
      report.tables.push(table);
    }
    for (const [fix, cell] of Object.entries(cells)) table.cells[fix] = moved(cell);
  }
  report.fixes = report.fixes.map((fix) => later.fixes.find(({ name }) => name === fix.name) ?? fix);
  report.command = `${report.command}; ${later.command}`;
  report.finishedAt = later.finishedAt;
}

function takePicture() {
  // Each column is seen: the names of the fixes, and as much for each program and kernel as its widest word takes.
  const width = Math.min(2000, 700 + 50 * report.tables.length);
  const picture = spawnSync(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      `--window-size=${width},1320`,
      `--screenshot=${join(root, 'docs', 'fixes.png')}`,
      `file://${join(example, 'fixes.html')}`,
    ],
    { stdio: 'ignore' },
  );
  if (picture.error) console.error('no chromium on the PATH: docs/fixes.png is as it was');
}
