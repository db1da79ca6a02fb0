/**
 * A network namespace that stands for the host, so that tests can let the host lab change "the host".
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface ThrowawayHost {
  /** The start of a command line that runs the rest in it. */
  readonly within: readonly string[];
  /** The value of a sysctl there, fields separated by one space. */
  sysctl(name: string): string;
  setSysctl(name: string, value: string): void;
}

/** @param keeper the program that keeps it, and says `ready`. Rejects when namespaces cannot be had. */
export async function throwawayHost(
  t: { after(work: () => Promise<void>): void },
  keeper = new URL('./namespace-holder.js', import.meta.url),
): Promise<ThrowawayHost> {
  const root = process.getuid?.() === 0;
  const user = root ? [] : ['--user', '--map-root-user'];
  const holder = fileURLToPath(keeper);
  // Without --fork, unshare replaces itself by the holder, so the pid is the holder's.
  const child = spawn('unshare', [...user, '--net', '--', process.execPath, holder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => release(child));
  const [said] = (await Promise.race([once(child.stdout, 'data'), once(child, 'exit')])) as [unknown];
  if (String(said) !== 'ready\n') throw new Error('no network namespace can be had here (see standard error)');
  const within = [
    'nsenter',
    ...(root ? [] : [`--user=/proc/${child.pid}/ns/user`, '--preserve-credentials']),
    `--net=/proc/${child.pid}/ns/net`,
    '--',
  ];
  const inside = (...command: string[]) => {
    const [program, ...args] = [...within, ...command];
    const { status, stdout, stderr } = spawnSync(program!, args, { encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    return stdout.trim().replace(/\s+/g, ' ');
  };
  const path = (name: string) => `/proc/sys/${name.replaceAll('.', '/')}`;
  return {
    within,
    sysctl: (name) => inside('cat', path(name)),
    setSysctl: (name, value) => void inside('sh', '-c', 'printf %s "$1" >"$0"', path(name), value),
  };
}

async function release(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.stdin?.end();
  await ended;
}
