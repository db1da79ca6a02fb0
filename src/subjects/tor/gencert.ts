/**
 * The program that makes keys for an authority of a Tor network.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from '../../machine/programs.js';

/** It is in the same package as Tor; Debian has it in another folder of the same tree. @returns its path; undefined: it is not here */
export function gencertBeside(binary: string): string | undefined {
  const beside = [dirname(binary), join(dirname(binary), '../bin')].map((folder) => join(folder, 'tor-gencert'));
  return beside.find((path) => existsSync(path)) ?? findProgram('tor-gencert');
}
