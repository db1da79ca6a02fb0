/**
 * `bindstorm explain`: a log line, an errno or a trace → program, call, what ran out, and the profile that reproduces it.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { counted } from '../analysis/format.js';
import { strategyOf } from '../domain/strategy.js';
import { type Explanation, explain, type Finding } from '../explain/explain.js';
import { PROGRAMS } from '../explain/programs/index.js';
import { UserError } from './exit.js';
import { wrap } from './wrap.js';

interface ExplainOptions {
  readonly json: boolean;
  readonly profile: boolean;
}

/** More than a log of a day, and less than what a terminal should wait for. */
const MOST_BYTES = 64 * 1024 * 1024;

export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description(
      'what a log line, an errno or strace output means: program, call, what ran out, and how to reproduce it',
    )
    .argument('[input...]', 'a line or an errno, or a file; without it, standard input')
    .option('--profile', 'only a profile that reproduces the first shortage, for bindstorm run', false)
    .option('--json', 'as JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  bindstorm explain 'connect() to 10.9.255.1:8080 failed (99: Cannot assign requested address) while connecting to upstream'
  bindstorm explain /var/log/squid/cache.log
  strace -f -e trace=socket,setsockopt,bind,connect -p PID 2>&1 | bindstorm explain

It knows the words of ${PROGRAMS.map(({ name }) => name).join(', ')}, and strace's.`,
    )
    .action(async (input: string[], options: ExplainOptions) => {
      const explanation = explain(await read(input));
      if (options.json) process.stdout.write(`${JSON.stringify(explanation)}\n`);
      else if (options.profile) process.stdout.write(firstProfile(explanation));
      else process.stdout.write(render(explanation));
    });
}

async function read(input: readonly string[]): Promise<string> {
  const given = input.join(' ');
  if (given === '' || given === '-') {
    if (process.stdin.isTTY)
      throw new UserError('nothing to explain; give a line in quotes, a file, or pipe something in');
    return text(process.stdin);
  }
  if (input.length > 1 || !existsSync(given)) {
    if (input.length === 1 && /^[\w./-]+\/[\w.-]+$/.test(given))
      throw new UserError(`${given} does not exist; give a file, a line in quotes, or pipe something in`);
    return given;
  }
  const { size } = statSync(given);
  if (statSync(given).isDirectory()) throw new UserError(`${given} is a folder; give a file`);
  if (size > MOST_BYTES) {
    throw new UserError(
      `${given} has ${size} bytes, more than ${MOST_BYTES}; give its end, as: tail -n 100000 ${given} | bindstorm explain`,
    );
  }
  return readFileSync(given, 'utf8');
}

function firstProfile({ findings }: Explanation): string {
  const yaml = findings.find(({ reproduce }) => reproduce)?.reproduce?.yaml;
  if (yaml === undefined) throw new UserError('nothing in it is a shortage of ports that a profile could reproduce');
  return yaml;
}

function render({ findings, lines, unknown }: Explanation): string {
  const width = Math.min(process.stdout.columns ?? 100, 120);
  if (findings.length === 0) {
    return `${wrap(
      `I do not know: nothing in ${counted(lines, 'line')} is a failure of bind() or connect() in words that I know. What would tell: strace -f -e trace=socket,setsockopt,bind,connect -p PID, given to this command.`,
      width,
    ).join('\n')}\n`;
  }
  const rest = unknown > 0 ? `${counted(unknown, 'further line')} said nothing to me.\n` : '';
  const blocks = findings.map((finding, i) => {
    const said = findings.findIndex(({ cause }) => cause === finding.cause) < i;
    return renderFinding(finding, width, said);
  });
  return `${blocks.join('\n')}${rest && `\n${rest}`}`;
}

/** @param said whether a finding before it had the same cause, which then is not explained again */
function renderFinding(finding: Finding, width: number, said: boolean): string {
  const { line, count, why, note, reproduce, strategy } = finding;
  const paragraph = (title: string, content: string | null) =>
    content === null
      ? []
      : wrap(content, width - 13).map((part, i) => `  ${i === 0 ? title.padEnd(11) : ' '.repeat(11)}${part}`);
  return `${[
    line.length > width ? `${line.slice(0, width - 1)}…` : line,
    ...(count > 1 ? [`  (${counted(count, 'line')} like this)`] : []),
    ...paragraph('program', programText(finding)),
    ...paragraph('failed', failedText(finding)),
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
      : [...paragraph('see', why.check), ...paragraph('helps', why.helps), ...paragraph('in vain', why.inVain)]),
    ...(reproduce ? paragraph('reproduce', reproduceText(reproduce)) : []),
  ].join('\n')}\n`;
}

function programText({ program, version }: Finding): string {
  if (program === null)
    return version === null ? 'I do not know; the words are common ones' : `I do not know (${version})`;
  return version === null ? program : `${program}, ${version}`;
}

function failedText({ call, errno }: Finding): string {
  const name = call === 'none' ? 'no call is named' : `${call}()`;
  return errno === null ? name : `${name}${call === 'none' ? ': ' : ' = '}${errno}`;
}

function reproduceText({ shipped }: NonNullable<Finding['reproduce']>): string {
  const own = 'the same command with --profile > reproduce.yaml, then bindstorm run reproduce.yaml';
  return shipped === null ? own : `bindstorm run ${shipped} (the story it is known from), or ${own}`;
}
