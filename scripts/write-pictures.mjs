// Takes the pictures of the documentation that show a program at work, from the real one: docs/live.png, the live page in the middle of a
// quickstart, and docs/watch.png, the gauge in a network namespace of its own in which ports run out. Needs root, Chromium, and script(1)
// and unshare(1) of util-linux; takes two minutes.
//   npm run example:pictures -- [live | watch]
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const CLI = join(root, 'dist', 'bundle', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'bindstorm-pictures-'));
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-sync'],
});
/** After two blocks, while a run is made: arms that are settled get no more, so that no certain run may be waited for. */
async function takeLive() {
  const args = [CLI, 'run', 'quickstart', '--live', '--quiet', '--out', folder];
  const run = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = once(run, 'exit');
  try {
    let said = '';
    run.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    while (!/^live: \S+$/m.test(said)) await sleep(50);
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    await page.goto(/^live: (\S+)$/m.exec(said)[1]);
    const isDue = `parseInt(document.querySelector('#counts').textContent) >= 16 && document.querySelector('#rate').textContent !== '–'`;
    for (let left = 15_000; !(await page.evaluate(isDue)); left--) {
      if (left === 0) throw new Error('the live page showed no run after two blocks within five minutes');
      await sleep(20);
    }
    await page.screenshot({ path: join(root, 'docs', 'live.png'), fullPage: true });
  } finally {
    run.kill('SIGINT');
    await ended;
  }
}

/** In the namespace: a server, and clients that close first, on five addresses at different rates. */
const LOAD = `
import net from 'node:net';
import { writeFileSync } from 'node:fs';
writeFileSync('/proc/sys/net/ipv4/ip_local_port_range', '40000 41999');
const server = net.createServer((socket) => socket.on('error', () => {}).resume()).listen(443, '10.0.0.1');
for (const [i, rate] of [34, 28, 16, 7, 2].entries())
  setInterval(() => {
    const socket = net.connect({ port: 443, host: '10.0.0.1', localAddress: '10.0.0.' + (11 + i) });
    socket.on('error', () => {}).on('connect', () => setTimeout(() => socket.end(), i === 3 ? 20_000 : 50));
  }, 1000 / rate);
`;

async function takeWatch() {
  const addresses = [1, 11, 12, 13, 14, 15].map((last) => `ip addr add 10.0.0.${last}/24 dev lo`).join(' && ');
  const shell = `ip link set lo up && ${addresses} && exec "$0" --input-type=module -e "$1"`;
  const load = spawn('unshare', ['--net', 'sh', '-c', shell, process.execPath, LOAD], { stdio: 'inherit' });
  const ended = once(load, 'exit');
  try {
    await sleep(50_000);
    const watch = `stty cols 118 rows 30; timeout 6 '${process.execPath}' '${CLI}' watch --pid ${load.pid}`;
    const { stdout } = spawnSync('script', ['--quiet', '--command', watch, '/dev/null'], {
      encoding: 'utf8',
      env: { ...process.env, TERM: 'xterm-256color' },
    });
    // Each table is written over the one before.
    const last = stdout.replaceAll('\r', '').split(UP).at(-1);
    const page = await browser.newPage({ viewport: { width: 1040, height: 600 }, deviceScaleFactor: 1.5 });
    await page.setContent(terminalPage(`bindstorm watch --pid ${load.pid}`, last.trimEnd()));
    await page.locator('main').screenshot({ path: join(root, 'docs', 'watch.png') });
  } finally {
    load.kill('SIGKILL');
    await ended;
  }
}

const [UP, COLOUR, OTHER] = ['\\d+A', '(\\d+)m', '[\\d;?]*[A-Za-z]'].map((rest) => new RegExp(`\u001b\\[${rest}`, 'g'));
const STYLES = {
  1: 'font-weight:700',
  2: 'opacity:.65',
  31: 'color:#ff7b72',
  32: 'color:#7ee787',
  33: 'color:#e3b341',
};

/** What a terminal shows, with the colours that the gauge uses (ECMA-48, SGR). */
function terminalPage(command, text) {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const body = escaped
    .replaceAll(COLOUR, (_, code) => (code in STYLES ? `<span style="${STYLES[code]}">` : '</span>'))
    .replaceAll(OTHER, '');
  return `<!doctype html><meta charset="utf-8"><style>body{margin:0;background:#fff}main{display:inline-block;background:#0d1117;color:#e6edf3;padding:18px 22px;border-radius:8px;font:14px/1.4 "DejaVu Sans Mono",monospace}pre{margin:0;font:inherit}b{color:#7d8590;font-weight:400}</style><main><pre><b>$</b> ${command}\n${body}</pre></main>`;
}

try {
  const [only] = process.argv.slice(2);
  if (only !== 'watch') await takeLive();
  if (only !== 'live') await takeWatch();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
