// Runs profiles and keeps their reports as the committed examples, reports/examples/<profile>/; the quickstart's also as the summary in
// README.md and the picture docs/quickstart-report.png. Names of profiles as arguments make only these. With result folders nothing is run:
// their reports are written again and kept.
//   npm run example -- quickstart
//   npm run example -- --render FOLDER...
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const EXAMPLES = ['quickstart', 'headline', 'squid-2014', 'tor-2012'];
/** What is kept of a result folder, beside the results, which are compressed; the rest is large. */
const KEPT = ['report.html', 'report.md', 'summary.md', 'junit.xml', 'charts', 'apply', 'configuration'];
const CLI = join(root, 'dist', 'bundle', 'cli', 'main.js');
const [first, ...more] = process.argv.slice(2);

if (first === '--render') for (const folder of more) await keep(folder, cli(['report', folder]), '\nWritten: ');
else for (const profile of first ? [first, ...more] : EXAMPLES) await make(profile);

function cli(args) {
  const { status, stdout } = spawnSync(process.execPath, [CLI, ...args], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // 1: a threshold of the profile was not met, which may be its point.
  if (status !== 0 && status !== 1) throw new Error(`bindstorm ${args.join(' ')} ended with ${status}`);
  return stdout;
}

async function make(profile) {
  const out = mkdtempSync(join(tmpdir(), 'bindstorm-example-'));
  try {
    const stdout = cli(['run', profile, '--out', out]);
    await keep(join(out, readdirSync(out)[0]), stdout, '\nReport: ');
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** @param end what follows the summary in the output of the command */
async function keep(folder, stdout, end) {
  const { name } = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')).experiment;
  const example = join(root, 'reports', 'examples', name);
  rmSync(example, { recursive: true, force: true });
  mkdirSync(example, { recursive: true });
  for (const part of KEPT) {
    if (existsSync(join(folder, part))) cpSync(join(folder, part), join(example, part), { recursive: true });
  }
  writeFileSync(join(example, 'results.json.gz'), gzipSync(readFileSync(join(folder, 'results.json')), { level: 9 }));
  if (name !== 'quickstart') return;
  keepSummary(stdout.slice(0, stdout.indexOf(end)).trimEnd());
  await takePicture(join(example, 'report.html'));
}

function keepSummary(summary) {
  const readme = join(root, 'README.md');
  const marked = /(<!-- quickstart-summary -->\n```\n)[\s\S]*?(```\n<!-- \/quickstart-summary -->)/;
  writeFileSync(
    readme,
    readFileSync(readme, 'utf8').replace(marked, (_, before, after) => `${before}${summary}\n${after}`),
  );
}

/** The table of variants and the effect of each. */
async function takePicture(report) {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
  });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(pathToFileURL(report).href);
    const [first, last] = await Promise.all(['#variants', '#effect'].map((id) => page.locator(id).boundingBox()));
    const clip = { x: 0, y: first.y, width: 1280, height: last.y + last.height - first.y };
    await page.screenshot({ path: join(root, 'docs', 'quickstart-report.png'), fullPage: true, clip });
  } finally {
    await browser.close();
  }
}
