/**
 * `npm run bench:watch-all`: the CPU of one look at every network namespace, `watch --all --once --json`, with 100,000 sockets in five of them, beside
 * `ss -Htan` in each of the five and the bare start of Node.js. In a PID namespace of its own, so that the namespaces of others are not looked at; their
 * sockets are walked past all the same, since the kernel has one table.
 */
import { spawnSync } from 'node:child_process';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describeEnvironment } from '../src/agent/place/environment.js';
import { randomStream, shuffled } from '../src/domain/random.js';
import type { NodeLook } from '../src/gauge/node-look.js';
import { getrusage, nativeBuffer } from '../src/kernel/libc.js';
import { fillNamespace } from '../test/support/causes.js';
import './bare-start.js';
import { writeTable } from './readme.js';
import { spread } from './results.js';
import { table, withSpread } from './table.js';

const ROUNDS = 9;
/** As watch-cause.test.ts has them: with both ends, and what is closed, 100,960 sockets. */
const FILLED = { 'close-wait': 13_500, hot: 14_000, poisoned: 14_500, healthy: 1_000, churn: 13_500 } as const;
const RANGE = '32768 60999';
const CLI = fileURLToPath(new URL('../bundle/cli/main.js', import.meta.url));
const TITLES = {
  watch: '`bindstorm watch --all --once --json`',
  ss: '`ss -Htan` in each of the five',
  node: "`node -e ''`",
} as const;
type Contender = keyof typeof TITLES;
const CONTENDERS = Object.keys(TITLES) as Contender[];
const RUSAGE_CHILDREN = -1;
const usage = nativeBuffer(144);

if (process.argv[2] === 'inside') await measure();
else if (process.getuid?.() !== 0) throw new Error('watch --all takes root, and so does this bench');
else {
  const self = [process.execPath, fileURLToPath(import.meta.url), 'inside', ...process.argv.slice(2)];
  const apart = ['--mount', '--pid', '--fork', '--kill-child', '--mount-proc', '--net', '--', ...self];
  process.exitCode = spawnSync('unshare', apart, { stdio: 'inherit' }).status ?? 1;
}

async function measure(): Promise<void> {
  const before = loadavg()[0]!;
  const samples = new Map<Contender, number[]>(CONTENDERS.map((each) => [each, []]));
  let sockets = 0;
  const cleanUp: (() => Promise<void>)[] = [];
  const t = { after: (work?: unknown) => void cleanUp.push(work as () => Promise<void>) };
  try {
    const pids: number[] = [];
    for (const [reason, count] of Object.entries(FILLED)) {
      const input = { reason: reason as keyof typeof FILLED, sockets: count, range: RANGE };
      pids.push((await fillNamespace(t, input)).pid);
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const contender of shuffled(CONTENDERS, randomStream(1, `watch-all/${round}`))) {
        const begin = childrenCpu();
        if (contender === 'watch') {
          // Four are as full as they were made; the sockets of the fifth may have begun to go.
          sockets = Math.max(sockets, checked(lookAtAll()));
        } else if (contender === 'ss') for (const pid of pids) listIn(pid);
        else ran(process.execPath, ['-e', '']);
        samples.get(contender)!.push(childrenCpu() - begin);
      }
    }
  } finally {
    for (const work of cleanUp) await work();
  }
  const text = markdownOf(samples, sockets, before);
  process.stdout.write(`${text}\n`);
  if (process.argv.includes('--write')) writeTable('watch all', text);
}

function lookAtAll(): NodeLook {
  return JSON.parse(
    ran(process.execPath, [CLI, 'watch', '--all', '--once', '--json', '--idle', '10m'], [0, 1, 5]),
  ) as NodeLook;
}

/** @returns sockets in the namespaces @throws Error when one of them is not told apart */
function checked({ namespaces }: NodeLook): number {
  const found = new Set(namespaces.map(({ cause }) => cause.class));
  for (const expected of ['leak', 'hot-destination', 'poisoned', 'healthy'])
    if (!found.has(expected as never)) throw new Error(`found ${[...found].join(', ')}, and not ${expected}`);
  return namespaces.reduce((sum, look) => sum + look.sockets.all, 0);
}

function listIn(pid: number): void {
  ran('nsenter', [`--net=/proc/${pid}/ns/net`, 'ss', '-Htan']);
}

/** What a program says. @throws Error when it fails */
function ran(program: string, args: readonly string[], codes = [0]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (!codes.includes(status ?? -1)) throw new Error(`${program} ${args.join(' ')}: ${status} ${stderr}`);
  return stdout;
}

/** CPU seconds, user and system, of the children that have ended. */
function childrenCpu(): number {
  getrusage(RUSAGE_CHILDREN, usage.address);
  const at = (offset: number) => Number(usage.view.getBigInt64(offset, true));
  return at(0) + at(16) + (at(8) + at(24)) / 1e6;
}

function markdownOf(samples: ReadonlyMap<Contender, readonly number[]>, sockets: number, before: number): string {
  const { kernel, cpus, cpu, node } = describeEnvironment('netns');
  const own = samples.get('watch')!;
  const two = (n: number) => n.toFixed(2);
  const rows = CONTENDERS.map((contender) => {
    const found = samples.get(contender)!;
    const ratio = contender === 'watch' ? '' : withSpread(spread(found.map((value, i) => own[i]! / value)), two);
    return [TITLES[contender], withSpread(spread(found), two), ratio];
  });
  return [
    '',
    `${new Date().toISOString().slice(0, 10)}, Linux ${kernel}, ${cpus} × ${cpu}, Node.js ${node}. ${sockets.toLocaleString('en')} sockets in five namespaces, ${ROUNDS} rounds, medians with minimum and maximum, ratios of the same round; load average ${before.toFixed(1)} before and ${loadavg()[0]!.toFixed(1)} after.`,
    '',
    ...table(['', 'CPU seconds', 'watch --all ÷ it'], rows),
    '',
  ].join('\n');
}
