/** The exhaustion lines of the programs of the survey (docs/programs.md): each program was run with eight ports until it failed. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CAUSES } from '../../src/explain/causes.js';
import { mentionsOf } from '../../src/explain/errno.js';
import { explain } from '../../src/explain/explain.js';
import {
  formatSurvey,
  parseSurvey,
  remedyOf,
  SURVEY_PORTS,
  type SurveyRow,
  withRow,
} from '../../src/explain/survey.js';

const SURVEY = readFileSync(new URL('../../../programs/survey.tsv', import.meta.url), 'utf8');
const ROWS = parseSurvey(SURVEY).filter(({ line }) => line !== '');

/** Strategies that one line cannot tell apart: an option that is not in it, or whether there was a source address at all. */
const ALIKE: readonly (readonly string[])[] = [
  ['connect', 'bind-no-port', 'bind-no-port-reuseaddr', 'connect-fastopen', 'bind-any-explicit-port-reuseaddr'],
  ['bind', 'bind-reuseaddr'],
  ['bind-explicit-port', 'bind-explicit-port-exclusive', 'bind-any-explicit-port', 'bind-explicit-port-reuseaddr'],
  ['bind-reuseaddr', 'bind-any-reuseaddr'],
];

function judge({ strategy: family, failing, line }: SurveyRow): 'right' | 'open' | 'wrong' {
  const { findings } = explain(line);
  if (findings.length !== 1) return findings.length === 0 ? 'open' : 'wrong';
  const [{ call, errno, strategy, cause }] = findings as [(typeof findings)[number]];
  const expected = failing.map((text) => text.replace(/^send\w+\+FASTOPEN/, 'connect'));
  const said = `${call}:${errno}`;
  const named = call !== 'none' && errno !== null;
  if (named && expected.length > 0 && !expected.includes(said)) return 'wrong';
  const alike =
    strategy === null ||
    strategy.name === family ||
    ALIKE.some((all) => all.includes(strategy.name) && all.includes(family));
  if (!alike) return 'wrong';
  return named && (CAUSES[cause].open !== true || strategy !== null) ? 'right' : CAUSES[cause].open ? 'open' : 'right';
}

test('no line of the survey is read wrongly, and nine of ten are read in full', () => {
  const judged = ROWS.map((row) => ({ row, verdict: judge(row) }));
  // Some programs name no errno, and some lines were cut before it.
  const telling = ROWS.filter(({ line }) => mentionsOf(line).length > 0).length;
  const of = (verdict: string) =>
    judged.filter((one) => one.verdict === verdict).map(({ row }) => `${row.program}: ${row.line}`);
  assert.deepEqual(of('wrong'), []);
  assert.ok(telling >= 140, String(telling));
  assert.ok(
    of('right').length >= 0.9 * telling,
    `${of('right').length} of ${telling}; open:\n${of('open').join('\n')}`,
  );
});

test('the survey is whole: every row has its cells, and what a strategy allows is what was held', () => {
  const rows = parseSurvey(SURVEY);
  assert.ok(new Set(rows.map(({ program }) => program)).size >= 100);
  assert.equal(formatSurvey(rows), SURVEY);
  for (const { program, date } of rows) assert.match(date, /^20\d\d-[01]\d-[0-3]\d$/, program);
  for (const { program, strategy, held, failing } of rows) {
    const [one, two] = held;
    if (failing.length === 0 || one !== SURVEY_PORTS || two === null) continue;
    const expected = /^(?:bind|bind-reuseaddr|bind-any|bind-any-reuseaddr)$/.test(strategy) ? one : 2 * one;
    if (!/explicit/.test(strategy)) assert.equal(two, expected, `${program}: ${strategy}`);
  }
  assert.throws(() => parseSurvey('head\na\tb'), /row 2 of the survey has 2 cells, not 13/);
});

const NEW: SurveyRow = {
  program: 'pen',
  version: '9',
  suite: 'sid',
  date: '2027-01-02',
  option: 'none',
  strategy: 'connect',
  options: '',
  held: [8, 16],
  failing: ['connect:EADDRNOTAVAIL'],
  line: '',
  client: '{}',
  note: '',
};

test('a row takes the place of the same, else it is behind its program, else where its name belongs', () => {
  const names = (rows: readonly SurveyRow[]) => rows.map(({ program, version, date }) => [program, version, date]);
  const rows = [
    { ...NEW, program: 'nginx' },
    { ...NEW, version: '8' },
    { ...NEW, program: 'squid' },
  ];
  const more = withRow(rows, NEW);
  assert.deepEqual(names(more)[2], ['pen', '9', '2027-01-02']);
  const again = withRow(more, { ...NEW, date: '2027-03-04' });
  assert.deepEqual([again.length, names(again)[2]], [4, ['pen', '9', '2027-03-04']]);
  assert.equal(withRow(rows, { ...NEW, program: 'axel' })[0]?.program, 'axel');
  assert.equal(withRow(rows, { ...NEW, program: 'wget' }).at(-1)?.program, 'wget');
});

test('what helps follows from the strategy', () => {
  const rows = parseSurvey(SURVEY);
  const of = (program: string, strategy: string) =>
    remedyOf(rows.find((row) => row.program === program && row.strategy === strategy)!);
  assert.match(of('squid', 'bind'), /IP_BIND_ADDRESS_NO_PORT/);
  assert.match(of('squid', 'connect'), /tcp_tw_reuse=1/);
});
