/**
 * Network namespaces whose ports are full for a known reason (cause-sockets.ts).
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { netnsCommand } from '../../src/lab/netns.js';
import type { CauseSockets } from './cause-sockets.js';

const DRIVER = fileURLToPath(new URL('./cause-sockets.js', import.meta.url));

export interface FilledNamespace {
  /** Of the process that holds the sockets. */
  readonly pid: number;
  /** `net:[4026532181]` */
  readonly namespace: string;
}

/** Make one; it ends with the test. Rejects when its ports could not be filled. */
export async function fillNamespace(t: TestContext, input: CauseSockets): Promise<FilledNamespace> {
  const [program, ...args] = netnsCommand([process.execPath, DRIVER, JSON.stringify(input)], process.getuid?.() === 0);
  const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
  });
  const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['ended'])]);
  if (!String(said[0]).startsWith('ready')) throw new Error(`the namespace ${input.reason}: ${said[0]}`);
  const pid = lastDescendant(child.pid!);
  return { pid, namespace: readlinkSync(`/proc/${pid}/ns/net`) };
}

/** setpriv → unshare → the process. */
function lastDescendant(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return child ? lastDescendant(Number(child)) : pid;
}
