// What real experiments say where nothing differs: a baseline against a copy of itself, some of them beside programs that take every CPU, and
// the quickstart. Adds one line an experiment to a file, so that a part can be made when it suits, and writes the tables of docs/statistics.md
// from all of them. Run by hand, the quiet parts on a machine that does nothing else:
//   npm run build && node scripts/write-aa.mjs FILE quiet 100 busy 100 quickstart 10     (a quarter of an hour, three quarters, five minutes)
//   node scripts/write-aa.mjs FILE                                                        (the tables again, from what is there)
import { execFile, spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const [file, ...parts] = process.argv.slice(2);
if (!file) throw new Error('give the file of results first: write-aa.mjs FILE [quiet N] [busy N] [quickstart N]');
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

A baseline against a copy of itself (\`scripts/write-aa.mjs\`): 200 attempts a run, a part of the experiments beside other programs that
take every CPU. Every claim is false.

<!-- again -->
<!-- /again -->

The quickstart, again and again: what is said of each guardrail.

<!-- quickstart -->
<!-- /quickstart -->

`;
const BEFORE = '## Two results\n';
const cli = new URL('../dist/bundle/cli/main.js', import.meta.url).pathname;
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

/** Programs that take every CPU, until they are told to stop; so many fewer as others do so already. */
function hogs() {
  const free = Math.max(0, availableParallelism() - Math.floor(loadavg()[0]));
  const busy = Array.from({ length: free }, () => spawn(process.execPath, ['-e', HOG]));
  return () => {
    for (const hog of busy) hog.kill('SIGKILL');
  };
}

const counted = (all, of) => String(all.filter(of).length);
const isClaim = ({ verdict }) => verdict === 'better' || verdict === 'worse';
const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** One line of the file: what is said of every guardrail of one experiment. */
function keep(part, seed, pairs, verdicts) {
  appendFileSync(file, `${JSON.stringify({ part, seed, pairs, load: loadavg()[0], verdicts })}\n`);
}

const PARTS = {
  quiet: (seed) => again('quiet', seed),
  async busy(seed) {
    const stop = hogs();
    try {
      await again('busy', seed);
    } finally {
      stop();
    }
  },
  async quickstart(seed) {
    const { variants } = await run('quickstart', seed);
    const verdicts = variants.flatMap(({ name, verdict }) =>
      verdict ? verdict.guardrails.map(({ metric, verdict: said }) => ({ name, metric, verdict: said })) : [],
    );
    keep('quickstart', seed, Math.max(...variants.map(({ verdict }) => verdict?.look?.pairs ?? 0)), verdicts);
  },
};

async function again(part, seed) {
  const profile = join(dir, 'again.yaml');
  writeFileSync(profile, PROFILE);
  const { verdict } = (await run(profile, seed)).variants.find(({ baseline }) => !baseline);
  const verdicts = verdict.guardrails.map(({ metric, verdict: said }) => ({ name: 'copy', metric, verdict: said }));
  keep(part, seed, verdict.look?.pairs ?? 0, verdicts);
}

/**
 * Experiments of which only the counts are left: a line { part, experiments, pairs, said: { METRIC: [claims, no difference] } } of the file.
 */
function againTable(found) {
  const of = (part) => found.filter((each) => each.part === part && !each.said);
  const counts = (part, metric) =>
    found
      .filter((each) => each.part === part && each.said)
      .map(({ experiments, said }) => [said[metric][0], experiments, said[metric][1]]);
  const said = (part, metric) => of(part).flatMap(({ verdicts }) => verdicts.filter((each) => each.metric === metric));
  const rows = METRICS.map((metric) => [
    `\`${metric}\``,
    ...['quiet', 'busy'].flatMap((part) => {
      const all = said(part, metric);
      const here = [
        all.filter(isClaim).length,
        all.length,
        all.filter(({ verdict }) => verdict === 'no difference').length,
      ];
      const [claims, experiments, same] = [here, ...counts(part, metric)].reduce((a, b) => a.map((n, i) => n + b[i]));
      return [`${claims} of ${experiments}`, String(same)];
    }),
  ]);
  const mean = (part) => {
    const all = found
      .filter((each) => each.part === part)
      .map(({ pairs, experiments = 1 }) => [pairs * experiments, experiments]);
    const [pairs, experiments] = all.reduce(([a, b], [c, d]) => [a + c, b + d], [0, 0]);
    return (pairs / Math.max(1, experiments)).toFixed(1);
  };
  const loads = (part) => {
    const all = of(part).flatMap(({ load }) => load ?? []);
    return all.length === 0 ? 'not recorded' : `${Math.min(...all).toFixed(1)} to ${Math.max(...all).toFixed(1)}`;
  };
  return [
    table(['metric', 'quiet: false claims', 'no difference', 'busy: false claims', 'no difference'], rows),
    '',
    `Pairs until everything was settled, or the most, on average: ${mean('quiet')} and ${mean('busy')} of 9. Load average after an experiment: ${loads('quiet')} and ${loads('busy')}.`,
  ].join('\n');
}

function quickstartTable(found) {
  const runs = found.filter(({ part }) => part === 'quickstart');
  if (runs.length === 0) return 'Not made yet.';
  const all = runs.flatMap(({ verdicts }) => verdicts);
  const rows = [...new Set(all.map(({ metric }) => metric))].flatMap((metric) =>
    [...new Set(all.map(({ name }) => name))].map((name) => {
      const of = all.filter((each) => each.metric === metric && each.name === name);
      const words = ['better', 'no difference', 'worse', 'not enough evidence'];
      return [`${name}, \`${metric}\``, ...words.map((word) => counted(of, ({ verdict }) => verdict === word))];
    }),
  );
  return table([`of ${runs.length} quickstarts`, 'better', 'no difference', 'worse', 'open'], rows);
}

const lines = () =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];

try {
  for (let i = 0; i < parts.length; i += 2) {
    const [part, wanted] = [parts[i], Number(parts[i + 1])];
    if (!PARTS[part] || !(wanted > 0))
      throw new Error(`${part} ${parts[i + 1]}: give quiet, busy or quickstart and how many`);
    // A part that was broken off goes on.
    for (let seed = lines().filter((each) => each.part === part && !each.said).length + 1; seed <= wanted; seed++) {
      await PARTS[part](seed);
      process.stderr.write(`\r${part} ${seed} of ${wanted} `);
    }
  }
  const found = lines();
  const tables = { again: againTable(found), quickstart: quickstartTable(found) };
  const page = new URL('../docs/statistics.md', import.meta.url);
  const kept = readFileSync(page, 'utf8');
  const whole = kept.includes('<!-- again -->') ? kept : kept.replace(BEFORE, () => SECTION + BEFORE);
  const text = Object.entries(tables).reduce((before, [name, rows]) => {
    const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!marks.test(before)) throw new Error(`docs/statistics.md has no place for the table of ${name}`);
    return before.replace(marks, (_, from, to) => `${from}${rows}\n${to}`);
  }, whole);
  writeFileSync(page, text);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
