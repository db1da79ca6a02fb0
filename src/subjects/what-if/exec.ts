/**
 * The program that becomes a subject whose bind() calls are supervised. It says on descriptor 3 which process it is and which of its
 * descriptors tells of them, waits until somebody has it, and becomes what its arguments say, with the same pid.
 */
import '../../machine/no-debugger.js';
import { closeSync, readSync, writeSync } from 'node:fs';
import { become } from '../../kernel/become.js';
import { notifyBinds } from '../../kernel/seccomp.js';

const CHANNEL = 3;

try {
  const listener = notifyBinds();
  writeSync(CHANNEL, `${process.pid} ${listener}\n`);
  readSync(CHANNEL, Buffer.alloc(1));
  closeSync(CHANNEL);
  become(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bindstorm: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(125);
}
