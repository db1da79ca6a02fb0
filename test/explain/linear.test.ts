/** Four times the input takes about four times the time, whatever it is; and what a line is asked follows from the patterns themselves. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createExplainer, explain } from '../../src/explain/explain.js';
import { MOST_OF_A_LINE } from '../../src/explain/lines.js';
import { needlesOf } from '../../src/explain/needles.js';
import { PROGRAMS } from '../../src/explain/programs/index.js';
import { fuzzLines } from '../support/fuzz/lines.js';

/** Beginnings of what the patterns look for, of which none ends. */
const PARTS = [
  'bind(',
  'bind failed ',
  'bind() to x failed (98) ',
  'connect() to a failed (99: ',
  'OSError ConnectError ',
  '[Errno 98] ',
  'Connecting to a|a|a:1:1... failed: ',
  'connect EADDRNOTAVAIL 1:1 - Local (',
  '1 connect(3, <unfinished',
  '<... connect resumed>',
  'dial tcp :0->:0->:0->',
  ' = ',
  '::1:1',
  '[pid 1 ',
  '>) = ',
  ' ',
  '\t',
  '(',
  '->',
];

/** CPU time, the least of three. @param enough no further time is taken once one is below it */
function milliseconds(work: () => void, enough = 0): number {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 3 && least >= enough; i++) {
    const begun = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(begun);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

test('no pattern takes the square of a line: four times the line, less than eight times the time', () => {
  const slow: string[] = [];
  for (const { name, patterns } of PROGRAMS)
    for (const pattern of patterns)
      for (const regex of [pattern.match, pattern.after, pattern.without, pattern.near])
        for (const part of PARTS) {
          if (!regex) continue;
          // Both lines are longer than any that is read, so that a square would be seen.
          const text = (length: number) => `bind(${part.repeat(Math.ceil(length / part.length)).slice(0, length)}`;
          const [short, long] = [text(8_000), text(32_000)];
          const time = (line: string) => milliseconds(() => regex.test(line));
          // What is over within two milliseconds is no square of 32,000.
          const whole = time(long);
          if (whole > 2 && whole > 8 * time(short)) slow.push(`${name}: ${regex} on ${JSON.stringify(part)}`);
        }
  assert.deepEqual(slow, []);
});

test('four times the text takes less than eight times the time, in long lines and in short ones', () => {
  for (const part of PARTS)
    for (const end of ['', '\n', `${part.repeat(200)}\n`]) {
      const text = (count: number) => (part + end).repeat(count);
      const count = Math.ceil(200_000 / (part.length + end.length));
      // The least of several times counts: one long text that is quick enough says that its least is.
      const short = milliseconds(() => explain(text(count)));
      const long = milliseconds(() => explain(text(4 * count)), Math.max(50, 8 * short));
      assert.ok(long < 50 || long < 8 * short, `${JSON.stringify(part)}: ${short} ms, then ${long} ms`);
    }
});

test('a line is cut, said to be, and what it says before the cut is found', () => {
  const line = 'socket/connect: Address already in use';
  const filled = (before: number) => `${'x'.repeat(before)} bind: Address already in use`;
  assert.deepEqual([explain(line).cut, explain(`${line}\n${line}\n`).cut], [0, 0]);
  assert.equal(explain(`${filled(10)}${' '.repeat(200_000)}\nb`).findings.length, 1);
  const late = explain(`${filled(MOST_OF_A_LINE)}\n${filled(10)}`);
  assert.deepEqual([late.lines, late.unknown, late.cut, late.findings[0]?.count], [2, 1, 1, 1]);
});

test('a line that begins with more blanks than are read is none, in whatever parts it comes', () => {
  const text = `${'\t'.repeat(MOST_OF_A_LINE + 9)} bind: Address already in use\nconnect: Cannot assign requested address\n`;
  const whole = explain(text);
  assert.deepEqual([whole.lines, whole.cut, whole.findings.length], [1, 0, 1]);
  for (const size of [7, MOST_OF_A_LINE, MOST_OF_A_LINE + 3]) {
    const explainer = createExplainer();
    for (let i = 0; i < text.length; i += size) explainer.take(text.slice(i, i + size));
    assert.deepEqual(explainer.end(), whole, `in parts of ${size}`);
  }
});

test('the parts in which a text comes do not matter, nor do quiet lines around a trace and a log', () => {
  const quiet = (n: number) => Array.from({ length: n }, (_, i) => (i % 3 === 0 ? '' : `quiet ${i}`)).join('\n');
  const text = [
    quiet(300),
    'sock.bind(source_address)',
    'a',
    'OSError: [Errno 98] Address already in use',
    quiet(40),
    '7 socket(AF_INET, SOCK_STREAM, IPPROTO_TCP) = 3',
    '7 connect(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("10.0.0.1")}, 16 <unfinished ...>',
    quiet(100),
    '7 <... connect resumed>) = -1 EADDRNOTAVAIL (Cannot assign requested address)',
    'OSError: [Errno 98] Address already in use',
    quiet(11),
    'the server of it',
    quiet(500),
  ].join('\n');
  const whole = explain(text);
  assert.deepEqual(
    whole.findings.map(({ program, call, errno, count }) => [program, call, errno, count]),
    [
      ['Python', 'bind', 'EADDRINUSE', 1],
      [null, 'connect', 'EADDRNOTAVAIL', 1],
      ['Python', 'listen', 'EADDRINUSE', 1],
    ],
  );
  for (const size of [1, 7, 100, 4_097]) {
    const explainer = createExplainer();
    for (let i = 0; i < text.length; i += size) explainer.take(text.slice(i, i + size));
    assert.deepEqual(explainer.end(), whole, `in parts of ${size}`);
  }
});

test('every pattern has a text that its lines must have, long enough to be rare', () => {
  for (const { name, patterns } of PROGRAMS)
    for (const { match } of patterns)
      for (const needle of needlesOf(match)) assert.ok(needle.length >= 5, `${name}: ${match} needs ${needle}`);
  assert.deepEqual(needlesOf(/a(?:bcd|efgh)?xyz|[abc]longer\.(?<n>one)+/), ['xyz', 'longer.']);
  assert.deepEqual(needlesOf(/\(?(?:first|second) x*/), ['first', 'second']);
  assert.throws(() => needlesOf(/\d+|abc/), /no text is certain/);
});

test('mutated lines, in whatever parts they come, are each counted once, and what is said of them can be shown', async () => {
  const { tried, failures, detail } = await fuzzLines(20_000, 1, () => {});
  assert.deepEqual(failures, []);
  assert.equal(tried, 20_000, detail);
});
