/**
 * The program with its commands: what the command line parses, and what its help, its manual page and the completion of shells are made from.
 */
import { Command, Help, type Option } from 'commander';
import { printableLines } from '../domain/printable.js';
import { toolVersion } from '../results/version.js';
import { EXIT_HELP } from './exit.js';

/** A default that tells a reader nothing (off, none, an object) is not shown. */
function optionDescription(option: Option): string {
  const { defaultValue, defaultValueDescription } = option;
  const said = defaultValueDescription !== undefined || ['string', 'number'].includes(typeof defaultValue);
  return new Help().optionDescription(said ? option : Object.create(option, { defaultValue: { value: undefined } }));
}

/** @param commands each adds one command. @returns a program that throws CommanderError where commander would exit */
export function buildProgram(commands: readonly ((program: Command) => void)[]): Command {
  const program = new Command('bindstorm')
    .description(
      'Reproduce EADDRINUSE on outbound connections in a throwaway network namespace, try each fix alone, and report what helped.',
    )
    .version(toolVersion())
    .configureOutput({ writeErr: (text) => process.stderr.write(printableLines(text)) })
    .showHelpAfterError('(see --help)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureHelp({ optionDescription })
    .addHelpText('after', `\nExample:\n  bindstorm run quickstart\n${EXIT_HELP}`);
  for (const register of commands) register(program);
  for (const command of program.commands) command.exitOverride().showHelpAfterError('(see --help)');
  return program;
}
