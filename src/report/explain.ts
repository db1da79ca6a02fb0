/**
 * What log lines mean, in words. Pure.
 */

import { isIP } from 'node:net';
import { counted } from '../analysis/format.js';
import { printableLines } from '../domain/printable.js';
import { strategyOf } from '../domain/strategy.js';
import { CAUSES, STRACE, STRACE_SLOWS } from '../explain/causes.js';
import type { Explanation, Finding } from '../explain/explain.js';
import { MOST_OF_A_LINE } from '../explain/lines.js';
import { wrap } from './wrap.js';

/** The findings as text for a terminal. @param width in columns */
export function renderExplanation(explanation: Explanation, width: number): string {
  return printableLines(textOf(explanation, width));
}

function textOf({ findings, lines, unknown, notUnderstood, cut }: Explanation, width: number): string {
  if (findings.length === 0) {
    return `${wrap(
      `Not recognized: nothing in ${counted(lines, 'line')} is a failure of bind() or connect() in words that bindstorm knows. To find out, give this command the output of: ${STRACE} -e trace=socket,setsockopt,bind,connect -p PID (${STRACE_SLOWS})`,
      width,
    ).join('\n')}\n${cutText(cut)}`;
  }
  const shown = notUnderstood.map((line) => `  ${line.length > width - 2 ? `${line.slice(0, width - 3)}…` : line}\n`);
  const named = shown.length > 0 ? `Of these, the first that name an errno:\n${shown.join('')}` : '';
  const rest = `${unknown > 0 ? `${counted(unknown, 'further line')} not recognized.\n${named}` : ''}${cutText(cut)}`;
  const blocks = findings.map((finding, i) => {
    const said = findings.findIndex(({ cause }) => cause === finding.cause) < i;
    return renderFinding(finding, width, said);
  });
  return `${blocks.join('\n')}${rest && `\n${rest}`}`;
}

function cutText(cut: number): string {
  return cut > 0
    ? `${counted(cut, 'line')} longer than ${MOST_OF_A_LINE} characters: nothing after that was looked at.\n`
    : '';
}

/** @param said whether a finding before it had the same cause, which then is not explained again */
function renderFinding(finding: Finding, width: number, said: boolean): string {
  const { line, count, why, note, reproduce, strategy, sure } = finding;
  const marks = marksOf(finding, width);
  const paragraph = (title: string, content: string | null) =>
    content === null
      ? []
      : wrap(content, width - 13).map((part, i) => `  ${i === 0 ? title.padEnd(11) : ' '.repeat(11)}${part}`);
  return `${[
    line.length > width ? `${line.slice(0, width - 1)}…` : line,
    ...(marks === '' ? [] : [marks]),
    ...(count > 1 ? [`  (${counted(count, 'line')} like this)`] : []),
    ...paragraph('program', programText(finding)),
    ...paragraph('failed', failedText(finding)),
    ...(sure === 'open' ? paragraph('open', 'the line alone does not decide between several causes') : []),
    ...paragraph(
      'ran out',
      said ? `${why.resource.split(/(?<=[:.]) /)[0]!.replace(/:$/, '.')} (as above)` : why.resource,
    ),
    ...(strategy
      ? paragraph(
          'strategy',
          `${strategy.name}${strategy.sure ? '' : ' (likely)'}: ${strategyOf(strategy.name).usedBy}`,
        )
      : []),
    ...paragraph('note', note),
    ...(said
      ? []
      : [
          ...paragraph('see', checkText(finding)),
          ...paragraph('helps', why.helps),
          ...paragraph('in vain', why.inVain),
        ]),
    ...(reproduce ? paragraph('reproduce', reproduceText(finding, reproduce)) : []),
  ].join('\n')}\n`;
}

/** A line of marks under the words that the answer rests on; empty where there are none. */
function marksOf({ line, facts }: Finding, width: number): string {
  const end = Math.min(line.length, width - 1);
  const marks = Array.from({ length: end }, (_, i) =>
    (facts?.evidence ?? []).some(([from, to]) => from <= i && i < to) ? '^' : ' ',
  );
  return marks.join('').trimEnd();
}

/** Where to see it, with the address of the line where that has one. */
function checkText({ why, facts }: Finding): string {
  const address = facts?.local?.address ?? '';
  return isIP(address) ? why.check.replaceAll("'src ADDRESS", `'src ${address}`) : why.check;
}

function programText({ program, version }: Finding): string {
  if (program === null) return version === null ? 'unknown; many programs use these words' : `unknown (${version})`;
  return version === null ? program : `${program}, ${version}`;
}

function failedText({ call, errno }: Finding): string {
  const name = call === 'none' ? 'no call is named' : `${call}()`;
  return errno === null ? name : `${name}${call === 'none' ? ': ' : ' = '}${errno}`;
}

function reproduceText({ strategy, why }: Finding, { shipped }: NonNullable<Finding['reproduce']>): string {
  const own = 'the same command with --profile > reproduce.yaml, then bindstorm run reproduce.yaml';
  // A story in which every address is used is another case than one address that has the load of twenty.
  const nearer =
    strategy?.name === 'bind' && why === CAUSES['ports-of-the-address']
      ? ' Where one address is full and others are not, my-proxy.yaml of docs/tutorial.md is nearer.'
      : '';
  return `${shipped === null ? own : `bindstorm run ${shipped} (the story it is known from), or ${own}`}.${nearer}`;
}
