// Keeps a league table of fixes as the committed example: reports/examples/fixes/, and, where Chromium is installed, the picture
// docs/fixes.png. Its argument is the folder of a run; without one the whole table is made first, which takes about eleven minutes on a
// machine that has nothing else to do. An interrupted one is resumed: its folder, which is said, is the argument of --resume:
//   npm run example:fixes
//   npm run example:fixes -- --resume FOLDER
//   npm run example:fixes -- FOLDER
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderFixes, renderFixesHtml } from '../dist/src/report/fixes.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const example = join(root, 'reports', 'examples', 'fixes');
const WHOLE = [
  'fixes',
  ...['--kernels', 'bullseye,bookworm,trixie,sid'],
  ...['--strategies', 'bind,bind-no-port,bind-reuseaddr,connect'],
  ...['--subjects', 'squid,haproxy,nginx,dante'],
];
const [first, resumed] = process.argv.slice(2);
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

const report = JSON.parse(readFileSync(join(folder, 'fixes.json'), 'utf8'));
rmSync(example, { recursive: true, force: true });
mkdirSync(example, { recursive: true });
cpSync(join(folder, 'runs'), join(example, 'runs'), { recursive: true });
cpSync(join(folder, 'fixes.json'), join(example, 'fixes.json'));
writeFileSync(join(example, 'README.md'), renderFixes(report));
writeFileSync(join(example, 'fixes.html'), renderFixesHtml(report));

// Each column is seen: the names of the fixes, and as much for each program and kernel as its widest word takes.
const width = Math.min(1900, 700 + 50 * report.tables.length);
const picture = spawnSync(
  'chromium',
  [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--hide-scrollbars',
    `--window-size=${width},1240`,
    `--screenshot=${join(root, 'docs', 'fixes.png')}`,
    `file://${join(example, 'fixes.html')}`,
  ],
  { stdio: 'ignore' },
);
if (picture.error) console.error('no chromium on the PATH: docs/fixes.png is as it was');
