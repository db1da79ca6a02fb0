/**
 * The completion of zsh. Source: zshcompsys(1), `_arguments` and `_describe`.
 */
import type { CommandWords, OptionWords, ValueWords } from './words.js';

/** A script to lie in a folder of $fpath by the name `_bindstorm`, or to be sourced behind compinit. */
export function zshCompletion(commands: readonly CommandWords[]): string {
  return `#compdef bindstorm
# Completion of bindstorm for zsh, made by: bindstorm completion zsh
${mixedPlaces(commands).join('\n')}
_bindstorm() {
  local context state state_descr line
  typeset -A opt_args
  local -a commands=(
${commands.map(({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  _arguments -C \\
    '(- *)'{-h,--help}'[show the help]' \\
    '(- *)'{-V,--version}'[show the version]' \\
    '1:command:->command' \\
    '*::argument:->argument'
  case $state in
    command) _describe -t commands 'command' commands ;;
    argument)
      case $line[1] in
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _bindstorm ]]; then
  _bindstorm "$@"
else
  compdef _bindstorm bindstorm
fi
`;
}

function commandCase({ name, options, argument }: CommandWords): string {
  const specs = [...options.flatMap(optionSpecs), ...(argument === null ? [] : [quoted(`*:${actionOf(argument)}`)])];
  return `        ${name})\n          _arguments ${specs.join(' \\\n            ')}\n          ;;`;
}

function optionSpecs({ flags, description, value }: OptionWords): string[] {
  const rest = value === null ? '' : `${value.optional ? '::' : ':'}${actionOf(value)}`;
  return flags.map((flag) => {
    // --lab vm and --lab=vm; a value that may be missing is given by = alone.
    const taken = value === null ? '' : value.optional ? '=-' : flag.startsWith('--') ? '=' : '';
    return quoted(`${flag}${taken}[${description.replace(/[[\]\\]/g, '\\$&')}]${rest}`);
  });
}

/** Functions for the places in which a word or a file may stand. */
function mixedPlaces(commands: readonly CommandWords[]): string[] {
  const places = commands.flatMap(({ options, argument }) => [...options.map(({ value }) => value), argument]);
  const mixed = places.flatMap((place) => (place?.files && place.words.length > 0 ? [place] : []));
  return [...new Map(mixed.map((place) => [place.name, place])).values()].map(
    ({ name, words }) => `${helperOf(name)}() {
  _alternative ${quoted(`${name}s:${name}:(${words.join(' ')})`)} 'files:file:_files'
}`,
  );
}

const helperOf = (name: string) => `_bindstorm_${name}`;

/** `kind:(netns vm)`; a place for which nothing is known has no action. */
function actionOf({ name, words, files }: ValueWords): string {
  const message = name.replace(/[:[\]\\]/g, '\\$&');
  const list = words.join(' ');
  if (files && words.length > 0) return `${message}:${helperOf(name)}`;
  if (files) return `${message}:_files`;
  return `${message}:${words.length > 0 ? `(${list})` : ' '}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
