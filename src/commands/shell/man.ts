/**
 * The manual page, from the commands as the help has them. Source: man(7), man-pages(7).
 */
import type { Command } from 'commander';
import { EXIT_HELP } from '../exit.js';

/** Of the version; man(7) wants one. */
const DATE = '2026-11-30';

/** In the language of man(7), for section 1. */
export function manPage(program: Command): string {
  const { commands } = program;
  const help = program.createHelp();
  return `${[
    '.\\" Made from the commands by npm run build; do not edit.',
    `.TH BINDSTORM 1 ${DATE} "bindstorm ${program.version()}" "User Commands"`,
    '.SH NAME',
    `bindstorm \\- find out why outbound connections get no local port, and which change ends that`,
    '.SH SYNOPSIS',
    ...commands.flatMap((command, i) => [
      ...(i === 0 ? [] : ['.br']),
      `.B ${text(help.commandUsage(command).replace(/^bindstorm bindstorm/, 'bindstorm'))}`,
    ]),
    '.SH DESCRIPTION',
    text(program.description()),
    'A command with',
    '.B \\-\\-help',
    'has examples.',
    '.SH COMMANDS',
    ...commands.flatMap((command) => [
      `.SS ${text(command.name())}`,
      `${text(sentence(command.description()))}`,
      ...command.registeredArguments.flatMap((argument) =>
        item(`<${argument.name()}>`, help.argumentDescription(argument)),
      ),
      ...help
        .visibleOptions(command)
        .filter(({ long }) => long !== '--help')
        .flatMap((option) => item(help.optionTerm(option), help.optionDescription(option))),
    ]),
    '.SH EXIT STATUS',
    ...[...EXIT_HELP.matchAll(/^ +(\d+) +(.+)$/gm)].flatMap(([, code, meaning]) => item(code!, meaning!)),
    '.SH ENVIRONMENT',
    ...item('XDG_CACHE_HOME', 'where kernels and images are kept that can be made again; default: ~/.cache'),
    ...item('XDG_STATE_HOME', 'where it is written down what a run has changed on the host; default: ~/.local/state'),
    ...item('NO_COLOR', 'if set, nothing is coloured'),
    '.SH SEE ALSO',
    '.BR ss (8),',
    '.BR sysctl (8),',
    '.BR ip (7),',
    '.BR tcp (7)',
  ].join('\n')}\n`;
}

function item(term: string, description: string): string[] {
  return ['.TP', `.B ${text(term)}`, text(description)];
}

function sentence(words: string): string {
  return `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
}

/** One line of running text: no character is a command of roff. */
function text(words: string): string {
  const plain = words.replace(/\s+/g, ' ').replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll("'", '\\(aq');
  const ascii = plain.replace(
    /[^\x20-\x7e]/gu,
    (char) => `\\[u${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
  );
  return ascii.startsWith('.') ? `\\&${ascii}` : ascii;
}
