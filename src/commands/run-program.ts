/**
 * What was typed, done: the command, and how its errors and the ends of its streams become exit codes.
 */
import { type Command, CommanderError } from 'commander';
import { EXIT, explainError } from './exit.js';
import { buildProgram } from './program.js';
import { handleStreamErrors } from './stream-errors.js';

/** Do what the arguments of this process say. Never rejects: what goes wrong is told, and is the exit code. @param commands each adds one command */
export async function runProgram(commands: readonly ((program: Command) => void)[]): Promise<void> {
  handleStreamErrors();
  try {
    await buildProgram(commands).parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its message. Help and version end with 0, a wrong option or argument is bad input.
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    } else {
      const { message, exitCode } = explainError(error);
      process.stderr.write(`bindstorm: ${message}\n`);
      process.exitCode = exitCode;
    }
  }
}
