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
const NAT_DRIVER = fileURLToPath(new URL('./nat-sockets.js', import.meta.url));

export interface FilledNamespace {
  /** Of the process that holds the sockets. */
  readonly pid: number;
  /** `net:[4026532181]` */
  readonly namespace: string;
}

/** Make one; it ends with the test. Rejects when its ports could not be filled. */
export async function fillNamespace(t: Pick<TestContext, 'after'>, input: CauseSockets): Promise<FilledNamespace> {
  const pid = lastDescendant(await startInside(t, DRIVER, JSON.stringify(input)));
  return { pid, namespace: readlinkSync(`/proc/${pid}/ns/net`) };
}

/** A NAT whose ports are all taken, in a namespace of its own (nat-sockets.ts); it ends with the test. */
export async function fillNat(t: TestContext): Promise<void> {
  await startInside(t, NAT_DRIVER, 'hold');
}

/** Start a driver in a namespace of its own, which ends with the test. @returns the pid of what was started. Rejects when it did not get ready */
async function startInside(t: Pick<TestContext, 'after'>, driver: string, argument: string): Promise<number> {
  const [program, ...args] = netnsCommand([process.execPath, driver, argument], process.getuid?.() === 0);
  const child = spawn(program!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(async () => {
    child.stdin.end();
    if (child.exitCode === null) await once(child, 'close');
  });
  const said = await Promise.race([once(child.stdout, 'data'), once(child, 'exit').then(() => ['ended'])]);
  if (!String(said[0]).startsWith('ready')) throw new Error(`the namespace for ${argument}: ${said[0]}`);
  return child.pid!;
}

/** setpriv → unshare → the process. */
function lastDescendant(pid: number): number {
  const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return child ? lastDescendant(Number(child)) : pid;
}
