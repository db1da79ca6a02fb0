// Runs profiles and keeps their reports as the committed examples, reports/examples/<profile>/; the quickstart's also as the summary in
// README.md and the picture docs/quickstart-report.png. Names of profiles as arguments make only these.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const EXAMPLES = ['quickstart', 'headline', 'squid-2014', 'tor-2012'];
/** What is kept of a result folder; the rest is large. */
const KEPT = ['report.html', 'report.md', 'summary.md', 'junit.xml', 'charts', 'apply'];
const wanted = process.argv.slice(2);

for (const profile of wanted.length > 0 ? wanted : EXAMPLES) await make(profile);

async function make(profile) {
  const out = mkdtempSync(join(tmpdir(), 'bindstorm-example-'));
  const example = join(root, 'reports', 'examples', profile);
  try {
    const cli = join(root, 'dist', 'bundle', 'cli', 'main.js');
    const run = spawnSync(process.execPath, [cli, 'run', profile, '--out', out], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // 1: a threshold of the profile was not met, which may be its point.
    if (run.status !== 0 && run.status !== 1) throw new Error(`${profile} ended with ${run.status}`);
    const folder = join(out, readdirSync(out)[0]);
    rmSync(example, { recursive: true, force: true });
    mkdirSync(example, { recursive: true });
    for (const name of KEPT) {
      if (existsSync(join(folder, name))) cpSync(join(folder, name), join(example, name), { recursive: true });
    }
    if (profile === 'quickstart') {
      keepSummary(run.stdout.slice(0, run.stdout.indexOf('\nReport: ')).trimEnd());
      await takePicture(join(example, 'report.html'));
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
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
