/**
 * Child processes of a subject: who they are, how they end, what they print.
 */
import type { ChildProcess } from 'node:child_process';
import { chownSync, lchownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

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

/** How a child ended, in words that follow its name. */
export function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was killed by ${signal}`),
    );
  });
}

/** Note a stream's lines as they come. @returns resolves at its end */
export function noteLines(
  stream: NonNullable<ChildProcess['stdout']>,
  name: string,
  note: (log: string, line: string) => void,
): Promise<void> {
  let rest = '';
  stream.setEncoding('latin1').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    for (const part of parts) if (part !== '') note(name, part);
  });
  return new Promise((resolve) =>
    stream.once('close', () => {
      if (rest !== '') note(name, rest);
      resolve();
    }),
  );
}
