/**
 * Child processes of a subject: who they are, how they end, what they print.
 */
import { type ChildProcess, spawnSync } from 'node:child_process';
import { chownSync, lchownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { killedForMemory } from '../../kernel/counters.js';
import { ProxyError } from './proxy-error.js';

/** Who a subject is: never root. `nobody`, or, in a user namespace that has root only, a user of a further one. */
const NOBODY = 65_534;
const SOMEBODY = 1000;

/** The command that gives up being root before it becomes the program, with the same pid. */
export function withoutRoot(root: boolean): string[] {
  return root
    ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']
    : // Only root is mapped in the lab's user namespace, and programs that give up root fail there: a further one has a user.
      ['unshare', '--user', `--map-user=${SOMEBODY}`, `--map-group=${SOMEBODY}`, '--'];
}

/** What root may do in a container of Docker without being asked (its default capabilities, without making devices). */
const CAPABILITIES =
  'chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,audit_write,setfcap';

/**
 * The command that becomes a program of the user's, with the same pid: as the caller or, if root says so, as somebody else; without a way to
 * more rights (setuid programs run without theirs), and for root without those that reach beyond the lab.
 */
export function asCaller(root: boolean, user: string | null): string[] {
  const narrow = ['setpriv', '--no-new-privs'];
  if (!root && user !== null)
    throw new ProxyError(
      `only root can run a program as somebody else (user: ${user}); remove user, or start bindstorm as root`,
      [],
    );
  if (!root)
    return [
      'unshare',
      '--user',
      `--map-user=${callersId('uid')}`,
      `--map-group=${callersId('gid')}`,
      '--',
      ...narrow,
      '--',
    ];
  if (user !== null) return [...narrow, `--reuid=${user}`, `--regid=${groupOf(user)}`, '--init-groups', '--'];
  const few = `-all,${CAPABILITIES.split(',')
    .map((name) => `+${name}`)
    .join(',')}`;
  return [...narrow, `--bounding-set=${few}`, '--inh-caps=-all', '--'];
}

/** Who root of this user namespace is outside of it (user_namespaces(7): the first line is `0 1000 1`). */
function callersId(what: 'uid' | 'gid'): number {
  const [, outside] = readFileSync(`/proc/self/${what}_map`, 'utf8').trim().split(/\s+/);
  return Number(outside);
}

/** The main group of a user, by name or number. */
function groupOf(user: string): string {
  const { status, stdout } = spawnSync('id', ['-g', user], { encoding: 'utf8' });
  if (status !== 0) throw new ProxyError(`there is no user ${user} on this machine; name another, or remove user`, []);
  return stdout.trim();
}

/** Write files into a folder that is made for them, all of it the subject's own. */
export function writeFiles(directory: string, files: Readonly<Record<string, string>>, root: boolean): void {
  mkdirSync(directory, { recursive: true });
  const own = (path: string) => {
    if (root) chownSync(path, NOBODY, NOBODY);
  };
  own(directory);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text);
    own(join(directory, name));
  }
}

/** Give a folder and all that is in it to the subject. */
export function giveAway(directory: string): void {
  lchownSync(directory, NOBODY, NOBODY);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) giveAway(path);
    else lchownSync(path, NOBODY, NOBODY);
  }
}

/** Send a signal to the process group of a child that was started with `detached`. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // It has ended in between, or could not be started.
  }
}

/** How a child ended, in words that follow its name. Called when it begins. */
export function endOf(child: ChildProcess): Promise<string> {
  const before = killedForMemory();
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was killed by ${signal}${whyKilled(signal, before)}`),
    );
  });
}

/** By the kernel's own count, of whichever process. */
function whyKilled(signal: NodeJS.Signals, before: number | null): string {
  const lacked = signal === 'SIGKILL' && before !== null && (killedForMemory() ?? 0) > before;
  return lacked ? ', as its machine was out of memory' : '';
}

/** Characters of a line; what comes behind them is not kept. */
const LONGEST_LINE = 65_536;

/** Note a stream's lines as they come. @returns resolves at its end */
export function noteLines(
  stream: NonNullable<ChildProcess['stdout']>,
  name: string,
  note: (log: string, line: string) => void,
): Promise<void> {
  let rest = '';
  stream.setEncoding('latin1').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    // A line without an end would fill the memory.
    rest = parts.pop()!.slice(0, LONGEST_LINE);
    for (const part of parts) if (part !== '') note(name, part);
  });
  return new Promise((resolve) =>
    stream.once('close', () => {
      if (rest !== '') note(name, rest);
      resolve();
    }),
  );
}
