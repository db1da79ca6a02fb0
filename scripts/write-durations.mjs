// How long experiments take against what `plan` says beforehand: runs shipped profiles, one after the other, adds one line each to a file, and
// writes the table of docs/internals/predictions.md from all lines. Run by hand on a machine that does nothing else, and again on a busy one:
//   npm run build && node scripts/write-durations.mjs FILE quickstart squid-2014 …   (no names: every profile of the network-namespace lab)
//   node scripts/write-durations.mjs FILE --write                                     (the table again, from what is there)
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';

const [file, ...names] = process.argv.slice(2);
if (!file) throw new Error('give the file of results first: write-durations.mjs FILE [PROFILE… | --write]');
/** Profiles that this lab cannot run, or that are about machines of other kinds. */
const ELSEWHERE = ['staging', 'tw-recycle-harm', 'squid-2014-full', 'capacity'];
const cli = new URL('../dist/bundle/cli/main.js', import.meta.url).pathname;
const page = new URL('../docs/internals/predictions.md', import.meta.url);
const [BEGIN, END] = ['<!-- durations -->', '<!-- /durations -->'];

const all = readdirSync(new URL('../profiles', import.meta.url))
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => name.replace(/\.yaml$/, ''))
  .filter((name) => !ELSEWHERE.includes(name));
if (names[0] !== '--write') for (const name of names.length > 0 ? names : all) measure(name);
write();

function bindstorm(...args) {
  return spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

function measure(name) {
  const load1 = loadavg()[0];
  const planned = bindstorm('plan', name, '--json');
  if (planned.status !== 0) return console.error(`${name}: plan ended with ${planned.status}`);
  const { runs, expectedWithin, busy } = JSON.parse(planned.stdout);
  const out = mkdtempSync(join(tmpdir(), 'bindstorm-durations-'));
  const begun = performance.now();
  const { status } = bindstorm('run', name, '--quiet', '--json', '--out', out);
  const seconds = (performance.now() - begun) / 1000;
  rmSync(out, { recursive: true, force: true });
  // 1: a threshold of the profile was not met, which may be its point.
  if (status !== 0 && status !== 1) return console.error(`${name}: run ended with ${status}`);
  const row = { name, runs, expectedWithin, slower: busy?.slower ?? 1, seconds, load1 };
  appendFileSync(file, `${JSON.stringify(row)}\n`);
  console.log(JSON.stringify(row));
}

function write() {
  const rows = existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
  if (rows.length === 0) return;
  const within = ({ seconds, expectedWithin: { least, most } }) =>
    seconds < least
      ? `${(least / seconds).toFixed(1)} × sooner`
      : seconds > most
        ? `${(seconds / most).toFixed(1)} × later`
        : 'yes';
  const table = [
    '| profile | runs at most | load average before | counted with | foreseen, s | measured, s | within |',
    '| --- | ---: | ---: | ---: | ---: | ---: | --- |',
    ...rows
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.load1 - b.load1))
      .map((row) =>
        [
          '',
          row.name,
          row.runs,
          row.load1.toFixed(1),
          `${row.slower.toFixed(1)} ×`,
          `${row.expectedWithin.least.toFixed(0)} to ${row.expectedWithin.most.toFixed(0)}`,
          row.seconds.toFixed(0),
          within(row),
          '',
        ]
          .join(' | ')
          .trim(),
      ),
  ];
  const text = readFileSync(page, 'utf8');
  const [before, after] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (before < 0 || after < 0) throw new Error(`${page.pathname} has no ${BEGIN} … ${END}`);
  writeFileSync(page, `${text.slice(0, before + BEGIN.length)}\n${table.join('\n')}\n${text.slice(after)}`);
}
