/**
 * Runs in a guest in place of the agent: starts programs of this folder one after the other, each in a network namespace of its
 * own, so that one boot serves many questions.
 *
 * Standard output: `ready` and the kernel's release, for the serial line loses what is written to it before it is opened; then for
 * each line of standard input, a GuestProgram, the lines of that program, each after a space, and `ended <code>`.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { release } from 'node:os';
import { fileURLToPath } from 'node:url';
import { readLines } from '../../src/machine/ndjson.js';

export interface GuestProgram {
  /** A module of this folder, as `oracle-driver.js`. */
  readonly program: string;
  /** A file of the image, for its standard input. */
  readonly input: string;
}

process.stdout.write(`ready ${release()}\n`);
for await (const line of readLines(process.stdin)) {
  const { program, input } = JSON.parse(line) as GuestProgram;
  const path = fileURLToPath(new URL(program, import.meta.url));
  const stdin = openSync(input, 'r');
  const child = spawn('unshare', ['--net', '--', process.execPath, path], { stdio: [stdin, 'pipe', 'inherit'] });
  closeSync(stdin);
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  for await (const text of readLines(child.stdout!)) process.stdout.write(` ${text}\n`);
  process.stdout.write(`ended ${await ended}\n`);
}
