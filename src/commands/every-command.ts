/**
 * A command line that has every command.
 */
import { COMMANDS } from './all.js';
import { runProgram } from './run-program.js';

void runProgram(COMMANDS);
