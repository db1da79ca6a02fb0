/**
 * Restarts an agent with the build of a controller, as a child process with the same arguments. The parent stays and waits: when the child takes
 * a further build, the parent starts the next child.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { z } from 'zod';
import type { Access } from '../fleet/access.js';
import { NODE_OPTIONS } from '../machine/node-command.js';
import { DIE_WITH_PARENT } from '../machine/parent-death.js';
import { readJson } from '../machine/read-file.js';
import { replaceFile } from '../machine/replace-file.js';
import { EXIT, UserError } from './exit.js';

/** Set for a process that another one started so, which then starts the next. */
const TAKEN_VARIABLE = 'BINDSTORM_FLEET_TAKEN';
/** sysexits.h, EX_TEMPFAIL: with it such a process asks for the next. */
const NEXT = 75;
/** In the agent's folder: which that is. */
const NEXT_FILE = 'next-build.json';

const nextSchema = z.object({ main: z.string() });

/**
 * @param main the command line of the build @param signal ends it
 * @param access given over standard input, where this one had it so @param state the agent's folder
 * @returns the exit code of the last of them
 */
export async function goOnWith(
  main: string,
  signal: AbortSignal,
  access: Access | null,
  state: string,
): Promise<number> {
  const path = join(state, NEXT_FILE);
  if (process.env[TAKEN_VARIABLE]) {
    replaceFile(path, JSON.stringify({ main }), { mode: 0o600 });
    return NEXT;
  }
  for (let next = main; ; ) {
    const code = await runNext(next, signal, access);
    if (code !== NEXT || signal.aborted) return code;
    const found = readJson(path, nextSchema);
    if (found === undefined) throw new UserError(`${path} is damaged; start the agent again`);
    next = found.main;
  }
}

function runNext(main: string, signal: AbortSignal, access: Access | null): Promise<number> {
  const [first, ...rest] = [...DIE_WITH_PARENT, process.execPath, ...NODE_OPTIONS, main, ...process.argv.slice(2)];
  const child = spawn(first!, rest, {
    stdio: [access === null ? 'ignore' : 'pipe', 'inherit', 'inherit'],
    env: { ...process.env, [TAKEN_VARIABLE]: '1' },
    // A group of its own: Ctrl-C reaches this command alone, which ends the other in good order.
    detached: true,
  });
  child.stdin?.on('error', () => {});
  child.stdin?.write(`${JSON.stringify(access)}\n`);
  const end = () => void child.kill('SIGTERM');
  signal.addEventListener('abort', end);
  if (signal.aborted) end();
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      signal.removeEventListener('abort', end);
      resolve(code ?? EXIT.runFailed);
    });
  });
}
