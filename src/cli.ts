#!/usr/bin/env node
/**
 * The command line: one thin file a command (src/commands/).
 */
import { Command, CommanderError } from 'commander';
import { registerCapacity } from './commands/capacity.js';
import { registerDoctor } from './commands/doctor.js';
import { EXIT, EXIT_HELP, explainError } from './commands/exit.js';
import { registerExplain } from './commands/explain.js';
import { registerPlan } from './commands/plan.js';
import { registerProfiles } from './commands/profiles.js';
import { registerReport } from './commands/report.js';
import { registerRestore } from './commands/restore.js';
import { registerRun } from './commands/run.js';
import { registerSchema } from './commands/schema.js';
import { registerSink } from './commands/sink.js';
import { toolVersion } from './results/version.js';

const program = new Command('bindstorm')
  .description(
    'Reproduce EADDRINUSE on outbound connections in a throwaway network namespace, try each fix alone, and say what helped.',
  )
  .version(toolVersion())
  .showHelpAfterError('(--help shows what is allowed)')
  .showSuggestionAfterError()
  .exitOverride()
  .addHelpText('after', `\nExample:\n  bindstorm run quickstart\n${EXIT_HELP}`);

for (const register of [
  registerRun,
  registerPlan,
  registerCapacity,
  registerExplain,
  registerReport,
  registerDoctor,
  registerProfiles,
  registerSink,
  registerSchema,
  registerRestore,
]) {
  register(program);
}
for (const command of program.commands) command.exitOverride().showHelpAfterError('(--help shows what is allowed)');

// A reader that closes early (`bindstorm profiles | head -1`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.ok);
  throw error;
});

try {
  await program.parseAsync();
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
