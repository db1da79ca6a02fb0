/**
 * `npm run bench`: new connections per second of one thread, side by side with its peers, and the cost of a look at the sockets.
 * Nothing here passes or fails: it measures, and says under which circumstances.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../src/agent/place/environment.js';
import { randomStream, shuffled } from '../src/domain/random.js';
import { callsFromC, callsFromJavaScript } from './calls.js';
import { CONTENDERS, canDo, isC, STRATEGIES } from './churn.js';
import { type Compiled, compileChurn } from './compile.js';
import { type Baseline, changesSince, sharesOfC } from './guard.js';
import { churnOf, inLab } from './in-lab.js';
import { writeTable } from './readme.js';
import type { BenchResults, RoundSample, Settings } from './results.js';
import type { SnapshotCost } from './sock-diag.js';
import { guardText, markdownOf } from './table.js';

const USAGE = `npm run bench -- [options]

  --quick        few connections, and whether it became slower than the stored baseline
  --rounds N     rounds, of which each has every contender once (5)
  --seed N       seed of the order within the rounds (1)
  --json FILE    write every sample to a file
  --write        put the tables into bench/README.md as well
  --store        with --quick: store what was measured as bench/baseline.json
`;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Every contender once with every strategy that it can do, in an order that the seed decides. */
async function measureRound(round: number, settings: Settings, compiled: Compiled | null): Promise<RoundSample[]> {
  const pairs = STRATEGIES.flatMap((strategy) => CONTENDERS.map((contender) => ({ strategy, contender }))).filter(
    ({ strategy, contender }) => canDo(contender, strategy) && (compiled !== null || !isC(contender)),
  );
  const samples: RoundSample[] = [];
  for (const { strategy, contender } of shuffled(pairs, randomStream(settings.seed, `bench/${round}`))) {
    const churn = churnOf(settings, { strategy, attempts: settings.attempts, warmUp: settings.warmUp });
    const sample = await inLab({ kind: 'churn', contender, churn, churnProgram: compiled?.program ?? null });
    samples.push({ round, strategy, contender, ...sample });
  }
  return samples;
}

async function measureSnapshots(settings: Settings, sizes: readonly number[], count: number): Promise<SnapshotCost[]> {
  const costs: SnapshotCost[] = [];
  for (const attempts of sizes) {
    const churn = churnOf(settings, { strategy: 'bind-no-port', attempts, warmUp: 0 });
    costs.push(await inLab({ kind: 'sock-diag', churn, snapshots: count }));
  }
  return costs;
}

async function bench(settings: Settings, quick: boolean, compiled: Compiled | string): Promise<BenchResults> {
  const date = new Date().toISOString();
  const before = loadavg()[0]!;
  const samples: RoundSample[] = [];
  for (let round = 1; round <= settings.rounds; round++) {
    samples.push(...(await measureRound(round, settings, typeof compiled === 'string' ? null : compiled)));
    say(`round ${round} of ${settings.rounds} done`);
  }
  const snapshots = await measureSnapshots(settings, quick ? [0, 1_000] : [0, 1_000, 10_000, 60_000], quick ? 3 : 21);
  return {
    schemaVersion: 1,
    date,
    environment: describeEnvironment('netns'),
    compiler: typeof compiled === 'string' ? null : compiled.compiler,
    loadAverage: { before, after: loadavg()[0]! },
    settings,
    samples,
    snapshots,
    calls: { javascript: callsFromJavaScript(), c: typeof compiled === 'string' ? null : callsFromC(compiled.calls) },
  };
}

const BASELINE = fileURLToPath(new URL('../../bench/baseline.json', import.meta.url));

/** Say what became of the shares since the baseline was stored, or store them. */
function guard({ date, environment: { kernel, cpu, node }, samples }: BenchResults, store: boolean): void {
  const shares = sharesOfC(samples);
  if (store) {
    const baseline: Baseline = { date, kernel, cpu, node, shares };
    writeFileSync(BASELINE, `${JSON.stringify(baseline, null, 2)}\n`);
    say(`stored as ${BASELINE}`);
    return;
  }
  if (Object.keys(shares).length === 0) {
    say('Without a C compiler nothing can be said of the baseline.');
    return;
  }
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline;
  process.stdout.write(`${guardText(baseline, changesSince(baseline.shares, shares), { kernel, cpu, node })}\n`);
}

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`found ${option} ${text}; allowed is a whole number from 1`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      write: { type: 'boolean', default: false },
      store: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const { quick } = values;
  const settings: Settings = {
    rounds: positive(values.rounds ?? (quick ? '6' : '5'), '--rounds'),
    attempts: quick ? 15_000 : 80_000,
    warmUp: quick ? 5_000 : 20_000,
    inFlight: 128,
    sources: 16,
    destinations: 16,
    seed: positive(values.seed, '--seed'),
  };
  const compiled = compileChurn();
  if (typeof compiled === 'string') say(`The C client is left out: ${compiled}.`);
  const remove = () => (typeof compiled === 'string' ? undefined : compiled.remove());
  // Ending this process ends the lab that is running (src/lab/netns.ts).
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      remove();
      process.exit(130);
    });
  }
  try {
    const results = await bench(settings, quick, compiled);
    const markdown = markdownOf(results);
    process.stdout.write(markdown);
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
    if (quick) guard(results, values.store);
    if (values.write) writeTable('results', markdown);
  } finally {
    remove();
  }
}

try {
  await main();
} catch (error) {
  say(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
