/**
 * `bindstorm programs`: how programs get their local ports, how many connections that allows, and what they say when there is none left.
 */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { closest } from '../domain/words.js';
import { parseSurvey, type SurveyRow } from '../explain/survey.js';
import { listPrograms, renderProgram } from '../report/programs.js';
import { UserError } from './exit.js';
import { textWidth } from './terminal.js';

const SURVEY = new URL('../../../programs/survey.tsv', import.meta.url);

/** Adds the command. */
export function registerPrograms(program: Command): void {
  program
    .command('programs')
    .description(
      'show how programs get their local ports, how many connections that allows, and what they say when no port is left',
    )
    .argument('[name]', 'a program; all of them without it')
    .option('--json', 'as JSON', false)
    .addHelpText('after', '\nExamples:\n  bindstorm programs\n  bindstorm programs squid')
    .action((name: string | undefined, { json }: { json: boolean }) => {
      const rows = choose(parseSurvey(readFileSync(SURVEY, 'utf8')), name);
      if (json) process.stdout.write(`${JSON.stringify(rows)}\n`);
      else
        process.stdout.write(
          name === undefined ? listPrograms(rows) : rows.map((row) => renderProgram(row, textWidth())).join('\n'),
        );
    });
}

function choose(rows: readonly SurveyRow[], name: string | undefined): readonly SurveyRow[] {
  if (name === undefined) return rows;
  const wanted = name.toLowerCase();
  const names = [...new Set(rows.map(({ program }) => program))];
  const found = rows.filter(({ program }) => program === wanted || program.startsWith(`${wanted}-`));
  if (found.length > 0) return found;
  const like = closest(wanted, names);
  throw new UserError(
    `the survey has no program "${name}"${like ? `; did you mean ${like}?` : ''}; bindstorm programs lists ${names.length} of them`,
  );
}
