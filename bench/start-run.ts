/**
 * `npm run bench:start`: what the program costs around the load: from the command to the first connection, around each run, and the
 * controller's CPU while a load is under way. Nothing passes or fails.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../src/agent/place/environment.js';
import { resultsSchema } from '../src/results/schema.js';
import { writeTable } from './readme.js';
import { spread } from './results.js';
import { table, withSpread } from './table.js';

const CLI = fileURLToPath(new URL('../bundle/cli/main.js', import.meta.url));
/** USER_HZ, in which proc(5) counts CPU time, is 100 on every architecture that is supported. */
const TICKS = 100;

// Eight addresses, so that no search for a free port is long.
const profile = (arrival: string, repeat: number) => `name: start
addresses: { cidr: 10.50.0.0/24, count: 8 }
load: { strategy: bind-no-port, arrival: ${arrival} }
sysctls: { net.ipv4.ip_local_port_range: 1024 65535 }
variants: [{ name: same, load: { workers: 1 }, sysctls: { net.ipv4.tcp_fin_timeout: 30 } }]
repeat: ${repeat}
warmup: 0
`;

interface Experiment {
  /** Milliseconds from the command to the first attempt. */
  readonly toFirst: number;
  /** Milliseconds of each run but the first that are not load. */
  readonly around: readonly number[];
  /** Milliseconds from the end of one load to the beginning of the next. */
  readonly between: readonly number[];
  /** The controller's CPU from one instant to another of the first load, of one CPU; null where none was asked for. */
  readonly controller: number | null;
}

/** @param watch seconds after the command between which the controller's CPU is taken */
async function experiment(text: string, watch?: readonly [number, number]): Promise<Experiment> {
  const home = mkdtempSync(join(tmpdir(), 'bindstorm-bench-'));
  try {
    writeFileSync(join(home, 'start.yaml'), text);
    const begun = Date.now();
    const child = spawn(process.execPath, [CLI, 'run', 'start.yaml', '--quiet'], { cwd: home, stdio: 'ignore' });
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    const controller = watch ? await cpuShare(child.pid!, watch) : null;
    const code = await ended;
    // 4: on a busy machine the generator is what limits the loaded run, which is no matter here.
    if (code !== 0 && code !== 4) throw new Error(`the run ended with code ${code}`);
    const folder = join(home, 'reports', readdirSync(join(home, 'reports'))[0]!);
    const { variants } = resultsSchema.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')));
    const inOrder = variants.flatMap(({ runs }) => runs).sort((a, b) => a.startedAt.localeCompare(b.startedAt));
    return {
      toFirst: Date.parse(inOrder[0]!.startedAt) - begun,
      around: inOrder.slice(1).map(({ durationMs }) => durationMs.setup + durationMs.teardown),
      between: inOrder.slice(1).map(({ startedAt }, i) => {
        const before = inOrder[i]!;
        return Date.parse(startedAt) - Date.parse(before.startedAt) - before.durationMs.load;
      }),
      controller,
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

async function cpuShare(pid: number, [from, to]: readonly [number, number]): Promise<number> {
  await sleep(from * 1000);
  const [before, at] = [ticksOf(pid), performance.now()];
  await sleep((to - from) * 1000);
  return (ticksOf(pid) - before) / TICKS / ((performance.now() - at) / 1000);
}

/** utime and stime (proc(5), /proc/pid/stat): the 14th and 15th field, counted from behind the name, which may have blanks. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '10' }, write: { type: 'boolean', default: false } },
});
const before = loadavg()[0]!;
const starts: Experiment[] = [];
for (let i = 0; i < Number(values.rounds); i++)
  starts.push(await experiment(profile('{ shape: fill, attempts: 1000 }', 2)));
const loaded = await experiment(profile('{ shape: constant, rate: 10000/s, duration: 10s }', 1), [3, 9]);
const { kernel, cpus, cpu, node } = describeEnvironment('netns');
const ms = (of: readonly number[]) => withSpread(spread(of), (n) => `${Math.round(n)} ms`);
const markdown = [
  `${new Date().toISOString().slice(0, 10)}, Linux ${kernel}, ${cpus} × ${cpu}, Node.js ${node}. Medians of ${values.rounds} experiments, ` +
    `with minimum and maximum; load average ${before.toFixed(1)} before.`,
  '',
  ...table(
    ['what', 'measured'],
    [
      ['from the command to the first connection (netns lab)', ms(starts.map(({ toFirst }) => toFirst))],
      ['a run’s set-up and tear-down', ms(starts.flatMap(({ around }) => around))],
      ['from the end of a load to the beginning of the next', ms(starts.flatMap(({ between }) => between))],
      ['the controller’s CPU at 10,000 attempts/s', `${(loaded.controller! * 100).toFixed(1)} % of a CPU`],
    ],
  ),
  '',
].join('\n');
process.stdout.write(markdown);
if (values.write) writeTable('start', markdown);
