/**
 * What a shell can complete on the command line, read from the commands themselves: one list for bash, zsh and fish.
 */
import type { Argument, Command, Option } from 'commander';
import { allowedWords } from '../parsers.js';
import { shippedProfiles } from '../profile-file.js';

export interface OptionWords {
  /** `--lab`, `-h`. */
  readonly flags: readonly string[];
  readonly description: string;
  readonly value: ValueWords | null;
}

/** What may stand in a place: some words, files, or what only the user knows. */
export interface ValueWords {
  /** As the help calls it: `kind`. */
  readonly name: string;
  readonly words: readonly string[];
  readonly files: boolean;
  /** `--live [port]`: the option may stand alone. */
  readonly optional: boolean;
}

export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** What stands where no option does; null: nothing. */
  readonly argument: ValueWords | null;
}

/** Every command of a program, and its options with their values. */
export function commandWords(program: Command): CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: command.description(),
    options: command
      .createHelp()
      .visibleOptions(command)
      .map((option) => optionWords(command, option)),
    argument: argumentWords(command.registeredArguments),
  }));
}

function optionWords(command: Command, option: Option): OptionWords {
  const flags = [option.short, option.long].filter((flag) => flag !== undefined);
  const value = /[<[]([^>\]]+)[>\]]$/.exec(option.flags)?.[1];
  return {
    flags,
    description: command.createHelp().optionDescription(option),
    value: value === undefined ? null : { ...valueWords(value, option), optional: option.optional },
  };
}

/** A command takes one kind of argument, once or several times. */
function argumentWords([first]: readonly Argument[]): ValueWords | null {
  return first === undefined
    ? null
    : { ...valueWords(first.name(), first), files: first.argChoices === undefined, optional: !first.required };
}

/** @param name in the angle brackets */
function valueWords(name: string, { argChoices, parseArg }: Option | Argument): Omit<ValueWords, 'optional'> {
  const words = name === 'profile' ? shippedProfiles() : (argChoices ?? allowedWords(parseArg));
  return { name, words, files: /^(?:file|folder|profile)$/.test(name) };
}
