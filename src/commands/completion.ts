/**
 * `bindstorm completion`: what a shell needs to complete bindstorm's commands, options and their values.
 */
import { Argument, type Command } from 'commander';
import { bashCompletion } from './shell/bash.js';
import { fishCompletion } from './shell/fish.js';
import { commandWords } from './shell/words.js';
import { zshCompletion } from './shell/zsh.js';
import { print } from './terminal.js';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** Adds the command. */
export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print the script with which a shell completes bindstorm')
    .addArgument(new Argument('<shell>', 'which').choices(Object.keys(SHELLS)))
    .addHelpText(
      'after',
      `
Examples:
  bindstorm completion bash > ~/.local/share/bash-completion/completions/bindstorm
  bindstorm completion zsh > ~/.zfunc/_bindstorm      # a folder of $fpath
  bindstorm completion fish > ~/.config/fish/completions/bindstorm.fish`,
    )
    .action((shell: keyof typeof SHELLS) => print(SHELLS[shell](commandWords(program))));
}
