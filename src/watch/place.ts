/**
 * The network namespace that is to be watched, by the process or the name by which the user names it, and the sentences where it cannot be.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, messageOf, UserError } from '../domain/error.js';
import { EACCES, EINVAL, ENOENT, ENOSYS, EPERM, SystemCallError } from '../kernel/errno.js';
import { type NetworkNamespace, openNamespace } from '../kernel/namespace.js';
import { readRights, whyRefused } from '../machine/rights.js';

export interface Place {
  /** That of a process. */
  readonly pid?: number;
  /** A name under /run/netns, as ip-netns(8) makes them, or a path. */
  readonly netns?: string;
}

/** Where ip-netns(8), and the plug-ins of containers (CNI), keep namespaces by name. */
export const NAMED = '/run/netns';

/** Open the namespace of a place. @throws UserError when there is none, or it may not be opened */
export function openPlace({ pid, netns }: Place): NetworkNamespace {
  if (pid !== undefined) return openPid(pid);
  if (netns === undefined) return openNamespace();
  const path = netns.includes('/') ? netns : join(NAMED, netns);
  if (!existsSync(path)) throw new UserError(`there is no network namespace ${path}; ${namesThere()}`);
  return openPath(path, { netns });
}

function openPid(pid: number): NetworkNamespace {
  if (!existsSync(`/proc/${pid}`))
    throw new UserError(`there is no process ${pid}; give the pid as this machine sees it`);
  return openPath(`/proc/${pid}/ns/net`, { pid });
}

function openPath(path: string, place: Place): NetworkNamespace {
  try {
    return openNamespace(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // No filter looks at paths.
    const rights = { ...readRights(), filtered: false };
    if (code === 'EACCES' || code === 'EPERM') throw mayNot(place, whyRefused('open', EACCES, 'SYS_PTRACE', rights));
    if (code === 'ENOENT') throw new UserError(`the network namespace ${path} no longer exists: the process has ended`);
    throw error;
  }
}

function namesThere(): string {
  const names = existsSync(NAMED) ? readdirSync(NAMED) : [];
  const some = names.length > 0 ? `${NAMED} has ${names.slice(0, 10).join(', ')}` : `${NAMED} has none`;
  return `${some}. Name one, give a path, or use --pid with a process that is in it`;
}

/** Do some work in a namespace. @throws UserError for system calls that are refused for a reason that the user can mend */
export function explained<T>(place: Place, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (error.call === 'setns' && error.errno !== EINVAL) throw mayNot(place, reasonOf(error));
    if (error.call === 'setns' && error.errno === EINVAL)
      throw new UserError(`${place.netns} is not a network namespace; name one of ${NAMED}, or use --pid`);
    if (error.call === 'socket') throw new UserError(reasonOf(error), { exitCode: EXIT.noLab });
    if (error.call === 'sock_diag' && (error.errno === ENOENT || error.errno === EACCES || error.errno === EPERM)) {
      throw new UserError(
        `the kernel does not list its sockets (${error.message}); it needs CONFIG_INET_DIAG, as a module: modprobe tcp_diag`,
        { exitCode: EXIT.noLab },
      );
    }
    throw error;
  }
}

/** What was thrown, with what keeps this process from a system call that was refused. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof SystemCallError)) return messageOf(error);
  const { call, errno, message } = error;
  if (![EPERM, EACCES, ENOSYS].includes(errno)) return message;
  if (call === 'setns') return whyRefused(call, errno, 'SYS_ADMIN');
  return call === 'socket' ? `${message}: ${whyRefused(call, errno, null)}` : message;
}

/** @param why of root, for which it is no matter of course */
function mayNot({ pid, netns }: Place, why: string): UserError {
  const whose = pid !== undefined ? `the network namespace of process ${pid}` : `the network namespace ${netns}`;
  const rootless =
    pid === undefined
      ? ''
      : `, or, for a rootless container of your own: nsenter --target ${pid} --user --net --preserve-credentials bindstorm watch`;
  const text =
    process.getuid?.() === 0
      ? `${whose} may not be entered: ${why}${rootless}`
      : `${whose} may not be entered by this user; run it as root${rootless}`;
  return new UserError(text, { exitCode: EXIT.noLab });
}
