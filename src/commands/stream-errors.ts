/**
 * What happens when the standard streams cannot be written.
 */
import { EXIT } from './exit.js';

/** Let a fault of standard output end the program, with the exit code that it deserves, and one of standard error not. */
export function handleStreamErrors(): void {
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
}
