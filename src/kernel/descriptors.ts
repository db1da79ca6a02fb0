/**
 * The sockets that a process has open: the links of /proc/PID/fd (proc(5)), read by getdents64(2) and readlinkat(2) into the same memory again and
 * again. A process may have a hundred thousand of them, and a text for each name and each link would cost more than the kernel's part; the kernel's
 * part is two to three microseconds each, so of very many a sample is enough.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { unlessThrown } from '../domain/error.js';
import { nativeBuffer, readlinkat, syscall } from './libc.js';

/** arm64 and riscv64 share the newer table of system calls (asm-generic/unistd.h). */
const SYS_GETDENTS64 = process.arch === 'x64' ? 217 : 61;
const entries = nativeBuffer(1 << 16);
/** `socket:[4294967295]` has 19 characters. */
const link = nativeBuffer(32);
/** A number in decimals, and a NUL. */
const name = nativeBuffer(16);
const prefix = [...'socket:['].map((character) => character.charCodeAt(0));
const [ZERO, NINE] = [48, 57];

/** A process with no more descriptors is read whole. */
const ALL_UP_TO = 4096;
/** The lowest numbers are always read: what a process opens when it starts, such as the sockets on which it listens. */
const FIRST = 256;
/** Of the others so many are read: one of each of as many equal ranges of numbers. */
const SAMPLED = 2048;

/** The inodes of the latest look, which has the memory until the next. */
let inodes = new Uint32Array(1 << 12);
let size = 0;

/** What was seen of a process. */
export interface SeenDescriptors {
  /** How many it has; 0 when it has ended. */
  readonly descriptors: number;
  /** Whether only a sample was read, so that what was counted is an estimate. */
  readonly isSampled: boolean;
  /** Of its sockets, those that it has several descriptors of as often. Good until the next look at a process. */
  readonly inodes: Uint32Array;
  /** The first so many of them stand for one descriptor each, and the others for `weight`. */
  readonly single: number;
  readonly weight: number;
}

const ENDED: SeenDescriptors = {
  descriptors: 0,
  isSampled: false,
  inodes: new Uint32Array(0),
  single: 0,
  weight: 1,
};

/**
 * Look at the sockets of a process.
 * @param how `sample`: of a process with more than 4,096 descriptors a sample, where the kernel says how many there are (since Linux 6.2)
 * @returns null: they may not be read
 */
export function socketsOf(pid: number, how: 'all' | 'sample'): SeenDescriptors | null {
  let folder: number;
  try {
    folder = openSync(`/proc/${pid}/fd`, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    // It may have ended in between.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? null : ENDED;
  }
  size = 0;
  try {
    // 0 before Linux 6.2 (proc_fd_getattr()).
    const count = how === 'all' ? 0 : fstatSync(folder).size;
    const slots = count > ALL_UP_TO ? slotsOf(pid) : 0;
    const isSampled = slots > 0;
    const seen = isSampled ? readSample(folder, slots) : { descriptors: readAll(folder), single: size, weight: 1 };
    return { descriptors: count, ...seen, isSampled, inodes: inodes.subarray(0, size) };
  } finally {
    closeSync(folder);
  }
}

/** Numbers that a descriptor may have now are below; 0: not known. */
function slotsOf(pid: number): number {
  return unlessThrown(
    () => Number(/^FDSize:\s*(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0),
    0,
  );
}

/** @returns how many descriptors there are */
function readAll(folder: number): number {
  let descriptors = 0;
  for (;;) {
    const bytes = syscall(SYS_GETDENTS64, folder, entries.address, entries.bytes.length);
    if (bytes <= 0) return descriptors;
    // struct linux_dirent64: d_ino, d_off, d_reclen at 16, d_type, d_name at 19, which ends with a NUL.
    for (let at = 0; at < bytes; at += entries.view.getUint16(at + 16, true)) {
      const first = entries.bytes[at + 19]!;
      if (first < ZERO || first > NINE) continue;
      descriptors++;
      readLink(folder, entries.address + at + 19);
    }
  }
}

/**
 * One of each range of numbers, which of it chance says: a program that opens two sockets by turns must not be read at every second one. A number
 * without a descriptor is one too, so that the weights add up to what there is.
 */
function readSample(folder: number, slots: number): Pick<SeenDescriptors, 'single' | 'weight'> {
  const weight = Math.max(1, Math.ceil((slots - FIRST) / SAMPLED));
  for (let fd = 0; fd < FIRST; fd++) readNumber(folder, fd);
  const single = size;
  let random = 1;
  for (let first = FIRST; first < slots; first += weight) {
    // Numerical Recipes, §7.1; the upper bits are the good ones.
    random = (Math.imul(random, 1_664_525) + 1_013_904_223) | 0;
    const fd = first + (((random >>> 8) * weight) >>> 24);
    if (fd < slots) readNumber(folder, fd);
  }
  return { single, weight };
}

function readNumber(folder: number, fd: number): void {
  let digits = 1;
  for (let rest = fd; rest >= 10; rest = (rest / 10) | 0) digits++;
  name.bytes[digits] = 0;
  for (let rest = fd; digits > 0; rest = (rest / 10) | 0) name.bytes[--digits] = ZERO + (rest % 10);
  readLink(folder, name.address);
}

/** Note the inode of a descriptor that is a socket. @param path address of its number in decimals */
function readLink(folder: number, path: number): void {
  const inode = socketInode(readlinkat(folder, path, link.address, link.bytes.length));
  if (inode === 0) return;
  if (size === inodes.length) {
    const wider = new Uint32Array(2 * size);
    wider.set(inodes);
    inodes = wider;
  }
  inodes[size++] = inode;
}

/** The inode in what readlinkat() wrote; 0: the link is that of something else, or its descriptor is closed. */
function socketInode(length: number): number {
  if (length <= prefix.length) return 0;
  for (let i = 0; i < prefix.length; i++) if (link.bytes[i] !== prefix[i]) return 0;
  let inode = 0;
  for (let i = prefix.length; i < length - 1; i++) inode = inode * 10 + link.bytes[i]! - ZERO;
  return inode;
}
