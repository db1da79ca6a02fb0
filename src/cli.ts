#!/usr/bin/env node
/**
 * The command line: one thin file per command (src/commands/).
 */
import './machine/no-debugger.js';
import { Command, CommanderError, Help, type Option } from 'commander';
import { EXIT, EXIT_HELP } from './commands/exit.js';
import { registerWatch } from './commands/watch.js';
import { printableLines } from './domain/printable.js';
import { toolVersion } from './results/version.js';

/** A health check starts `watch` every few seconds: charts and schemas, which it does not use, take longer to load than it looks. */
const commands = process.argv[2] === 'watch' ? [registerWatch] : (await import('./commands/all.js')).COMMANDS;

/** A default that tells a reader nothing (off, none, an object) is not shown. */
function optionDescription(option: Option): string {
  const { defaultValue, defaultValueDescription } = option;
  const said = defaultValueDescription !== undefined || ['string', 'number'].includes(typeof defaultValue);
  return new Help().optionDescription(said ? option : Object.create(option, { defaultValue: { value: undefined } }));
}

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

// A reader that closes early (`bindstorm profiles | head -1`) is no fault. A terminal that is gone (EIO) is none either: a run is ended by
// its SIGHUP, and its results are kept. A disk that is full is told: what was to be read is not there.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  if (error.code === 'EIO' && process.stdout.isTTY) return;
  process.stderr.write(
    `bindstorm: standard output cannot be written (${error.message}); see to where it goes. What was written to files is kept.\n`,
  );
  process.exit(EXIT.badInput);
});
// Nobody reads the progress any more: the run continues, and its results are kept.
process.stderr.on('error', () => {});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its message. Help and version end with 0, a wrong option or argument is bad input.
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
  } else {
    const { explainError } = await import('./commands/exit.js');
    const { message, exitCode } = explainError(error);
    process.stderr.write(`bindstorm: ${message}\n`);
    process.exitCode = exitCode;
  }
}
