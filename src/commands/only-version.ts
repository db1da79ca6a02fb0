/**
 * What `bindstorm --version` prints, without what parses a command line.
 */
import { toolVersion } from '../results/version.js';
import { handleStreamErrors } from './stream-errors.js';

handleStreamErrors();
process.stdout.write(`${toolVersion()}\n`);
