// Runs the quickstart and keeps its report as the committed example: reports/examples/quickstart/, the summary in README.md, and,
// where Chromium is installed, the picture docs/quickstart-report.png.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const out = mkdtempSync(join(tmpdir(), 'bindstorm-example-'));
const example = join(root, 'reports', 'examples', 'quickstart');
try {
  const run = spawnSync(join(root, 'bindstorm'), ['run', 'quickstart', '--out', out], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (run.status !== 0) throw new Error(`the quickstart ended with ${run.status}`);
  const folder = join(out, readdirSync(out)[0]);
  mkdirSync(example, { recursive: true });
  for (const name of ['report.html', 'report.md']) copyFileSync(join(folder, name), join(example, name));

  const summary = run.stdout.slice(0, run.stdout.indexOf('\nReport: ')).trimEnd();
  const readme = join(root, 'README.md');
  const marked = /(<!-- quickstart-summary -->\n```\n)[\s\S]*?(```\n<!-- \/quickstart-summary -->)/;
  writeFileSync(
    readme,
    readFileSync(readme, 'utf8').replace(marked, (_, before, after) => `${before}${summary}\n${after}`),
  );

  const picture = spawnSync(
    'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--window-size=1280,1180',
      `--screenshot=${join(root, 'docs', 'quickstart-report.png')}`,
      `file://${join(example, 'report.html')}`,
    ],
    { stdio: 'ignore' },
  );
  if (picture.error) console.error('no chromium on the PATH: docs/quickstart-report.png is as it was');
} finally {
  rmSync(out, { recursive: true, force: true });
}
