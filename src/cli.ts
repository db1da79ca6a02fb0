#!/usr/bin/env node
/**
 * The command line: one thin file per command (src/commands/).
 */
import './machine/no-debugger.js';
import { CommanderError } from 'commander';
import { EXIT } from './commands/exit.js';
import { buildProgram } from './commands/program.js';
import { registerWatch } from './commands/watch.js';

/** A health check starts `watch` every few seconds: charts and schemas, which it does not use, take longer to load than it looks. */
const commands = process.argv[2] === 'watch' ? [registerWatch] : (await import('./commands/all.js')).COMMANDS;

const program = buildProgram(commands);

// A reader that closes early (`bindstorm profiles | head -1`) is no fault. A terminal that is gone (EIO) is none either: a run is ended by
// its SIGHUP, and its results are kept. A disk that is full is told: what was to be read is not there.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  if (error.code === 'EIO' && process.stdout.isTTY) return;
  process.stderr.write(
    `bindstorm: standard output cannot be written (${error.message}); check where it goes. What was written to files is kept.\n`,
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
