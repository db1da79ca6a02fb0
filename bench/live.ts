/**
 * `npm run bench:live`: what a live page that is open, and a scrape of `/metrics` every second, add to the CPU time of a run.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../bundle/cli/main.js', import.meta.url));
const ROUNDS = 3;
const RATE = 10_000;
const PROFILE = `name: live-cost
addresses: { cidr: 10.50.0.0/24, count: 16 }
destinations: { addresses: 4, ports: 4 }
load: { strategy: bind-no-port, arrival: { shape: constant, rate: ${RATE}/s, duration: 10s }, lagBudget: 10s }
sysctls: { net.ipv4.ip_local_port_range: 1024 65535, net.ipv4.tcp_max_tw_buckets: 1000000 }
variants: [{ name: same, description: the baseline once more, sysctls: { net.ipv4.tcp_fin_timeout: 59 } }]
repeat: 1
warmup: 0
`;
/** Says the CPU time of the process, and of its children that have ended, in clock ticks of 10 ms (proc(5)), when it ends. */
const TICKS =
  'data:text/javascript,import{readFileSync}from"node:fs";process.on("exit",()=>{const f=readFileSync("/proc/self/stat","utf8").split(") ")[1].split(" ").map(Number);console.error("ticks",f[11]+f[12],f[13]+f[14])})';

interface Cost {
  /** Seconds of CPU: of the controller, and of the labs. */
  readonly controller: number;
  readonly labs: number;
}

async function measure(folder: string, live: boolean): Promise<Cost> {
  const options = ['run', 'profile.yaml', '--force', '--out', 'reports', ...(live ? ['--live'] : [])];
  const child = spawn(process.execPath, ['--import', TICKS, CLI, ...options], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  let stop = () => {};
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    const before = text;
    text += chunk;
    const url = /^live: (http:\S+)$/m.exec(text)?.[1];
    if (url && !/^live: http:\S+$/m.test(before)) stop = watch(url);
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  stop();
  const ticks = /^ticks (\d+) (\d+)$/m.exec(text);
  if (code !== 0 || !ticks) throw new Error(`bindstorm run ended with ${code}: ${text}`);
  return { controller: Number(ticks[1]) / 100, labs: Number(ticks[2]) / 100 };
}

/** What a browser that shows the page does, but for the drawing, and a Prometheus beside it. */
function watch(url: string): () => void {
  const get = (path: string) => {
    const asked = request(new URL(path, url), (response) => response.resume());
    asked.on('error', () => {});
    asked.end();
    return asked;
  };
  const events = get('events');
  const scrapes = setInterval(() => get('metrics'), 1000);
  return () => {
    clearInterval(scrapes);
    events.destroy();
  };
}

const folder = mkdtempSync(join(tmpdir(), 'bindstorm-bench-live-'));
try {
  writeFileSync(join(folder, 'profile.yaml'), PROFILE);
  const costs: Record<'plain' | 'live', Cost[]> = { plain: [], live: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of round % 2 === 0 ? (['plain', 'live'] as const) : (['live', 'plain'] as const))
      costs[kind].push(await measure(folder, kind === 'live'));
  }
  const least = (kind: 'plain' | 'live', part: keyof Cost) => Math.min(...costs[kind].map((cost) => cost[part]));
  const added = least('live', 'controller') - least('plain', 'controller');
  const whole = least('plain', 'controller') + least('plain', 'labs');
  process.stdout.write(`two runs of 10 s at ${RATE.toLocaleString('en')}/s, least of ${ROUNDS} rounds, seconds of CPU
plain: controller ${least('plain', 'controller').toFixed(2)}, labs ${least('plain', 'labs').toFixed(2)}
live:  controller ${least('live', 'controller').toFixed(2)}, labs ${least('live', 'labs').toFixed(2)}
a live page and a scrape a second add ${added.toFixed(2)} s to ${whole.toFixed(2)} s: ${((100 * added) / whole).toFixed(1)} %
`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
