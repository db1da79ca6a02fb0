/**
 * Mutated profiles: each is read, or refused with a place and a sentence; what is read can be planned, and is the same behind the wire.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../../src/domain/error.js';
import { type Random, randomStream } from '../../../src/domain/random.js';
import { preview } from '../../../src/experiment/preview.js';
import { experimentSchema } from '../../../src/plan/plan.js';
import { loadProfile } from '../../../src/profile/load.js';
import { ProfileError } from '../../../src/profile/problem.js';
import { renderPreview } from '../../../src/report/preview.js';
import { BAD_PROFILES, GOOD_PROFILE } from '../../profile/bad-profiles.js';
import { ROOT } from '../cli.js';
import type { Attacked } from './attack.js';

/** What a schema library or a stack trace would say. */
export const JARGON =
  /Invalid input|Invalid option|Too (?:big|small)|received|undefined|\[object|YAMLParse|Error:|\bat .*\.js|call stack/;

/** CPU seconds that a profile may take, of which the largest allowed takes most. */
const MOST_SECONDS = 2;

const shipped = readdirSync(join(ROOT, 'profiles'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => readFileSync(join(ROOT, 'profiles', file), 'utf8'));
/** Texts that say little beside their keys are mutated most to the point. */
const CORPUS: readonly string[] = [
  ...shipped.flatMap((text) => [text, text.replace(/^ *#.*\n/gm, '')]),
  ...Array.from({ length: 20 }, () => GOOD_PROFILE),
  // Refused already; a second fault must not hide the first, nor bring it past the checks.
  ...BAD_PROFILES.map(({ text }) => text).filter((text, i) => text.length < 10_000 && i % 20 === 0),
];
const wordsOf = (pattern: RegExp) => [
  ...new Set(CORPUS.flatMap((text) => [...text.matchAll(pattern)].map(([, word]) => word!))),
];
const KEYS = wordsOf(/^[ \-{]*([\w.-]+):/gm);
const VALUES = wordsOf(/: +([^\n#]+?) *$/gm);

const SCRAPS = [
  '\n',
  '  ',
  '- ',
  ': ',
  '{',
  '}',
  '[',
  ']',
  '"',
  "'",
  '&a ',
  '*a',
  '<<: *a',
  '!!t ',
  '|\n',
  '>-\n',
  '0',
  '-',
  '\t',
  '#',
  '\u0000',
  '%',
  '---\n',
  '...\n',
  '? ',
  ',',
  '\u001b[2J',
  '\u202e',
  '\ufeff',
  '\r\n',
  '\ud800',
];
const HOSTILE = [
  '',
  '~',
  '0',
  '-1',
  '1e309',
  '-1e309',
  '.inf',
  '.nan',
  '0x7fffffff',
  '0o777',
  '9007199254740993',
  '18446744073709551616',
  '1e-320',
  '4294967296',
  'true',
  '[]',
  '{}',
  '[[[]]]',
  '{ a: { b: c } }',
  '""',
  '"\\u001b]0;x\\u0007"',
  'valueOf',
  '__proto__',
  'constructor',
  'toString',
  '2026-01-01',
  '1_000',
  '0s',
  '1ns',
  '1000000h',
  '1e9/s',
  '0.0001/s',
  '5 %',
  '1-65535',
  '65535-1',
  '0-0',
  '1 1',
  '::',
  '::1',
  '0.0.0.0/0',
  '127.0.0.0/8',
  'fd00::/64',
  '10.50.0.0/8',
  '10.50.0.0/33',
  '../../etc/passwd',
  '/dev/zero',
  '$(reboot)',
  'a'.repeat(3000),
];

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const oneOf = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)]!;
const onLines = (change: (lines: string[], at: number, random: Random) => void) => (text: string, random: Random) => {
  const lines = text.split('\n');
  change(lines, below(random, lines.length), random);
  return lines.join('\n');
};
/** Replace one of the matches of a pattern, from its first group on. */
const inPlace = (pattern: RegExp, values: (random: Random) => string) => (text: string, random: Random) => {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const { index, 0: whole, 1: before = '' } = oneOf(random, found);
  return text.slice(0, index) + before + values(random) + text.slice(index + whole.length);
};

const WAYS: readonly ((text: string, random: Random) => string)[] = [
  (text, random) => {
    const from = below(random, text.length);
    return text.slice(0, from) + oneOf(random, SCRAPS) + text.slice(from + below(random, 6));
  },
  (text, random) => {
    const from = below(random, text.length);
    return text.slice(0, from) + text.slice(from + below(random, 200));
  },
  onLines((lines, at) => lines.splice(at, 1)),
  onLines((lines, at, random) => lines.splice(below(random, lines.length), 0, lines[at]!)),
  onLines((lines, at, random) => {
    lines[at] = random() < 0.5 ? `  ${lines[at]}` : lines[at]!.replace(/^ {1,2}/, '');
  }),
  onLines((lines, at, random) => {
    lines[at] = `${/^ */.exec(lines[at]!)![0]}${oneOf(random, KEYS)}: ${oneOf(random, VALUES)}`;
  }),
  inPlace(/(: +)[^\s,{}[\]#][^,{}[\]\n#]*/g, (random) => oneOf(random, HOSTILE)),
  inPlace(/(: +)[^\s,{}[\]#][^,{}[\]\n#]*/g, (random) => oneOf(random, VALUES)),
  inPlace(/(^[ \-{]*)[\w.-]+(?=:)/gm, (random) => oneOf(random, KEYS)),
  inPlace(/(^[ \-{]*)[\w.-]+(?=:)/gm, (random) => oneOf(random, HOSTILE)),
  inPlace(/()\d+/g, (random) => String(oneOf(random, [0, 1, 2, 7, 255, 65_535, 65_536, 1e6, 1e12, 2 ** 53]))),
];

/** Mutate and read as many profiles. */
export async function fuzzProfiles(count: number, seed: number, note: (text: string) => void): Promise<Attacked> {
  const failures: string[] = [];
  let [accepted, slowest] = [0, 0];
  for (let i = 0; i < count; i++) {
    const random = randomStream(seed, `profile ${i}`);
    let text = oneOf(random, CORPUS);
    for (let n = oneOf(random, [1, 1, 2, 3]); n > 0; n--) text = oneOf(random, WAYS)(text, random);
    const before = process.cpuUsage();
    const problem = problemOf(text, () => accepted++);
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    slowest = Math.max(slowest, seconds);
    const slow = seconds > MOST_SECONDS ? `${seconds.toFixed(1)} s of CPU` : null;
    for (const what of [problem, slow])
      if (what !== null) failures.push(`profile ${i} of seed ${seed}: ${what}\n${text}`);
    if ((i + 1) % 5000 === 0) note(`${i + 1} profiles`);
  }
  const detail = `${(count - accepted).toLocaleString('en')} refused, ${accepted.toLocaleString('en')} planned; the slowest took ${slowest.toFixed(2)} s of CPU`;
  return { tried: count, failures, detail };
}

/** What is not as it must be; null: nothing. @param onRead called when the profile is accepted */
function problemOf(text: string, onRead: () => void): string | null {
  try {
    const { experiment } = loadProfile(text, 'x.yaml');
    onRead();
    const read = experimentSchema.parse(JSON.parse(JSON.stringify(experiment)));
    if (!isDeepStrictEqual(read, JSON.parse(JSON.stringify(experiment)))) return 'it is another behind the wire';
    const plan = preview(experiment, { ok: false, reason: 'no lab' }, { slower: 1, why: null });
    const wrong = notANumber(plan, 'plan');
    if (wrong !== null) return `${wrong} is not a number`;
    const shown = renderPreview(plan, experiment, 100);
    if (/[^\P{Cc}\n]|undefined|NaN|\[object/u.test(shown)) return `its plan cannot be shown: ${JSON.stringify(shown)}`;
    return Object.keys(Object.prototype).length === 0 ? null : 'every object has a key more';
  } catch (error) {
    if (!(error instanceof ProfileError)) {
      if (error instanceof UserError) return `a ${error.name} without a place: ${error.message}`;
      return error instanceof Error ? `${error.stack}` : String(error);
    }
    const lines = text.split(/\r\n|\r|\n/).length;
    for (const { line, message } of error.problems)
      if (line < 1 || line > lines || JARGON.test(message.replace(/"(?:[^"\\]|\\.)*"/g, '""')))
        return `line ${line}: ${message}`;
    if (error.problems.length === 0) return 'refused without a problem';
    return /[^\P{Cc}\n]/u.test(error.message) ? `control characters: ${JSON.stringify(error.message)}` : null;
  }
}

/** The path of a number that is none. */
function notANumber(value: unknown, path: string): string | null {
  if (typeof value === 'number') return Number.isNaN(value) ? path : null;
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, item] of Object.entries(value)) {
    const found = notANumber(item, `${path}.${key}`);
    if (found !== null) return found;
  }
  return null;
}
