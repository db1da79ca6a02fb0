// Runs the compiled tests with node:test. Arguments choose groups: unit, lab, e2e; none means all. Debian packages that the tests need are
// installed meanwhile, unless BINDSTORM_NO_APT=1 declines; at the end it says what was skipped and why, and which files took longest.
//   unit: pure code. lab: real kernel, each test in a namespace of its own. e2e: the command line as a user runs it.
// Another file begins as long as CPUs are idle (test/support/schedule.ts), the longest first by what each took when it was last recorded:
//   node scripts/test.mjs --record    writes test/durations.json anew, one file after the other, for a quiet machine
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endFile } from '../dist/test/support/overdue.js';
import { installCommand, packagesOf, TEST_PACKAGES, withoutPackages } from '../dist/test/support/packages.js';
import { batchOf, canShare, inBatches, jobOf, limitOf, nextJob, orderAt } from '../dist/test/support/schedule.js';
import { againLimit, failureLines, messageOf, settled } from '../dist/test/support/tries.js';
import { provide } from './test-packages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
process.chdir(root);
// Node.js 20 reads these certificates at each start, some thousand times here, which takes twice as long as all else that it does then. npm may need them.
process.env.BINDSTORM_TEST_CA_CERTS = process.env.NODE_EXTRA_CA_CERTS ?? '';
delete process.env.NODE_EXTRA_CA_CERTS;
const DURATIONS = join(root, 'test', 'durations.json');
const GROUPS = ['unit', 'lab', 'e2e'];
const recording = process.argv.includes('--record');
const wanted = process.argv.slice(2).filter((word) => word !== '--record');
const unknown = wanted.find((group) => !GROUPS.includes(group));
if (unknown !== undefined) {
  console.error(
    `there is no group of tests "${unknown}"; the groups are ${GROUPS.join(', ')} (one file: node --test dist/test/….test.js)`,
  );
  process.exit(2);
}
/** Minutes in which files may begin; those that have not begun by then are skipped, and named. 0: as many as it takes. */
const allowed = Number(process.env.BINDSTORM_TEST_MINUTES ?? 55);
if (!Number.isFinite(allowed) || allowed < 0) {
  console.error(
    `BINDSTORM_TEST_MINUTES is "${process.env.BINDSTORM_TEST_MINUTES}"; it is a number of minutes, or 0 for as many as it takes`,
  );
  process.exit(2);
}
const groups = wanted.length === 0 ? GROUPS : wanted;

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return testFiles(path);
      return entry.name.endsWith('.test.js') ? [path] : [];
    })
    .sort();
}

const dist = join(root, 'dist');
const groupOf = (path) => (path.includes('/test/lab/') ? 'lab' : path.includes('/test/e2e/') ? 'e2e' : 'unit');
const all = testFiles(join(dist, 'test'))
  .map((path) => ({
    path,
    group: groupOf(path),
    // The compiler drops some comments, so what a test needs is read from its source.
    text: readFileSync(join(root, relative(dist, path)).replace(/\.js$/, '.ts'), 'utf8'),
  }))
  .filter(({ group }) => groups.includes(group));
const { missing, declined, installed } = all.some(({ group }) => group !== 'unit')
  ? provide(TEST_PACKAGES, all)
  : { missing: [], declined: false, installed: Promise.resolve([]) };
const { run: files, skipped } = withoutPackages(all, declined ? missing : []);

// Whether a change made it slower is for people to read: it passes nothing and fails nothing, since machines differ.
if (wanted.length === 0 && process.env.CI) {
  await installed;
  spawnSync(process.execPath, [join(root, 'dist', 'bench', 'run.js'), '--quick', '--rounds', '2'], {
    stdio: 'inherit',
    cwd: root,
  });
}

/** Failures that belong to no file that could run again. */
const failures = [];
const recorded = JSON.parse(readFileSync(DURATIONS, 'utf8'));
const cpus = ownCpus();
/** How often it is asked whether another file can begin. */
const LOOK_MS = 500;

/** CPUs that are ours: a container may have fewer than the machine (cpu.max of cgroup v2, cpu.cfs_quota_us of v1; microseconds). */
function ownCpus() {
  const quota = [
    ['/sys/fs/cgroup/cpu.max', /^(\d+) (\d+)/],
    ['/sys/fs/cgroup/cpu/cpu.cfs_quota_us', /^(\d+)/],
  ].flatMap(([path, pattern]) => {
    const [, allowed, period = 100_000] = (existsSync(path) && pattern.exec(readFileSync(path, 'latin1'))) || [];
    return allowed === undefined ? [] : [Math.max(1, Math.ceil(allowed / period))];
  });
  return Math.min(availableParallelism(), ...quota);
}

/** CPU seconds of the processes that have ended and were waited for, and of theirs: cutime and cstime of proc_pid_stat(5), in USER_HZ, which is 100 for programs. */
function endedCpu() {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/**
 * Run a file and count its single tests, not the suites around them. What it says is printed in one piece when it has ended; one that hangs is ended.
 * @param limit seconds that it may take
 */
async function runFile({ path, name }, limit) {
  const begun = performance.now();
  const tried = { passed: 0, failures: [], skipped: [] };
  const where = (test) => `${test.name} (${relative(root, test.file ?? path)})`;
  const events = run({ files: [path], concurrency: 1 });
  const overdue = globalThis.setTimeout(() => {
    tried.failures.push({ test: name, message: `did not end in ${limit.toFixed(0)} s, and was ended` });
    void endFile(path);
  }, limit * 1000);
  events.on('test:pass', (test) => {
    if (test.skip !== undefined)
      tried.skipped.push(`${where(test)}${typeof test.skip === 'string' && test.skip ? `: ${test.skip}` : ''}`);
    else if (test.details.type !== 'suite') tried.passed++;
  });
  events.on('test:fail', (test) => {
    const { error } = test.details;
    if (error?.failureType !== 'subtestsFailed') tried.failures.push({ test: where(test), message: messageOf(error) });
  });
  let text = '';
  for await (const chunk of events.compose(new spec())) text += chunk;
  clearTimeout(overdue);
  const taken = { seconds: (performance.now() - begun) / 1000, cpu: endedCpu() - counted };
  counted += taken.cpu;
  // The totals of one file are in its headline.
  const told = text.replace(/^\W*ℹ (?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) .*\n/gm, '');
  const failed = tried.failures.length > 0 ? `${tried.failures.length} FAILED, ` : '';
  console.log(
    `\n== ${name}: ${failed}${tried.passed} passed, ${taken.seconds.toFixed(1)} s, CPU ${taken.cpu.toFixed(1)} s\n${told.trimEnd()}`,
  );
  return { tried, taken };
}

/** Of the files that have ended: children of this process are waited for one by one, so that the difference is the file's own. */
let counted = endedCpu();
let lastLook = { idle: 0, at: 0 };
const took = {};
/** Of each file that has ended: its job, and what its first run came to. */
const shown = [];
const nameOf = (path) => relative(join(dist, 'test'), path).replace(/\.test\.js$/, '');
const single = files.map(({ path, group, text }) => ({ ...jobOf(nameOf(path), text, recorded), path, group, text }));
// The start of a process takes as long as most unit tests, so that those share one that can.
const shares = (job) =>
  !recording && job.group === 'unit' && !job.alone && packagesOf(job).length === 0 && canShare(job.text);
const jobs = [...single.filter((job) => !shares(job)), ...inBatches(single.filter(shares)).map(asOne)];

/** A batch as one job: a module that imports its files. The build removes it, since it has no source. */
function asOne(batch, i) {
  if (batch.length === 1) return batch[0];
  const folder = join(dist, 'test', 'batches');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `unit-${i + 1}.js`);
  writeFileSync(path, batch.map((job) => `import ${JSON.stringify(`./${relative(folder, job.path)}`)};\n`).join(''));
  return {
    ...batchOf(`${batch.length} unit tests, ${batch[0].name} … ${batch.at(-1).name}`, batch),
    path,
    group: 'unit',
    text: '',
  };
}

/** CPUs that were idle since the last call, from /proc/stat: proc_stat(5), jiffies of idle and iowait. */
function idleCpus() {
  const [, ...fields] = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0].trim().split(/\s+/);
  const now = { idle: Number(fields[3]) + Number(fields[4]), at: performance.now() };
  const idle = (now.idle - lastLook.idle) / 100 / ((now.at - lastLook.at) / 1000);
  lastLook = now;
  return idle;
}

/**
 * Run jobs, as many at a time as the schedule allows.
 * @param later a promise of more jobs, for which those of `waiting` need not wait
 */
async function runJobs(waiting, later) {
  const running = new Map();
  const order = () => orderAt((performance.now() - begun) / 60_000, recording ? 0 : allowed);
  let coming = later.then((jobs) => {
    coming = null;
    waiting.push(...jobs);
  });
  let idle = 0;
  let look = null;
  idleCpus();
  for (;;) {
    const job =
      recording && running.size > 0 ? undefined : nextJob(waiting, [...running.keys()], { cpus, idle, order: order() });
    if (job !== undefined) {
      waiting.splice(waiting.indexOf(job), 1);
      const ended = runFile(job, limitOf(job.taken)).then(({ tried, taken }) => {
        took[job.name] = taken;
        shown.push({ job, first: tried });
        running.delete(job);
      });
      running.set(job, ended);
      // What this one takes shows at the next look.
      idle = 0;
    } else if (running.size > 0 || coming !== null) {
      look ??= setTimeout(LOOK_MS).then(() => {
        idle = idleCpus();
        look = null;
      });
      await Promise.race([look, ...running.values()]);
    } else break;
  }
  for (const { name } of waiting)
    skipped.push(`${name}: not begun within ${allowed} min (BINDSTORM_TEST_MINUTES=0 waits for all)`);
}

for (const group of groups)
  if (!all.some((file) => file.group === group))
    failures.push({ test: `${group} tests`, message: 'none found: the build is incomplete' });
const begun = performance.now();
// What needs no package goes on while packages are installed.
const [early, late] = [true, false].map((wanted) => jobs.filter((job) => (packagesOf(job).length === 0) === wanted));
await runJobs(
  early,
  installed.then(() => late),
);
const results = await settleAll();
const seconds = (performance.now() - begun) / 1000;
if (recording) writeDurations();

/** What each file has shown; those that failed beside others run once more, one after the other, with nothing beside them. */
async function settleAll() {
  const results = [];
  for (const { job, first } of shown) {
    const file = { ...job, limit: limitOf(job.taken) };
    const limit = first.failures.length > 0 ? againLimit(file, (performance.now() - begun) / 60_000, allowed) : null;
    if (limit !== null) console.log(`\n${job.name} failed beside others; now alone:`);
    results.push(settled(first, limit === null ? undefined : (await runFile(job, limit)).tried));
  }
  return results;
}

/** Files that were run now, and those of other groups as they were. */
function writeDurations() {
  const round = ({ seconds, cpu }) => ({ seconds: Number(seconds.toFixed(1)), cpu: Number(cpu.toFixed(1)) });
  const kept = Object.entries(recorded).filter(([name]) => existsSync(join(root, 'test', `${name}.test.ts`)));
  const rows = new Map([...kept, ...Object.entries(took).map(([name, taken]) => [name, round(taken)])]);
  const lines = [...rows]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, row]) => `  "${name}": ${JSON.stringify(row).replace(/[{:,]/g, '$& ').replace('}', ' }')}`);
  writeFileSync(DURATIONS, `{\n${lines.join(',\n')}\n}\n`);
}

const passed = results.reduce((sum, one) => sum + one.passed, 0);
const besideOthers = results.flatMap((one) => one.besideOthers);
failures.push(...results.flatMap((one) => one.failures));
skipped.push(...results.flatMap((one) => one.skipped));
const still = await installed;
const LONGEST = 12;
const sum = (key) => Object.values(took).reduce((all, taken) => all + taken[key], 0);
const longest = Object.entries(took)
  .sort(([, a], [, b]) => b.seconds - a.seconds)
  .slice(0, LONGEST);
const listed = (title, lines) => (lines.length > 0 ? [`${title}:`, ...lines.map((line) => `  ${line}`)] : []);
console.log(
  [
    ...listed(
      `\n${Object.keys(took).length} files in ${seconds.toFixed(0)} s, which took ${sum('seconds').toFixed(0)} s and ${sum('cpu').toFixed(0)} CPU seconds of ${cpus} CPUs; the longest`,
      longest.map(
        ([name, { seconds, cpu }]) =>
          `${seconds.toFixed(0).padStart(4)} s, CPU ${cpu.toFixed(0).padStart(3)} s  ${name}`,
      ),
    ),
    ...listed('skipped (a test that did not run shows nothing)', skipped),
    ...listed(
      'failed beside other tests, and passed alone afterwards; the first time it said',
      failureLines(besideOthers),
    ),
    ...listed('failed', failureLines(failures)),
    `\n== ${passed} passed, ${failures.length} failed, ${skipped.length} skipped`,
    ...(still.length > 0
      ? [
          declined
            ? `packages that were declined (BINDSTORM_NO_APT): ${installCommand(still)}`
            : `packages that are missing, without which tests fail: ${installCommand(still)}`,
        ]
      : []),
  ].join('\n'),
);
process.exitCode = failures.length > 0 ? 1 : 0;
