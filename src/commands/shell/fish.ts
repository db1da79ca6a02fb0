/**
 * The completion of fish. Source: complete(1) of fish.
 */
import type { CommandWords, OptionWords, ValueWords } from './words.js';

const ROOT = '__fish_use_subcommand';

/** A script to be sourced, or to lie in a folder of completions by the name `bindstorm.fish`. */
export function fishCompletion(commands: readonly CommandWords[]): string {
  return `# Completion of bindstorm for fish, made by: bindstorm completion fish
complete -c bindstorm -f
complete -c bindstorm -n ${ROOT} -s h -l help -d 'show the help'
complete -c bindstorm -n ${ROOT} -s V -l version -d 'show the version'
${commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines({ name, description, options, argument }: CommandWords): string[] {
  const within = `complete -c bindstorm -n '__fish_seen_subcommand_from ${name}'`;
  return [
    `complete -c bindstorm -n ${ROOT} -a ${name} -d ${quoted(description)}`,
    ...options.map((option) => `${within} ${optionOf(option)} -d ${quoted(option.description)}`),
    ...(argument === null ? [] : [`${within}${argument.files ? ' -F' : ''}${wordsOf(argument)}`]),
  ];
}

function optionOf({ flags, value }: OptionWords): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  if (value === null || value.optional) return names.join(' ');
  return `${names.join(' ')} ${value.files ? '-r -F' : '-x'}${wordsOf(value)}`;
}

function wordsOf({ words }: ValueWords): string {
  return words.length === 0 ? '' : ` -a ${quoted(words.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}
