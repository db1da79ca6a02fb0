// What real experiments say where nothing differs: a baseline against a copy of itself, half of them beside programs that take every CPU, and
// the quickstart. Writes the tables of docs/statistics.md. Run by hand on a machine that does nothing else:
//   npm run build && node scripts/write-aa.mjs [experiments: 200] [quickstarts: 10]     (half an hour)
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const [experiments, quickstarts] = [process.argv[2] ?? '200', process.argv[3] ?? '10'].map(Number);
const METRICS = [
  'latency.service.p50',
  'latency.service.p90',
  'latency.service.p99',
  'latency.total.p50',
  'latency.total.p99',
  'cpu.perConnection',
  'memory.peak',
];
const PROFILE = `name: again
description: A baseline against a copy of itself, of which every verdict but «no difference» and «not enough evidence» is false.
addresses: 10.50.0.1/32
load: { strategy: bind, arrival: { shape: constant, rate: 2000/s, duration: 100ms }, lagBudget: 1s }
sysctls: { net.ipv4.ip_local_port_range: 40000 40149 }
variants: [{ name: copy }]
goal: failures.share
guardrails: [${METRICS.map((name) => `'${name}'`).join(', ')}]
repeat: 9
`;
/** Where the tables stand, from the first time on. */
const SECTION = `## Real experiments in which nothing differs

A baseline against a copy of itself (\`scripts/write-aa.mjs\`): 200 attempts a run, half of the experiments beside as many programs that take a CPU
as there are CPUs. Every claim is false.

<!-- again -->
<!-- /again -->

The quickstart, again and again: what is said of each guardrail.

<!-- quickstart -->
<!-- /quickstart -->

`;
const BEFORE = '## Two results\n';
const cli = new URL('../dist/src/cli.js', import.meta.url).pathname;
const dir = mkdtempSync(join(tmpdir(), 'bindstorm-aa-'));
const exec = promisify(execFile);

/** The results of a profile. */
async function run(profile, seed) {
  const args = [
    cli,
    'run',
    profile,
    '--seed',
    String(seed),
    '--out',
    join(dir, 'reports'),
    '--quiet',
    '--json',
    '--force',
  ];
  const { stdout } = await exec(process.execPath, args, { maxBuffer: 2 ** 28 });
  rmSync(join(dir, 'reports'), { recursive: true, force: true });
  return JSON.parse(stdout);
}

/** It ends by itself where this script is killed. */
const HOG = 'for (const end = Date.now() + 120_000; Date.now() < end; );';

/** Programs that take every CPU, until they are told to stop. */
function hogs() {
  const busy = Array.from({ length: availableParallelism() }, () => spawn(process.execPath, ['-e', HOG]));
  return () => {
    for (const hog of busy) hog.kill('SIGKILL');
  };
}

const counted = (all, of) => String(all.filter(of).length);
const isClaim = ({ verdict }) => verdict === 'better' || verdict === 'worse';
const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

async function again(states) {
  const profile = join(dir, 'again.yaml');
  writeFileSync(profile, PROFILE);
  const found = { quiet: new Map(METRICS.map((name) => [name, []])), busy: new Map(METRICS.map((name) => [name, []])) };
  const pairs = { quiet: [], busy: [] };
  for (let seed = 1; seed <= experiments; seed++) {
    const state = states[seed % 2];
    const stop = state === 'busy' ? hogs() : () => {};
    try {
      const { verdict } = (await run(profile, seed)).variants.find(({ baseline }) => !baseline);
      for (const comparison of verdict.guardrails) found[state].get(comparison.metric)?.push(comparison);
      pairs[state].push(verdict.look?.pairs ?? 0);
    } finally {
      stop();
    }
    process.stderr.write(`\r${seed} of ${experiments} experiments`);
  }
  const mean = (all) => (all.reduce((sum, each) => sum + each, 0) / Math.max(1, all.length)).toFixed(1);
  const rows = METRICS.map((name) => [
    `\`${name}\``,
    ...Object.values(found).flatMap((of) => {
      const all = of.get(name);
      return [`${counted(all, isClaim)} of ${all.length}`, counted(all, ({ verdict }) => verdict === 'no difference')];
    }),
  ]);
  return [
    table(['metric', 'quiet: false claims', 'no difference', 'busy: false claims', 'no difference'], rows),
    '',
    `Pairs until everything was settled, or the most, on average: ${mean(pairs.quiet)} and ${mean(pairs.busy)} of 9.`,
  ].join('\n');
}

async function quickstart() {
  const all = [];
  for (let seed = 1; seed <= quickstarts; seed++) {
    const { variants } = await run('quickstart', seed);
    all.push(
      ...variants.flatMap(({ name, verdict }) =>
        verdict ? verdict.guardrails.map((each) => ({ name, ...each })) : [],
      ),
    );
    process.stderr.write(`\r${seed} of ${quickstarts} quickstarts `);
  }
  const names = [...new Set(all.map(({ metric }) => metric))];
  const rows = names.flatMap((metric) =>
    [...new Set(all.map(({ name }) => name))].map((name) => {
      const of = all.filter((each) => each.metric === metric && each.name === name);
      const words = ['better', 'no difference', 'worse', 'not enough evidence'];
      return [`${name}, \`${metric}\``, ...words.map((word) => counted(of, ({ verdict }) => verdict === word))];
    }),
  );
  return table([`of ${quickstarts} quickstarts`, 'better', 'no difference', 'worse', 'open'], rows);
}

try {
  const tables = { again: await again(['busy', 'quiet']), quickstart: await quickstart() };
  const page = new URL('../docs/statistics.md', import.meta.url);
  const found = readFileSync(page, 'utf8');
  const whole = found.includes('<!-- again -->') ? found : found.replace(BEFORE, () => SECTION + BEFORE);
  const text = Object.entries(tables).reduce((before, [name, rows]) => {
    const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!marks.test(before)) throw new Error(`docs/statistics.md has no place for the table of ${name}`);
    return before.replace(marks, (_, from, to) => `${from}${rows}\n${to}`);
  }, whole);
  writeFileSync(page, text);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
