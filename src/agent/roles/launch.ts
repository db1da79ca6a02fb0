/**
 * Launching the program of a role. This module imports next to nothing but Node's own, because the agent's entry launches the origin before it
 * loads anything else: the two processes then start side by side.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { nodeCommand } from '../../machine/node-command.js';

export type RoleProcess = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Launch the program of a role, as `launchRole('./origin.js', ['--net'])`.
 * @param program beside this module
 * @param namespaces its own, as options of unshare(1), which replaces itself by the program, so that the pid stays; none: the agent's
 */
export function launchRole(program: string, namespaces: readonly string[] = []): RoleProcess {
  const node = nodeCommand(new URL(program, import.meta.url));
  const [first, ...rest] = namespaces.length > 0 ? ['unshare', ...namespaces, '--', ...node] : node;
  const child = spawn(first!, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  running.set(child, ended);
  void ended.then(() => running.delete(child));
  return child;
}

/** The roles that have not ended, and when they have. */
const running = new Map<RoleProcess, Promise<void>>();

/** Resolves when no role runs any more. @param but one that may */
export async function rolesEnded(but: RoleProcess | undefined): Promise<void> {
  await Promise.all([...running].map(([child, ended]) => (child === but ? undefined : ended)));
}

export interface LaunchedOrigin {
  readonly child: RoleProcess;
  readonly ownNamespace: boolean;
}

/** @param ownNamespace in a network namespace of its own */
export function launchOrigin(ownNamespace: boolean): LaunchedOrigin {
  return { child: launchRole('./origin.js', ownNamespace ? ['--net'] : []), ownNamespace };
}
