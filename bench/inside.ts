/**
 * A bench beside a C program of this folder, both in a network namespace of their own, so that no port of the machine is taken.
 */
import { spawnSync } from 'node:child_process';
import { openRouteControl } from '../src/kernel/rtnetlink.js';
import { unshareCommand } from '../src/lab/netns.js';
import { compileProgram } from './compile.js';

/**
 * Start a script again, inside, as `script inside PROGRAM ARGUMENTS…`; its exit code becomes that of this process.
 * @param name of the C program, without `.c` @param script path of the script
 * @throws Error when the C program cannot be compiled
 */
export function startInside(name: string, script: string): void {
  const compiled = compileProgram(name);
  if (typeof compiled === 'string') throw new Error(compiled);
  try {
    const self = [process.execPath, script, 'inside', compiled.program];
    const [program, ...rest] = unshareCommand([...self, ...process.argv.slice(2)], process.getuid?.() === 0);
    process.exitCode = spawnSync(program!, rest, { stdio: 'inherit' }).status ?? 1;
  } finally {
    compiled.remove();
  }
}

/** Inside: the loopback device of a fresh namespace is down. */
export function bringLoopbackUp(): void {
  const control = openRouteControl();
  control.linkUp('lo');
  control.close();
}
