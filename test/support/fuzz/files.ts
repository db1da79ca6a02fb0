/**
 * Files that were damaged after they were written: by disks, editors, people. Whoever reads one is told, and believes nothing that was not
 * written.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ownSnapshot, takeSnapshot } from '../../../src/agent/place/host-guard.js';
import { type Random, randomStream } from '../../../src/domain/random.js';
import { RESULTS_FILE, readResults, writeResults } from '../../../src/experiment/folder.js';
import { JOURNAL_FILE, JournalError, openJournal, readJournal } from '../../../src/experiment/journal.js';
import type { BeginOf, JournalEntry } from '../../../src/experiment/journal-entry.js';
import { planRuns } from '../../../src/experiment/order.js';
import { SEARCH } from '../../../src/plan/search.js';
import { type Run, SCHEMA_VERSION } from '../../../src/results/schema.js';
import { quickstartResults } from '../results.js';
import { makeEnvironment, makeExperiment, makeRun, makeSecond } from '../runs.js';
import { type Attacked, tally } from './attack.js';

const EXPERIMENT = makeExperiment({ variants: ['a', 'b'], repeat: 3 });
const COMMON = {
  type: 'begin',
  schemaVersion: SCHEMA_VERSION,
  startedAt: '2026-01-02T03:04:05.000Z',
  command: 'bindstorm run example',
  profile: 'name: example\ndescription: with a line break, and €\n',
  experiment: EXPERIMENT,
  environment: makeEnvironment(),
} as const;
export const BEGIN: BeginOf<'run'> = { ...COMMON, kind: 'run' };
export const SEARCH_BEGIN: BeginOf<'search'> = { ...COMMON, kind: 'search', options: { settings: SEARCH, only: null } };
export const RUNS: readonly Run[] = planRuns(EXPERIMENT).map(({ id, variant, block, warmup, order }) => {
  const run = makeRun({ variant, block, warmup, order, outcomes: { ok: 40 + block, 'bind:EADDRINUSE': 20 } });
  const timeline = [1, 2].map((t) => makeSecond({ t, attempts: 5, outcomes: { ok: 3, 'bind:EADDRINUSE': 2 } }));
  return { ...run, id, timeline };
});
export const END: JournalEntry = { type: 'end', at: '2026-01-02T04:00:00.000Z', status: 'complete' };
export const entryOf = (run: Run): JournalEntry => ({ type: 'run', run });

/** Of a journal's text. */
export const linesOf = (bytes: Buffer) => bytes.toString().split('\n').slice(0, -1);
export const joined = (lines: readonly string[]) => Buffer.from(lines.map((line) => `${line}\n`).join(''));

/** Append to the journal of a folder. @returns all of it */
export function written(dir: string, ...entries: readonly JournalEntry[]): Buffer {
  const journal = openJournal(dir);
  for (const entry of entries) journal.append(entry);
  journal.close();
  return readFileSync(join(dir, JOURNAL_FILE));
}

const below = (random: Random, limit: number) => Math.floor(random() * limit);

/** Ways in which files are damaged. */
const MUTATIONS: Readonly<Record<string, (bytes: Buffer, random: Random) => Buffer>> = {
  truncate: (bytes, random) => bytes.subarray(0, below(random, bytes.length)),
  'truncate at a line': (bytes, random) => {
    const lines = linesOf(bytes);
    return joined(lines.slice(0, below(random, lines.length)));
  },
  'flip a bit': (bytes, random) => {
    const copy = Buffer.from(bytes);
    const at = below(random, copy.length);
    copy[at] = copy[at]! ^ (1 << below(random, 8));
    return copy;
  },
  'zero a block': (bytes, random) => {
    const from = below(random, bytes.length);
    return Buffer.from(bytes).fill(0, from, Math.min(from + 512, bytes.length));
  },
  'change a number': (bytes, random) => {
    const text = bytes.toString();
    const numbers = [...text.matchAll(/\d+/g)];
    const { index, 0: old } = numbers[below(random, numbers.length)]!;
    const other = String(Number(old) + 1 + below(random, 900));
    return Buffer.from(text.slice(0, index) + other + text.slice(index + old.length));
  },
  'change a word': (bytes, random) => {
    const text = bytes.toString();
    const words = [...text.matchAll(/"[a-z:A-Z -]+"/g)];
    const [one, other] = [words[below(random, words.length)]!, words[below(random, words.length)]!];
    return Buffer.from(text.slice(0, one.index) + other[0] + text.slice(one.index + one[0].length));
  },
  'duplicate a line': (bytes, random) => {
    const lines = linesOf(bytes);
    const line = lines[below(random, lines.length)]!;
    lines.splice(below(random, lines.length + 1), 0, line);
    return joined(lines);
  },
  'remove a line': (bytes, random) => {
    const lines = linesOf(bytes);
    lines.splice(below(random, lines.length), 1);
    return joined(lines);
  },
  'swap two lines': (bytes, random) => {
    const lines = linesOf(bytes);
    const at = below(random, Math.max(lines.length - 1, 1));
    lines.splice(at, 2, ...lines.slice(at, at + 2).reverse());
    return joined(lines);
  },
  'insert garbage': (bytes, random) => {
    const at = below(random, bytes.length);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from('\n{"type":"run"}\n'), bytes.subarray(at)]);
  },
};

/** A file, and how it is read. */
interface Kind {
  readonly name: string;
  readonly path: string;
  readonly bytes: Buffer;
  /** Read the damaged file. @returns why that is not right; null: it was refused, or named, or says what was written */
  readonly read: () => string | null;
}

/** Damage as many files. */
export async function fuzzFiles(count: number, seed: number, note: (text: string) => void): Promise<Attacked> {
  const home = mkdtempSync(join(tmpdir(), 'bindstorm-files-'));
  const state = process.env.XDG_STATE_HOME;
  process.env.XDG_STATE_HOME = join(home, 'state');
  const failures: string[] = [];
  const tried: string[] = [];
  try {
    const kinds = kindsIn(home);
    const ways = Object.entries(MUTATIONS);
    for (let i = 0; tried.length < count; i++) {
      const kind = kinds[i % kinds.length]!;
      const [way, mutate] = ways[Math.floor(i / kinds.length) % ways.length]!;
      const damaged = mutate(kind.bytes, randomStream(seed, `${kind.name}/${way}/${i}`));
      if (damaged.equals(kind.bytes)) continue;
      writeFileSync(kind.path, damaged);
      const problem = problemOf(kind);
      if (problem !== null) failures.push(`${kind.name}, ${way}, number ${i} of seed ${seed}: ${problem}`);
      writeFileSync(kind.path, kind.bytes);
      tried.push(kind.name);
      if (tried.length % 1000 === 0) note(`${tried.length} files`);
    }
  } finally {
    if (state === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = state;
    rmSync(home, { recursive: true, force: true });
  }
  return { tried: tried.length, failures, detail: tally(tried) };
}

function problemOf({ read }: Kind): string | null {
  try {
    return read();
  } catch (error) {
    return error instanceof JournalError ? null : String(error instanceof Error ? error.stack : error);
  }
}

function kindsIn(home: string): Kind[] {
  const folder = (name: string) => {
    const dir = join(home, name);
    mkdirSync(dir);
    return dir;
  };
  return [
    runJournal(folder('run')),
    searchJournal(folder('search')),
    fixesJournal(folder('fixes')),
    results(folder('results')),
    snapshot(),
  ];
}

function runJournal(dir: string): Kind {
  const bytes = written(dir, BEGIN, ...RUNS.map(entryOf), END);
  const known = new Map(RUNS.map((run) => [run.id, run]));
  const read = () => {
    const found = readResults(dir);
    if (!found.warnings.some((text) => text.includes('journal'))) return 'nothing was said';
    const other = found.variants.flatMap(({ runs }) => runs).find((run) => !isDeepStrictEqual(run, known.get(run.id)));
    return other === undefined ? null : `run ${other.id} was not written so`;
  };
  return { name: 'journals of run', path: join(dir, JOURNAL_FILE), bytes, read };
}

/** A search is resumed behind its last step: it may have lost steps at its end, and no other. */
function searchJournal(dir: string): Kind {
  const step = (i: number): JournalEntry => ({
    type: 'step',
    arm: i < 4 ? 'baseline' : 'a',
    step: {
      ...{ id: `s${i}`, rate: 10 + i, notHeld: null, failures: 0, how: 'in full', seconds: 1, outcomes: { ok: 10 } },
      ...{ p99: null, discarded: false },
    },
  });
  const bytes = written(dir, SEARCH_BEGIN, ...[0, 1, 2, 3, 4, 5].map(step), END);
  const whole = [...readJournal(dir, 'search').steps.values()].flat();
  const read = () => {
    const { steps, ended } = readJournal(dir, 'search');
    const found = [...steps.values()].flat();
    if (!isDeepStrictEqual(found, whole.slice(0, found.length))) return 'steps that were not written so';
    return ended === null ? null : 'a search that ended, and nothing was said';
  };
  return { name: 'journals of search', path: join(dir, JOURNAL_FILE), bytes, read };
}

function fixesJournal(dir: string): Kind {
  const { type, schemaVersion, startedAt, command } = COMMON;
  const begin: BeginOf<'fixes'> = {
    ...{ type, schemaVersion, startedAt, command, kind: 'fixes' },
    options: { kernels: ['host', 'bookworm'], strategies: ['bind', 'connect'], subjects: ['squid'], only: ['no-port'] },
  };
  const bytes = written(dir, begin, { type: 'resume', at: startedAt }, END);
  const read = () => {
    const { begin: found, damage, ended } = readJournal(dir, 'fixes');
    if (!isDeepStrictEqual(found, begin)) return 'options that were not written so';
    // What ends with its table is said, and made again where it is not there.
    return damage.length > 0 || ended === null ? null : 'nothing was said';
  };
  return { name: 'journals of fixes', path: join(dir, JOURNAL_FILE), bytes, read };
}

function results(dir: string): Kind {
  const path = join(dir, RESULTS_FILE);
  writeResults(dir, quickstartResults({ blocks: 1, seconds: 1 }));
  const whole = readResults(dir);
  const read = () => (isDeepStrictEqual(readResults(dir), whole) ? null : 'results that were not written so');
  return { name: 'results.json without a journal', path, bytes: readFileSync(path), read };
}

/** What a host run keeps of the sysctls that it changes: a value that was not written would be put back. */
function snapshot(): Kind {
  const { path, ...whole } = takeSnapshot([
    'kernel.ostype',
    'net.ipv4.ip_local_port_range',
    'net.ipv4.tcp_fin_timeout',
  ]);
  const read = () => {
    const found = ownSnapshot();
    if (!existsSync(path)) return 'the file was removed';
    return found === undefined || isDeepStrictEqual(found, { ...whole, path }) ? null : 'values that were not written';
  };
  mkdirSync(dirname(path), { recursive: true });
  return { name: "snapshots of the host's sysctls", path, bytes: readFileSync(path), read };
}
