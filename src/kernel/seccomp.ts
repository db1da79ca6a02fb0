/**
 * Seccomp user notification (seccomp_unotify(2), Linux 5.0; to let a call go on: 5.5; pidfd_getfd(2): 5.6): the bind() calls of a program stop, another process looks at
 * each, may change the socket, and lets the call go on. The program is not changed, and needs no root.
 */
import { readFileSync, statSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';
import { SystemCallError } from './errno.js';
import { errno, ioctl, nativeBuffer, ppoll, processVmReadv, close as sysClose, syscall } from './libc.js';

/** System call numbers: x86-64 (arch/x86/entry/syscalls/syscall_64.tbl), and the generic ones of arm64 and riscv64. */
const NUMBERS = process.arch === 'x64' ? { bind: 49, seccomp: 317 } : { bind: 200, seccomp: 277 };
/** include/uapi/linux/audit.h */
const AUDIT_ARCH: Readonly<Record<string, number>> = { x64: 0xc000003e, arm64: 0xc00000b7, riscv64: 0xc00000f3 };
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;
/** Of a thread, not of a process: since Linux 6.9. */
const PIDFD_THREAD = 0o200;

const SET_MODE_FILTER = 1;
const FLAG_NEW_LISTENER = 1 << 3;
const RET_USER_NOTIF = 0x7fc00000;
const RET_ALLOW = 0x7fff0000;
const LOAD_WORD = 0x20;
const JUMP_IF_EQUAL = 0x15;
const RETURN = 0x06;

/** Sizes of struct seccomp_notif and seccomp_notif_resp (include/uapi/linux/seccomp.h). */
const NOTIF = 80;
const RESPONSE = 24;
const NOTIF_RECV = 0xc0502100;
const NOTIF_SEND = 0xc0182101;
const NOTIF_ID_VALID = 0x40082102;
const FLAG_CONTINUE = 1;

const POLLIN = 1;
const EBADF = 9;
const EINVAL = 22;

/**
 * From now on each bind() of this thread, and of all that comes from it, waits for an answer.
 * @returns the listener, closed at exec
 * @throws SystemCallError: EBUSY where another supervisor has the notifications already, ENOSYS or EINVAL on an old kernel; Error on a CPU
 *   whose numbers of system calls are not known here
 */
export function notifyBinds(): number {
  const arch = AUDIT_ARCH[process.arch];
  if (arch === undefined)
    throw new Error(`whatIf is for ${Object.keys(AUDIT_ARCH).join(', ')}, and this is ${process.arch}; leave it out`);
  const rows: readonly (readonly [code: number, jt: number, jf: number, k: number])[] = [
    [LOAD_WORD, 0, 0, 4],
    [JUMP_IF_EQUAL, 0, 3, arch],
    [LOAD_WORD, 0, 0, 0],
    [JUMP_IF_EQUAL, 0, 1, NUMBERS.bind],
    [RETURN, 0, 0, RET_USER_NOTIF],
    [RETURN, 0, 0, RET_ALLOW],
  ];
  const filter = nativeBuffer(8 * rows.length);
  for (const [i, [code, jt, jf, k]] of rows.entries()) {
    filter.view.setUint16(8 * i, code, true);
    filter.view.setUint8(8 * i + 2, jt);
    filter.view.setUint8(8 * i + 3, jf);
    filter.view.setUint32(8 * i + 4, k, true);
  }
  const program = nativeBuffer(16);
  program.view.setUint16(0, rows.length, true);
  program.view.setBigUint64(8, BigInt(filter.address), true);
  const fd = syscall(NUMBERS.seccomp, SET_MODE_FILTER, FLAG_NEW_LISTENER, program.address);
  if (fd < 0) throw new SystemCallError('seccomp', errno(), 'to be told of bind()');
  return fd;
}

/** A descriptor of another thread, as one of this process. @throws SystemCallError */
export function takeDescriptor(tid: number, fd: number): number {
  const pidfd = syscall(PIDFD_OPEN, tid, PIDFD_THREAD, 0);
  if (pidfd < 0 && errno() === EINVAL) return takeOfLeader(tid, fd);
  return takeBy(pidfd, tid, fd);
}

/**
 * The same before Linux 6.9, where only the first thread of a process can be named: threads have their descriptors in common, unless one left
 * that with unshare(2).
 * @throws SystemCallError: EBADF where the first thread does not have that descriptor
 */
export function takeOfLeader(tid: number, fd: number): number {
  const leader = leaderOf(tid);
  const file = fileOf(tid, fd);
  if (leader !== tid && (file === null || file !== fileOf(leader, fd)))
    throw new SystemCallError(
      'pidfd_getfd',
      EBADF,
      `of thread ${tid}, whose descriptors are its own: it takes Linux 6.9`,
    );
  return takeBy(syscall(PIDFD_OPEN, leader, 0, 0), leader, fd);
}

function takeBy(pidfd: number, pid: number, fd: number): number {
  if (pidfd < 0) throw new SystemCallError('pidfd_open', errno(), `of ${pid}`);
  const own = syscall(PIDFD_GETFD, pidfd, fd, 0);
  const error = own < 0 ? errno() : 0;
  sysClose(pidfd);
  if (own < 0) throw new SystemCallError('pidfd_getfd', error, `of ${pid}`);
  return own;
}

/** The process of a thread (proc_pid_status(5): Tgid); itself where it has ended. */
function leaderOf(tid: number): number {
  return unlessThrown(
    () => Number(/^Tgid:\s*(\d+)$/m.exec(readFileSync(`/proc/${tid}/status`, 'utf8'))?.[1] ?? tid),
    tid,
  );
}

/** What tells an open file from all others: of a socket its inode. null: it cannot be seen. */
function fileOf(tid: number, fd: number): string | null {
  return unlessThrown(() => {
    const { dev, ino } = statSync(`/proc/${tid}/fd/${fd}`, { bigint: true });
    return `${dev}:${ino}`;
  }, null);
}

/** A bind() that waits. */
export interface BindCall {
  readonly family: number;
  /** 0: any. */
  readonly port: number;
  /** Whether it has not ended meanwhile, so that its process is still the one that called. */
  isStill(): boolean;
  /** Its socket, as a descriptor of this process. @throws SystemCallError */
  take(): number;
}

/**
 * Answer the bind() calls of a listener until nobody is left who could call.
 * @param look told of each before it goes on
 * @param ended asked at least every `pollMs`
 */
export function superviseBinds(
  listener: number,
  look: (call: BindCall) => void,
  ended: () => boolean,
  pollMs: number,
): void {
  const poll = nativeBuffer(8);
  poll.view.setInt32(0, listener, true);
  poll.view.setInt16(4, POLLIN, true);
  const timeout = nativeBuffer(16);
  timeout.view.setBigInt64(8, BigInt(pollMs) * 1_000_000n, true);
  const notif = nativeBuffer(NOTIF);
  const response = nativeBuffer(RESPONSE);
  while (!ended()) {
    if (ppoll(poll.address, 1, timeout.address, 0) <= 0) continue;
    // Without a call to read it is the end of all who could call (POLLHUP, since Linux 5.9).
    if ((poll.view.getInt16(6, true) & POLLIN) === 0) return;
    notif.bytes.fill(0);
    if (ioctl(listener, NOTIF_RECV, notif.address) < 0) continue;
    const id = notif.view.getBigUint64(0, true);
    const pid = notif.view.getUint32(8, true);
    const [fd, address, length] = [0, 1, 2].map((i) => Number(notif.view.getBigUint64(32 + 8 * i, true)));
    const { family, port } = addressAt(pid, address!, length!);
    look({
      family,
      port,
      isStill: () => ioctl(listener, NOTIF_ID_VALID, notif.address) >= 0,
      take: () => takeDescriptor(pid, fd!),
    });
    response.bytes.fill(0);
    response.view.setBigUint64(0, id, true);
    response.view.setUint32(20, FLAG_CONTINUE, true);
    ioctl(listener, NOTIF_SEND, response.address);
  }
}

const own = nativeBuffer(32);
const vectors = nativeBuffer(32);

/** Family and port of a socket address in another process; family 0 where it cannot be read. */
function addressAt(pid: number, address: number, length: number): { family: number; port: number } {
  const size = Math.min(length, 28);
  vectors.view.setBigUint64(0, BigInt(own.address), true);
  vectors.view.setBigUint64(8, BigInt(size), true);
  vectors.view.setBigUint64(16, BigInt(address), true);
  vectors.view.setBigUint64(24, BigInt(size), true);
  if (processVmReadv(pid, vectors.address, 1, vectors.address + 16, 1, 0) < 4) return { family: 0, port: 0 };
  return { family: own.view.getUint16(0, true), port: own.view.getUint16(2, false) };
}
