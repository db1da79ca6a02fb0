/**
 * The completion of bash. Source: bash(1), Programmable Completion.
 */
import type { CommandWords, OptionWords } from './words.js';

/** A script to be sourced, or to lie in bash-completion's folder by the name `bindstorm`. */
export function bashCompletion(commands: readonly CommandWords[]): string {
  return `# Completion of bindstorm for bash, made by: bindstorm completion bash
_bindstorm() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} command='' words='' files='' i
  # --lab=vm comes as three words.
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]]; then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    # Behind -- stands another program's command line.
    [[ \${COMP_WORDS[i]} == -- ]] && return
    [[ -z $command && \${COMP_WORDS[i]} != -* ]] && command=\${COMP_WORDS[i]}
  done
  case $command:$prev in
${commands.flatMap(valueCases).join('\n')}
    *)
      case $command in
        '') words=${quoted([...commands.map(({ name }) => name), '--help', '--version'])} ;;
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur"; compgen -f -- "$cur")
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  fi
}
complete -F _bindstorm bindstorm
`;
}

/** What follows an option that takes a value. */
function valueCases({ name, options }: CommandWords): string[] {
  return options.flatMap(({ flags, value }) => {
    if (value === null || value.optional) return [];
    const { words, files } = value;
    return [`    ${flags.map((flag) => `${name}:${flag}`).join('|')})${assign(words, files)} ;;`];
  });
}

function commandCase({ name, options, argument }: CommandWords): string {
  const flags = options.flatMap((option: OptionWords) => option.flags);
  const rest = assign(argument?.words ?? [], argument?.files ?? false);
  return `        ${name}) if [[ $cur == -* ]]; then words=${quoted(flags)}; else${rest || ' :'}; fi ;;`;
}

function assign(words: readonly string[], files: boolean): string {
  return `${words.length > 0 ? ` words=${quoted(words)}` : ''}${files ? ' files=1' : ''}`;
}

/** Words of the commands are letters, digits and hyphens. */
function quoted(words: readonly string[]): string {
  return `'${words.join(' ').replaceAll("'", '')}'`;
}
