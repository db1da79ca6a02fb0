/**
 * System calls of a machine's first process, and of what makes a place for a program: mounts and the like. Constants as in libc.ts.
 * Each throws SystemCallError when the kernel refuses.
 */
import { readFileSync } from 'node:fs';
import { ENOSYS, SystemCallError } from './errno.js';
import * as libc from './libc.js';

const { errno, nativeBuffer } = libc;

const RB_POWER_OFF = 0x4321fedc;
const RLIMIT_NOFILE = 7;
const TCSANOW = 0;
/** Larger than a struct termios of any architecture. */
const TERMIOS_BYTES = 256;
/** arm64 and riscv64 share the newer table of system calls (asm-generic/unistd.h). */
const SYS_FINIT_MODULE = process.arch === 'x64' ? 313 : 273;
/** The same number on every architecture. */
const SYS_MOUNT_SETATTR = 442;
const AT_FDCWD = -100;
const AT_RECURSIVE = 0x8000;
const MOUNT_ATTR_RDONLY = 1n;
const MS_BIND = 4096;
const MS_REC = 16_384;
const SYS_INIT_MODULE = process.arch === 'x64' ? 175 : 105;

function succeed(call: string, result: number, detail = ''): void {
  if (result < 0) throw new SystemCallError(call, errno(), detail);
}

function text(value: string): libc.NativeBuffer {
  const bytes = new TextEncoder().encode(`${value}\0`);
  const buffer = nativeBuffer(bytes.length);
  buffer.bytes.set(bytes);
  return buffer;
}

/** mount(2) of a file system without a device, as proc. @param options of it, as `size=1m,mode=1777` */
export function mount(type: string, target: string, options = ''): void {
  const [kind, place, data] = [text(type), text(target), text(options)];
  succeed('mount', libc.mount(kind.address, place.address, kind.address, 0, data.address), target);
}

/** Let a file or folder be seen in another place too (mount(2), MS_BIND), with all that is mounted below it. */
export function bindMount(source: string, target: string): void {
  const [from, place] = [text(source), text(target)];
  succeed('mount', libc.mount(from.address, place.address, 0, MS_BIND | MS_REC, 0), target);
}

/**
 * Make a mount read-only, or writable again, and nothing but this mount namespace sees it: mount_setattr(2), Linux 5.12.
 * @param whole with all that is mounted below it
 */
export function setReadOnly(target: string, readOnly: boolean, whole = false): void {
  const [place, attributes] = [text(target), nativeBuffer(32)];
  // struct mount_attr (include/uapi/linux/mount.h): attr_set, attr_clr, propagation, userns_fd.
  attributes.view.setBigUint64(readOnly ? 0 : 8, MOUNT_ATTR_RDONLY, true);
  const flags = whole ? AT_RECURSIVE : 0;
  succeed(
    'mount_setattr',
    libc.syscall5(SYS_MOUNT_SETATTR, AT_FDCWD, place.address, flags, attributes.address, 32),
    target,
  );
}

/** finit_module(2), without parameters; before Linux 3.8, which has not got it, init_module(2). */
export function loadModule(fd: number, name: string): void {
  const parameters = text('');
  if (libc.syscall(SYS_FINIT_MODULE, fd, parameters.address, 0) >= 0) return;
  if (errno() !== ENOSYS) throw new SystemCallError('finit_module', errno(), name);
  const file = readFileSync(fd);
  const image = nativeBuffer(file.length);
  image.bytes.set(file);
  succeed('init_module', libc.syscall(SYS_INIT_MODULE, image.address, file.length, parameters.address), name);
}

/** setrlimit(2), RLIMIT_NOFILE, soft and hard: for this process and for those that it starts. */
export function setDescriptorLimit(limit: number): void {
  const limits = nativeBuffer(16);
  limits.view.setBigUint64(0, BigInt(limit), true);
  limits.view.setBigUint64(8, BigInt(limit), true);
  succeed('setrlimit', libc.setrlimit(RLIMIT_NOFILE, limits.address));
}

/** Make a terminal line carry bytes as they are: no echo, no translation (termios(3), cfmakeraw). */
export function makeRaw(fd: number): void {
  const termios = nativeBuffer(TERMIOS_BYTES);
  succeed('tcgetattr', libc.tcgetattr(fd, termios.address));
  libc.cfmakeraw(termios.address);
  succeed('tcsetattr', libc.tcsetattr(fd, TCSANOW, termios.address));
}

/** Wait until a terminal line has sent what was written to it (tcdrain(3)). */
export function drain(fd: number): void {
  succeed('tcdrain', libc.tcdrain(fd));
}

/** dup2(2): the descriptor `to` becomes another name of `from`. */
export function duplicateOnto(from: number, to: number): void {
  succeed('dup2', libc.dup2(from, to));
}

/** reboot(2), RB_POWER_OFF. Does not return. */
export function powerOff(): void {
  succeed('reboot', libc.reboot(RB_POWER_OFF));
}
