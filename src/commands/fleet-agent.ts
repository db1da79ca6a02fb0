/**
 * An agent on this machine.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isSea } from 'node:sea';
import type { Target } from '../domain/target.js';
import { type Access, accessIn, accessOf, fleetFolder } from '../fleet/access.js';
import { examineAgent } from '../fleet/agent/abilities.js';
import { runAgent } from '../fleet/agent/agent.js';
import type { TakesBuild } from '../fleet/agent/take-build.js';
import { isWord, wordOf } from '../fleet/subjects.js';
import { interruptible } from '../machine/interrupts.js';
import { EXIT, UserError } from './exit.js';
import { goOnWith } from './fleet-taken-build.js';
import { note } from './terminal.js';

export interface AgentCommandOptions {
  readonly join?: string;
  readonly name?: string;
  readonly folder?: string;
  readonly allow: readonly Target[];
  readonly allowPrograms: boolean;
  readonly allowHost: boolean;
  /** A SHA-256, or any. */
  readonly takeBuild?: string | true;
}

/** @returns the exit code, when it was interrupted. Rejects with UserError, FleetError */
export async function fleetAgent({ join: where, folder, allow, ...options }: AgentCommandOptions): Promise<number> {
  const { name = wordOf(hostname()), allowPrograms: programs, allowHost: host } = options;
  if (!isWord(name))
    throw new UserError(`${name} is not a name of an agent; it takes letters, digits, - and _, up to 64`);
  const takes = takesOf(options.takeBuild);
  const input = where === STANDARD_INPUT ? await standardInput() : null;
  const access = input?.access ?? accessOf(where, 'agent');
  const state = folder ?? join(fleetFolder(), 'agents', name);
  const machine = await examineAgent();
  return interruptible(
    () => note('the agent ends: its unit goes to another'),
    async (interrupted) => {
      const signal = input === null ? interrupted : AbortSignal.any([interrupted, input.ended]);
      const leave = { allow, programs, host };
      const next = await runAgent({ access, name, machine, takes, note, signal, state, leave });
      if (next === null) return EXIT.ok;
      return goOnWith(next, signal, input ? access : null, state);
    },
  );
}

/** @throws UserError where this program cannot take another build */
function takesOf(given: string | boolean | undefined): TakesBuild {
  if (given === undefined || given === false) return null;
  if (isSea())
    throw new UserError(
      'this bindstorm is a single file, which cannot become another; use the package of npm or Debian for --take-build',
    );
  return given === true ? 'any' : { sum: String(given) };
}

/** As `--join -`: what lets in comes over standard input, and who is there with it keeps it open. */
const STANDARD_INPUT = '-';

/** @returns what its first line says; `ended` is aborted when nobody is there any more. Rejects with UserError */
async function standardInput(): Promise<{ readonly access: Access; readonly ended: AbortSignal }> {
  const { stdin } = process;
  const ended = new AbortController();
  const text = await new Promise<string>((resolve) => {
    let said = '';
    const end = () => {
      resolve(said);
      ended.abort();
    };
    stdin
      .setEncoding('utf8')
      .on('data', (chunk: string) => {
        said += chunk;
        if (said.includes('\n')) resolve(said.split('\n')[0]!);
      })
      .once('end', end)
      .once('close', end)
      .once('error', end);
  });
  // An agent that has ended does not wait for it.
  stdin.unref();
  return { access: accessIn(text, 'standard input', 'agent'), ended: ended.signal };
}
