/**
 * A command line that has the one command that others start every few seconds.
 */
import { runProgram } from './run-program.js';
import { registerWatch } from './watch.js';

void runProgram([registerWatch]);
