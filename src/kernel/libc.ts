/**
 * System calls through the C library, and machine code as a function (call-batch.ts): the only file that calls FFI (koffi). Every argument is an integer; pointers are the
 * addresses of buffers made by {@link nativeBuffer}, so that a call copies nothing and allocates nothing (about 50 ns over the
 * call itself). A call returns what the C function returns; after a -1, {@link errno} says why.
 *
 * Constants are those of the generic Linux ABI (asm-generic), which x86-64, arm64 and riscv64 share.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import type Koffi from 'koffi';

const SUPPORTED = ['x64', 'arm64', 'riscv64'];

/** Why system calls cannot be made on this machine, or undefined. */
export function unsupportedPlatform(): string | undefined {
  if (process.platform !== 'linux')
    return `bindstorm measures the Linux kernel and runs only on Linux, not on ${process.platform}`;
  if (!SUPPORTED.includes(process.arch))
    return `the architecture ${process.arch} is not supported; supported are ${SUPPORTED.join(', ')}`;
  if (endianness() !== 'LE') return 'this machine is big-endian; only little-endian ones are supported';
  if (existsSync('/proc/self/ns')) return undefined;
  return '/proc is not mounted, and bindstorm needs it to read what the kernel does; mount it with: mount -t proc proc /proc';
}

/**
 * koffi's native part by its place, since koffi's own way to it, four modules and a look into Node's ELF header, takes twenty times as long, and
 * whatever is started waits for it. Where it may lie elsewhere (musl, riscv64) that way is gone.
 */
function loadKoffi(): typeof Koffi {
  const load = createRequire(import.meta.url);
  try {
    if (process.arch === 'x64' && !existsSync('/lib/ld-musl-x86_64.so.1'))
      return load('@koromix/koffi-linux-x64/linux_x64/koffi.node');
    if (process.arch === 'arm64' && !existsSync('/lib/ld-musl-aarch64.so.1'))
      return load('@koromix/koffi-linux-arm64/linux_arm64/koffi.node');
  } catch {
    // Not there, or not to be loaded; koffi says why.
  }
  return load('koffi');
}

const koffi = loadKoffi();
const lib = koffi.load(null);
type Call<N extends readonly unknown[]> = (...args: N) => number;
const declare = <N extends readonly number[]>(prototype: string): Call<N> => lib.func(prototype) as Call<N>;

/** socket(2) */
export const socket = declare<[domain: number, type: number, protocol: number]>('int socket(int, int, int)');
/** bind(2) */
export const bind = declare<[fd: number, address: number, length: number]>('int bind(int, intptr_t, uint32_t)');
/** connect(2) */
export const connect = declare<[fd: number, address: number, length: number]>('int connect(int, intptr_t, uint32_t)');
/** listen(2) */
export const listen = declare<[fd: number, backlog: number]>('int listen(int, int)');
/** accept4(2) */
export const accept4 = declare<[fd: number, address: number, length: number, flags: number]>(
  'int accept4(int, intptr_t, intptr_t, int)',
);
/** shutdown(2) */
export const shutdown = declare<[fd: number, how: number]>('int shutdown(int, int)');
/** flock(2); the lock is the open file's, and gone with the last descriptor of it, also after SIGKILL */
export const flock = declare<[fd: number, operation: number]>('int flock(int, int)');
/** close(2) */
export const close = declare<[fd: number]>('int close(int)');
/** setsockopt(2) */
export const setsockopt = declare<[fd: number, level: number, name: number, value: number, length: number]>(
  'int setsockopt(int, int, int, intptr_t, uint32_t)',
);
/** getsockopt(2) */
export const getsockopt = declare<[fd: number, level: number, name: number, value: number, length: number]>(
  'int getsockopt(int, int, int, intptr_t, intptr_t)',
);
/** getsockname(2) */
export const getsockname = declare<[fd: number, address: number, length: number]>(
  'int getsockname(int, intptr_t, intptr_t)',
);
/** epoll_create1(2) */
export const epollCreate1 = declare<[flags: number]>('int epoll_create1(int)');
/** epoll_ctl(2) */
export const epollCtl = declare<[epfd: number, op: number, fd: number, event: number]>(
  'int epoll_ctl(int, int, int, intptr_t)',
);
/** epoll_wait(2); the timeout is in milliseconds */
export const epollWait = declare<[epfd: number, events: number, max: number, timeout: number]>(
  'int epoll_wait(int, intptr_t, int, int)',
);
/** ppoll(2): its timespec is exact to the nanosecond, which epoll_wait's timeout is not */
export const ppoll = declare<[fds: number, count: number, timeout: number, sigmask: number]>(
  'int ppoll(intptr_t, uint64_t, intptr_t, intptr_t)',
);
/** send(2) */
export const send = declare<[fd: number, buffer: number, length: number, flags: number]>(
  'intptr_t send(int, intptr_t, uint64_t, int)',
);
/** recv(2) */
export const recv = declare<[fd: number, buffer: number, length: number, flags: number]>(
  'intptr_t recv(int, intptr_t, uint64_t, int)',
);
/** sendto(2) */
export const sendto = declare<
  [fd: number, buffer: number, length: number, flags: number, address: number, addressLength: number]
>('intptr_t sendto(int, intptr_t, uint64_t, int, intptr_t, uint32_t)');
/** sendmsg(2) */
export const sendmsg = declare<[fd: number, message: number, flags: number]>('intptr_t sendmsg(int, intptr_t, int)');
/** sendmmsg(2): several datagrams by one call. @returns how many were sent; -1 when the first was not */
export const sendmmsg = declare<[fd: number, messages: number, count: number, flags: number]>(
  'int sendmmsg(int, intptr_t, unsigned int, int)',
);
/** recvmmsg(2), without a timeout. @returns how many were received */
export const recvmmsg = declare<[fd: number, messages: number, count: number, flags: number, timeout: number]>(
  'int recvmmsg(int, intptr_t, unsigned int, int, intptr_t)',
);
const recvmsgHere = lib.func('intptr_t recvmsg(int, intptr_t, int)');
/** recvmsg(2), which may wait: on a thread of libuv's pool. @returns what the call returns; errno is not known */
export const recvmsg = promisify(recvmsgHere.async) as (
  ...args: [fd: number, message: number, flags: number]
) => Promise<number>;
/** clock_gettime(2) */
export const clockGettime = declare<[clock: number, timespec: number]>('int clock_gettime(int, intptr_t)');
/** clock_getres(2) */
export const clockGetres = declare<[clock: number, timespec: number]>('int clock_getres(int, intptr_t)');
/** getrusage(2) */
export const getrusage = declare<[who: number, usage: number]>('int getrusage(int, intptr_t)');
/** prctl(2) */
const prctl = declare<[option: number, a: number, b: number, c: number, d: number]>(
  'int prctl(int, long, long, long, long)',
);
/** sched_setscheduler(2), sched_getscheduler(2): of this thread where the first is 0. musl has neither, and says ENOSYS */
const schedSetscheduler = declare<[thread: number, policy: number, param: number]>(
  'int sched_setscheduler(int, int, intptr_t)',
);
const schedGetscheduler = declare<[thread: number]>('int sched_getscheduler(int)');
/** unshare(2) */
export const unshare = declare<[flags: number]>('int unshare(int)');
/** setns(2) */
export const setns = declare<[fd: number, type: number]>('int setns(int, int)');
/** mount(2) */
export const mount = declare<[source: number, target: number, type: number, flags: number, data: number]>(
  'int mount(intptr_t, intptr_t, intptr_t, uint64_t, intptr_t)',
);
/** reboot(2), by the C library: without the magic numbers */
export const reboot = declare<[command: number]>('int reboot(int)');
/** setrlimit(2) */
export const setrlimit = declare<[resource: number, limits: number]>('int setrlimit(int, intptr_t)');
/** termios(3) */
export const tcgetattr = declare<[fd: number, termios: number]>('int tcgetattr(int, intptr_t)');
/** termios(3) */
export const tcsetattr = declare<[fd: number, when: number, termios: number]>('int tcsetattr(int, int, intptr_t)');
/** termios(3); it returns nothing */
export const cfmakeraw = declare<[termios: number]>('void cfmakeraw(intptr_t)');
/** tcdrain(3) */
export const tcdrain = declare<[fd: number]>('int tcdrain(int)');
/** dup2(2) */
export const dup2 = declare<[from: number, to: number]>('int dup2(int, int)');
/** syscall(2), for what the C library has no wrapper for, such as finit_module(2) */
export const syscall = declare<[number: number, a: number, b: number, c: number]>(
  'intptr_t syscall(intptr_t, intptr_t, intptr_t, intptr_t)',
);
/** syscall(2) with five arguments, such as mount_setattr(2) */
export const syscall5 = declare<[number: number, a: number, b: number, c: number, d: number, e: number]>(
  'intptr_t syscall(intptr_t, intptr_t, intptr_t, intptr_t, intptr_t, intptr_t)',
);
/** readlinkat(2) */
export const readlinkat = declare<[fd: number, path: number, buffer: number, size: number]>(
  'intptr_t readlinkat(int, intptr_t, intptr_t, size_t)',
);
/** ioctl(2) */
export const ioctl = declare<[fd: number, request: number, argument: number]>(
  'int ioctl(int, unsigned long, intptr_t)',
);
/** process_vm_readv(2) */
export const processVmReadv = declare<
  [pid: number, local: number, locals: number, remote: number, remotes: number, flags: number]
>('intptr_t process_vm_readv(int, intptr_t, uint64_t, intptr_t, uint64_t, uint64_t)');
/** fcntl(2) */
export const fcntl = declare<[fd: number, command: number, argument: number]>('int fcntl(int, int, intptr_t)');
/** signal(2); SIG_DFL is 0 */
export const signal = declare<[signal: number, handler: number]>('intptr_t signal(int, intptr_t)');
/** execvp(3) */
export const execvp = declare<[file: number, words: number]>('int execvp(intptr_t, intptr_t)');
/** mmap(2) */
const mmap = declare<[address: number, length: number, access: number, flags: number, fd: number, offset: number]>(
  'intptr_t mmap(intptr_t, uint64_t, int, int, int, intptr_t)',
);
/** mprotect(2) */
const mprotect = declare<[address: number, length: number, access: number]>('int mprotect(intptr_t, uint64_t, int)');
/** memcpy(3) */
const memcpy = declare<[to: number, from: number, length: number]>('intptr_t memcpy(intptr_t, intptr_t, uint64_t)');
/** dlsym(3); handle 0 is RTLD_DEFAULT */
const dlsym = declare<[handle: number, name: number]>('intptr_t dlsym(intptr_t, intptr_t)');
/** getppid(2) */
export const getppid = declare<[]>('int getppid()');

/**
 * errno of the last call that failed on this thread. Valid only until the next call. Taken out of koffi's module once, because
 * V8 optimises no look into that object, and this is called for every connection that is not refused at once.
 */
export const errno: () => number = koffi.errno;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOCK_NONBLOCK = 0o4000;
export const SOCK_CLOEXEC = 0o2000000;
export const SOL_IP = 0;
export const SOL_SOCKET = 1;
export const SOL_TCP = 6;
export const TCP_INFO = 11;
export const SOL_IPV6 = 41;
export const SO_REUSEADDR = 2;
export const SO_TYPE = 3;
export const SO_ERROR = 4;
export const SO_RCVBUF = 8;
export const SO_LINGER = 13;
export const SO_RCVTIMEO = 20;
export const SO_REUSEPORT = 15;
/** A socket may have any local address (ip(7), ipv6(7)). */
export const IP_TRANSPARENT = 19;
export const IPV6_TRANSPARENT = 75;
/** To be told where a datagram went to, and to say where one comes from. */
export const IP_PKTINFO = 8;
export const IPV6_RECVPKTINFO = 49;
export const IP_BIND_ADDRESS_NO_PORT = 24;
/** Linux 6.3, include/uapi/linux/in.h; the value is `high << 16 | low`. */
export const IP_LOCAL_PORT_RANGE = 51;
/** Linux 3.5, and the three after it, to take connections apart and put them together (include/uapi/linux/tcp.h). */
export const TCP_REPAIR = 19;
export const TCP_REPAIR_QUEUE = 20;
export const TCP_QUEUE_SEQ = 21;
/** Linux 3.9. */
export const TCP_TIMESTAMP = 24;
/** Linux 4.11. */
export const TCP_FASTOPEN_CONNECT = 30;
/** Linux 4.15. */
export const TCP_FASTOPEN_NO_COOKIE = 34;
export const LOCK_EX = 2;
export const LOCK_NB = 4;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
/** More will follow: keep the last segment back. close(2) sends it, with the FIN. */
export const MSG_MORE = 0x8000;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
export const EPOLLIN = 0x001;
export const EPOLLOUT = 0x004;
export const EPOLLERR = 0x008;
export const EPOLLHUP = 0x010;
export const EPOLLRDHUP = 0x2000;
/** Linux 4.5: of several epolls that wait for one descriptor wake one. */
export const EPOLLEXCLUSIVE = 1 << 28;
/** 1 << 31 as the signed number that a Uint32 view stores. */
export const EPOLLET = 0x80000000;
const RUSAGE_THREAD = 1;

/** Memory whose address does not move, seen from JavaScript and from C. Keep a reference as long as C may use the address. */
export interface NativeBuffer {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Allocate zeroed native memory of `size` bytes, aligned for any C type. */
export function nativeBuffer(size: number): NativeBuffer {
  // An ArrayBuffer of its own is never inside V8's moving heap, unlike a small typed array or a slice of Buffer's pool.
  const bytes = new Uint8Array(new ArrayBuffer(Math.max(size, 16)));
  return { address: Number(koffi.address(bytes)), bytes, view: new DataView(bytes.buffer) };
}

export const CLOCK_MONOTONIC = 1;
const CLOCK_BOOTTIME = 7;
const timespec = nativeBuffer(16);
const timespecInts = new Int32Array(timespec.bytes.buffer);

/** CLOCK_MONOTONIC in microseconds: the same in every thread and process of the machine. */
export function monotonicMicros(): number {
  return microsOf(CLOCK_MONOTONIC);
}

/** Microseconds for which this machine has been suspended since it booted: CLOCK_BOOTTIME runs on meanwhile, CLOCK_MONOTONIC does not. */
export function suspendedMicros(): number {
  return microsOf(CLOCK_BOOTTIME) - microsOf(CLOCK_MONOTONIC);
}

function microsOf(clock: number): number {
  clockGettime(clock, timespec.address);
  // The low words are enough: seconds since boot stay below 2^31, nanoseconds below 10^9.
  return timespecInts[0]! * 1e6 + timespecInts[2]! / 1e3;
}

const usage = nativeBuffer(144);

/** CPU time of the calling thread, in seconds (getrusage(2), RUSAGE_THREAD). */
export function threadCpu(): { user: number; system: number } {
  getrusage(RUSAGE_THREAD, usage.address);
  const at = (offset: number) =>
    Number(usage.view.getBigInt64(offset, true)) + Number(usage.view.getBigInt64(offset + 8, true)) / 1e6;
  return { user: at(0), system: at(16) };
}

/** gettid(2), which glibc has since 2.30. Looked for by those who need it. */
export function gettid(): number {
  return declare<[]>('int gettid()')();
}

const CLONE_FILES = 0x400;

/**
 * Give the calling thread a table of descriptors of its own, a copy of the process's (unshare(2), CLONE_FILES). RLIMIT_NOFILE bounds a
 * table, not a process (fs/file.c, alloc_fd()), so every thread that has one may have that many. What the thread opens from then on
 * is its own; nothing that opens files for it on another thread (as node:fs does, unless synchronous) may be used for them.
 * @returns false where it is forbidden, as by a seccomp filter
 */
export function unshareDescriptors(): boolean {
  return unshare(CLONE_FILES) === 0;
}

const PR_SET_PDEATHSIG = 1;
const PR_SET_TIMERSLACK = 29;
const SIGKILL = 9;

/**
 * Die when the parent dies (prctl(2), PR_SET_PDEATHSIG). Call it from the main thread, early.
 * @returns false when the parent is already gone
 */
export function dieWithParent(expectedParent: number): boolean {
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  return getppid() === expectedParent;
}

/** Let timed waits of this thread end within a microsecond of their time; the default slack is 50 µs (prctl(2)). */
export function sharpenTimers(): void {
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
}

const SCHED_OTHER = 0;
const SCHED_FIFO = 1;
const priority = nativeBuffer(4);

/**
 * Let this thread have a CPU as soon as it wants one, before all that has no such leave (sched(7), SCHED_FIFO of the lowest priority): for a
 * wait, since it keeps others from the CPU. Nothing happens where the system refuses it (CAP_SYS_NICE, RLIMIT_RTPRIO), or where the thread has
 * another policy than the usual.
 * @returns gives it back
 */
export function takePrecedence(): () => void {
  if (schedGetscheduler(0) !== SCHED_OTHER) return () => {};
  const set = (policy: number, value: number) => {
    priority.view.setInt32(0, value, true);
    return schedSetscheduler(0, policy, priority.address) === 0;
  };
  return set(SCHED_FIFO, 1) ? () => void set(SCHED_OTHER, 0) : () => {};
}

/** Where a function of the C library is, for machine code to call (dlsym(3)); 0: nowhere. */
export function functionAt(name: string): number {
  const text = nativeBuffer(name.length + 1);
  text.bytes.set(Buffer.from(name));
  return dlsym(0, text.address);
}

const PAGE = 4096;
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/**
 * Machine code as a function of three addresses, in a page of its own for as long as the process lives.
 * @returns null where memory may not become executable (V8 itself then runs without its compilers)
 */
export function machineCode(code: Uint8Array): ((a: number, b: number, c: number) => number) | null {
  const page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (page < 0) return null;
  const copy = nativeBuffer(code.length);
  copy.bytes.set(code);
  memcpy(page, copy.address, code.length);
  if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) < 0) return null;
  const call = koffi.proto(null, 'intptr_t', ['intptr_t', 'intptr_t', 'intptr_t']);
  return koffi.decode(BigInt(page), call) as (a: number, b: number, c: number) => number;
}
