// Takes the pictures of the documentation that show a program at work, from the real one: docs/live.png, the live page in the middle of a
// quickstart, docs/watch.png, the gauge in a network namespace of its own in which ports run out, and docs/watch-all.png, the gauge of a machine with
// five namespaces and a NAT. Needs root, Chromium, ip(8), and script(1) and unshare(1) of util-linux; takes two minutes.
//   npm run example:pictures -- [live | watch | all]
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
    await takeTerminal([], `--pid ${load.pid}`, '118 rows 34', 'watch.png');
  } finally {
    load.kill('SIGKILL');
    await ended;
  }
}

/**
 * Of a terminal of some columns and lines in which the gauge runs for six seconds.
 * @param within what enters the place where it is started @param scale a large picture has fewer dots, since it is installed with the package
 */
async function takeTerminal(within, options, size, name, scale = 1.5) {
  const watch = `stty cols ${size}; exec timeout 6 '${process.execPath}' '${CLI}' watch ${options}`;
  const [program, ...args] = [...within, 'script', '--quiet', '--command', watch, '/dev/null'];
  const { stdout } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, TERM: 'xterm-256color' } });
  // Each table is written over the one before.
  const last = stdout.replaceAll('\r', '').split(UP).at(-1);
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 }, deviceScaleFactor: scale });
  await page.setContent(terminalPage(`bindstorm watch ${options}`, last.trimEnd()));
  await page.locator('main').screenshot({ path: join(root, 'docs', name) });
}

/** By the names of their namespaces: what their ports are full of (test/support/cause-sockets.ts), and a NAT whose 20 ports are all taken. */
const NAMESPACES = {
  checkout: { reason: 'churn', sockets: 1250 },
  billing: { reason: 'close-wait', sockets: 1130 },
  'old-proxy': { reason: 'poisoned', sockets: 1420 },
  search: { reason: 'hot', sockets: 1290 },
  web: { reason: 'healthy', sockets: 120 },
};

/** A machine of its own to look at: processes, mounts and named namespaces that nobody else has. */
async function takeAll() {
  const support = join(root, 'dist', 'test', 'support');
  const starts = Object.entries(NAMESPACES).map(([name, what]) => {
    const input = JSON.stringify({ ...what, range: '40000 41999' });
    return `ip netns add ${name} && ip netns exec ${name} "$0" ${support}/cause-sockets.js '${input}' <&3 &`;
  });
  const nat = `ip netns add gateway && ip netns exec gateway "$0" ${support}/nat-sockets.js hold <&3 &`;
  const shell = ['mount -t tmpfs run /run', 'exec 3<&0', ...starts, nat, 'wait'].join('\n');
  const within = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', shell];
  const machine = spawn(within[0], [...within.slice(1), process.execPath], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(machine, 'exit');
  try {
    let ready = 0;
    machine.stdout.setEncoding('utf8').on('data', (text) => {
      ready += text.split('ready').length - 1;
    });
    for (let left = 600; ready < 1 + Object.keys(NAMESPACES).length; left--) {
      if (left === 0 || machine.exitCode !== null) throw new Error(`only ${ready} namespaces were filled`);
      await sleep(50);
    }
    const init = spawnSync('pgrep', ['-P', String(machine.pid)], { encoding: 'utf8' }).stdout.trim();
    const enter = ['nsenter', '--target', init, '--mount', '--pid', '--'];
    await takeTerminal(enter, '--all --nat 40000-40019', '132 rows 44', 'watch-all.png', 1);
  } finally {
    machine.kill('SIGKILL');
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
  const isWanted = (name) => only === undefined || only === name;
  if (isWanted('live')) await takeLive();
  if (isWanted('watch')) await takeWatch();
  if (isWanted('all')) await takeAll();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
