/**
 * Launching the origin process. A module of its own with no other imports, because the agent's entry does it before it loads
 * anything else: the two processes then start side by side.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';

export interface LaunchedOrigin {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly ownNamespace: boolean;
}

/** @param ownNamespace in a network namespace of its own: unshare(1) replaces itself by the origin, so the pid stays */
export function launchOrigin(ownNamespace: boolean): LaunchedOrigin {
  const node = [process.execPath, fileURLToPath(new URL('./origin.js', import.meta.url))];
  const [program, ...rest] = ownNamespace ? ['unshare', '--net', '--', ...node] : node;
  return { child: spawn(program!, rest, { stdio: ['pipe', 'pipe', 'pipe'] }), ownNamespace };
}
