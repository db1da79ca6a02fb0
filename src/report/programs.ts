/**
 * The survey of programs, in words. Pure.
 */
import { clientOf, goesOnUnbound, remedyOf, SURVEY_PORTS, type SurveyRow } from '../explain/survey.js';
import { wrap } from './wrap.js';

/** All rows as text, a line each. */
export function listPrograms(rows: readonly SurveyRow[]): string {
  const cells = rows.map((row) => [
    row.program,
    row.version.replace(/[+~-](?:deb|\d*ubuntu|dfsg|ds).*$/, ''),
    row.strategy,
    row.held.map((held) => held ?? '-').join(', '),
    row.failing[0] ?? '-',
    row.option,
  ]);
  const head = ['program', 'version', 'strategy', 'held', 'fails with', 'given its address by'];
  const widths = head.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    `${row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()}\n`;
  return `${line(head)}${cells.map(line).join('')}
held: connections to one destination, and to two, with ${SURVEY_PORTS} ports and one address; - was not counted
`;
}

/** One row whole. @param width in columns */
export function renderProgram(row: SurveyRow, width: number): string {
  const part = (title: string, text: string) =>
    text === ''
      ? ''
      : wrap(text, Math.max(width - 14, 40))
          .map((line, i) => `  ${(i === 0 ? title : '').padEnd(11)}${line}\n`)
          .join('');
  const [one, two] = row.held;
  return [
    `${row.program} ${row.version} (${row.suite}, ${row.date}), ${row.option}\n`,
    part('strategy', row.strategy + (row.options === '' ? '' : `: ${row.options}`)),
    part('held', one === null ? '' : `${one} to one destination, ${two} to two, with ${SURVEY_PORTS} ports`),
    part('fails with', row.failing.join(', ')),
    part('says', row.line === '' ? 'nothing' : row.line),
    part('client', clientOf(row)),
    part(
      'then',
      goesOnUnbound(row)
        ? 'goes on unbound: the connection leaves from another address than the one asked for'
        : row.note,
    ),
    part('helps', remedyOf(row)),
  ].join('');
}
