/**
 * Mutated lines for `explain`: whatever the text and in whatever parts it comes, it is read to its end, each line is counted once, and what is
 * said can be shown.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Random, randomStream } from '../../../src/domain/random.js';
import { createExplainer, explain } from '../../../src/explain/explain.js';
import { MOST_OF_A_LINE } from '../../../src/explain/lines.js';
import { renderExplanation } from '../../../src/report/explain.js';
import { EXPLAINED_LINES } from '../explained-lines.js';
import type { Attacked } from './attack.js';

const CORPUS: readonly string[] = [
  ...EXPLAINED_LINES.flatMap(([, text]) => text.split('\n')),
  ...['bind', 'connect'].flatMap((call) => [
    `${call}(3, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("10.0.0.1")}, 16) = -1 EADDRINUSE (Address already in use)`,
    `[pid 7] 12:00:01 ${call}(3, {sa_family=AF_INET6, sin6_port=htons(443), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28 <unfinished ...>`,
    `7 <... ${call} resumed>) = -1 EADDRNOTAVAIL (Cannot assign requested address)`,
  ]),
  'socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 3',
  'setsockopt(3, SOL_IP, IP_BIND_ADDRESS_NO_PORT, [1], 4) = 0',
  'close(3) = 0',
  'OSError: [Errno 98] Address already in use',
  'a normal line of a log, of which nothing is to be said',
  '',
];
/** Lines of a text, which is explained at once. */
const AT_ONCE = 500;
/** CPU microseconds for a character: what a square of a line would exceed many times. */
const MOST_PER_CHARACTER = 5;

const below = (random: Random, limit: number) => Math.floor(random() * limit);
const oneOf = <T>(random: Random, values: readonly T[]): T => values[below(random, values.length)]!;
const SCRAPS = [
  '\u0000',
  '\u001b[31m',
  '\u202e',
  '(',
  ')',
  '[',
  '->',
  ': ',
  ' ',
  '\t',
  '\r',
  '"',
  '<',
  '99',
  '98',
  '-1',
  '::',
  '\ud800',
  'bind',
  'connect',
  'EADDRINUSE',
  'errno',
  'é',
  '𝒳',
];

const WAYS: readonly ((line: string, random: Random) => string)[] = [
  (line) => line,
  (line, random) => {
    const at = below(random, line.length + 1);
    return line.slice(0, at) + oneOf(random, SCRAPS) + line.slice(at + below(random, 4));
  },
  (line, random) => line.slice(0, below(random, line.length + 1)),
  (line, random) => line.slice(below(random, line.length + 1)),
  (line, random) => line.slice(0, below(random, line.length + 1)) + oneOf(random, CORPUS),
  (line, random) => line.replace(/\d+/, () => String(oneOf(random, [0, 98, 99, 65_536, 2 ** 60]))),
  (line, random) => (random() < 0.05 ? line.repeat(1 + below(random, 40)) : line),
  (line, random) => (random() < 0.02 ? oneOf(random, SCRAPS).repeat(5_000) + line : line.toUpperCase()),
  (line, random) =>
    line
      .split(' ')
      .sort(() => random() - 0.5)
      .join(' '),
];

/** Explain as many mutated lines. */
export async function fuzzLines(count: number, seed: number, note: (text: string) => void): Promise<Attacked> {
  const failures: string[] = [];
  let [tried, told, micros, characters] = [0, 0, 0, 0];
  for (let i = 0; tried < count; i++) {
    const random = randomStream(seed, `lines ${i}`);
    const lines = Array.from({ length: Math.min(AT_ONCE, count - tried) }, () =>
      oneOf(random, WAYS)(oneOf(random, WAYS)(oneOf(random, CORPUS), random), random),
    );
    const text = lines.join('\n');
    const before = process.cpuUsage();
    try {
      const whole = explain(text);
      const { user, system } = process.cpuUsage(before);
      micros += user + system;
      characters += text.length;
      told += whole.lines - whole.unknown;
      const problem = problemOf(text, whole, random);
      if (problem !== null) failures.push(`text ${i} of seed ${seed}: ${problem}`);
      if (user + system > MOST_PER_CHARACTER * text.length + 200_000)
        failures.push(`text ${i} of seed ${seed}: ${(user + system) / 1000} ms of CPU for ${text.length} characters`);
    } catch (error) {
      failures.push(`text ${i} of seed ${seed}: ${error instanceof Error ? error.stack : error}`);
    }
    tried += lines.length;
    if (tried % 100_000 === 0) note(`${tried} lines`);
  }
  const rate = (characters / 1e6 / (micros / 1e6)).toFixed(1);
  return { tried, failures, detail: `something was said of ${told.toLocaleString('en')}; ${rate} MB a second of CPU` };
}

function problemOf(text: string, whole: ReturnType<typeof explain>, random: Random): string | null {
  const seen = text
    .split('\n')
    .filter((line) => [...line.slice(0, MOST_OF_A_LINE)].some((character) => character > ' ')).length;
  if (whole.lines !== seen) return `${whole.lines} lines instead of ${seen}`;
  if (whole.unknown < 0 || whole.unknown > whole.lines) return `${whole.unknown} of ${whole.lines} lines unknown`;
  const shown = renderExplanation(whole, 100);
  if (/[^\P{Cc}\n\t]|[\u202a-\u202e\u2066-\u2069]/u.test(shown)) return `control characters: ${JSON.stringify(shown)}`;
  const explainer = createExplainer();
  for (let at = 0; at < text.length; ) {
    const end = at + 1 + below(random, 5_000);
    explainer.take(text.slice(at, end));
    at = end;
  }
  return isDeepStrictEqual(explainer.end(), whole) ? null : 'in other parts it says another thing';
}
