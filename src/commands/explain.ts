/**
 * `bindstorm explain`: a log line, an errno or a trace → program, call, what ran out, and the profile that reproduces it.
 */
import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { createExplainer, type Explanation } from '../explain/explain.js';
import { PROGRAMS } from '../explain/programs/index.js';
import { refuseOtherThanFile, textParts } from '../machine/read-file.js';
import { renderExplanation } from '../report/explain.js';
import { UserError } from './exit.js';
import { print, textWidth } from './terminal.js';

interface ExplainOptions {
  readonly json: boolean;
  readonly profile: boolean;
}

/** Adds the command. */
export function registerExplain(program: Command): void {
  program
    .command('explain')
    .description(
      'explain a log line, an errno or strace output: which program, which call, what ran out, and how to reproduce it',
    )
    .argument('[input...]', 'a line or an errno, or a file; without it, standard input')
    .option('--profile', 'print only a profile for bindstorm run that reproduces the first shortage', false)
    .option('--json', 'as JSON', false)
    // A line may begin with a dash: -ERR Cannot assign requested address.
    .allowUnknownOption()
    .addHelpText(
      'after',
      `
Examples:
  bindstorm explain 'connect() to 10.9.255.1:8080 failed (99: Cannot assign requested address) while connecting to upstream'
  bindstorm explain /var/log/squid/cache.log
  timeout 10 strace -f -e trace=socket,setsockopt,bind,connect -p PID 2>&1 | bindstorm explain

It knows the words of ${[...new Set(PROGRAMS.map(({ name }) => name))].join(', ')}, and strace's.`,
    )
    .action(async (input: string[], options: ExplainOptions) => {
      const explanation = await read(input);
      if (options.json) print(`${JSON.stringify(explanation)}\n`);
      else if (options.profile) print(firstProfile(explanation));
      else print(renderExplanation(explanation, textWidth()));
    });
}

/** Explain what was given, as it is read: a file of any length is never in memory as a whole. */
async function read(input: readonly string[]): Promise<Explanation> {
  const option = input.find((part) => /^--\w[\w-]*$/.test(part));
  if (option) throw new UserError(`unknown option ${option}; put a line that begins with dashes in quotes after --`);
  const explainer = createExplainer();
  const given = input.join(' ');
  if (given === '' || given === '-') {
    if (process.stdin.isTTY)
      throw new UserError('nothing to explain; give a line in quotes, a file, or pipe something in');
    for await (const part of process.stdin.setEncoding('utf8')) explainer.take(String(part));
  } else if (input.length > 1 || !existsSync(given)) {
    if (input.length === 1 && /^[\w./-]+\/[\w.-]+$/.test(given))
      throw new UserError(`${given} does not exist; give a file, a line in quotes, or pipe something in`);
    explainer.take(given);
  } else {
    refuseOtherThanFile(given, 'give a file, or pipe it in: … | bindstorm explain');
    for await (const part of textParts(given)) explainer.take(part);
  }
  return explainer.end();
}

function firstProfile({ findings }: Explanation): string {
  const yaml = findings.find(({ reproduce }) => reproduce)?.reproduce?.yaml;
  if (yaml === undefined) throw new UserError('the input names no shortage of ports that a profile could reproduce');
  return yaml;
}
