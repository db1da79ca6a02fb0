/**
 * A root folder of a machine on which next to nothing is installed: the programs that are named, the libraries that the loader lists for them, and
 * no Node. What runs in it sees neither this machine's files nor its processes. Needs root.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { scratchFolder } from './cli.js';

/** What enters it, a shell, and what every lab of bindstorm needs (util-linux). */
const ALWAYS = ['sh', 'umount', 'setpriv', 'unshare'];
/** The folders of programs and libraries, merged as in Debian since 12. */
const MERGED = ['bin', 'sbin', 'lib', 'lib64'];
const USER = 1000;

/** Why none can be had here; false: it can. */
export const noBareRoot =
  (process.getuid?.() !== 0 && 'only root can make a root folder of its own') ||
  (spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status !== 0 &&
    'mount and PID namespaces cannot be made here') ||
  false;

export const WHO = ['root', 'an ordinary user'] as const;

export interface BareRoot {
  readonly folder: string;
  /** The start of a command line that runs the rest in it, in its /tmp, as root or as its ordinary user with a home. */
  within(who: (typeof WHO)[number]): string[];
  /** Copy a program of this machine, with its libraries. @param to its path there; absent: the same as here */
  add(program: string, to?: string): void;
  /** Copy the libraries of a program alone. @param program its path here */
  addLibraries(program: string): void;
}

/** The merged folders have links beside them: /lib/x is /usr/lib/x. */
function merged(path: string): string {
  return path.replace(/^\/(?=(?:bin|sbin|lib|lib64)\/)/, '/usr/');
}

/** @param programs of this machine that it has beside a shell and util-linux, by name. It is gone after the test */
export function bareRoot(t: { after(work: () => void): void }, programs: readonly string[] = []): BareRoot {
  const folder = join(scratchFolder(t), 'root');
  for (const name of MERGED) {
    mkdirSync(join(folder, 'usr', name), { recursive: true });
    symlinkSync(`usr/${name}`, join(folder, name));
  }
  for (const name of ['proc', 'sys', 'dev', 'run', 'old', 'etc', 'root', 'var/lib', 'usr/local', 'tmp', 'home/user'])
    mkdirSync(join(folder, name), { recursive: true });
  chmodSync(folder, 0o755);
  chmodSync(join(folder, 'tmp'), 0o1777);
  chownSync(join(folder, 'home/user'), USER, USER);
  writeFileSync(join(folder, 'etc/passwd'), `root:x:0:0::/root:/bin/sh\nuser:x:${USER}:${USER}::/home/user:/bin/sh\n`);
  writeFileSync(join(folder, 'etc/group'), `root:x:0:\nuser:x:${USER}:\n`);

  function copy(from: string, to: string): void {
    const path = join(folder, merged(to));
    if (existsSync(path)) return;
    mkdirSync(dirname(path), { recursive: true });
    copyFileSync(realpathSync(from), path);
  }

  function add(program: string, to?: string): void {
    const { stdout } = spawnSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8' });
    const from = stdout.trim();
    if (from === '') throw new Error(`there is no ${program} here`);
    copy(from, to ?? from);
    addLibraries(from);
  }

  function addLibraries(program: string): void {
    for (const library of librariesOf(program)) copy(library, library);
  }

  for (const program of [...ALWAYS, ...programs]) add(program);
  return { folder, add, addLibraries, within: (who) => enterRoot(folder, who) };
}

/** The start of a command line that runs the rest in a root folder, in its /tmp. It has /old, and /home/user of the ordinary user. */
export function enterRoot(folder: string, who: (typeof WHO)[number]): string[] {
  const home = who === 'root' ? '/root' : '/home/user';
  const become =
    who === 'root'
      ? ''
      : `setpriv --reuid=${USER} --regid=${USER} --clear-groups --inh-caps=-all --bounding-set=+all --`;
  // chroot(2) is not enough: who is in one may make no user namespace (kernel/user_namespace.c, create_user_ns()).
  const script = `mount --bind "$0" "$0" && cd "$0" && mount --rbind /dev dev && mount -t proc proc proc && mount -t sysfs sysfs sys &&
pivot_root . old && cd /tmp && umount -l /old && unset NODE_OPTIONS NODE_EXTRA_CA_CERTS && export HOME=${home} PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin && exec ${become} "$@"`;
  return ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--', 'sh', '-c', script, folder];
}

/** What is entered of a root folder that somebody else has made, such as an image of a container. */
export function makeEnterable(folder: string): void {
  for (const name of ['old', 'home/user']) mkdirSync(join(folder, name), { recursive: true });
  chownSync(join(folder, 'home/user'), USER, USER);
}

/** Paths in what ldd(1) says: `libm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x…)`, and the loader without an arrow. */
function librariesOf(program: string): string[] {
  const { stdout } = spawnSync('ldd', [program], { encoding: 'utf8' });
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map(([, path]) => path!);
}
