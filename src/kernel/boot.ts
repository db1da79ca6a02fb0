/**
 * System calls of a machine's first process: what the init of a guest needs and nothing else does. Constants as in libc.ts.
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

/** mount(2) of a file system without a device, as proc. */
export function mount(type: string, target: string): void {
  const [kind, place] = [text(type), text(target)];
  succeed('mount', libc.mount(kind.address, place.address, kind.address, 0, 0), target);
}

const MS_BIND = 4096;

/** mount(2) of a file over another one, with MS_BIND: who is in this mount namespace sees `source` there. */
export function bindMount(source: string, target: string): void {
  const [from, to] = [text(source), text(target)];
  succeed('mount', libc.mount(from.address, to.address, 0, MS_BIND, 0), target);
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
export function raiseDescriptorLimit(limit: number): void {
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
