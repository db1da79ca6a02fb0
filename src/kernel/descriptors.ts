/**
 * The sockets that a process has open: the links of /proc/PID/fd (proc(5)), read by getdents64(2) and readlinkat(2) into the same memory again and
 * again. A process may have a hundred thousand of them, and a text for each name and each link would cost more than the kernel's part.
 */
import { closeSync, constants, openSync } from 'node:fs';
import { nativeBuffer, readlinkat, syscall } from './libc.js';

/** arm64 and riscv64 share the newer table of system calls (asm-generic/unistd.h). */
const SYS_GETDENTS64 = process.arch === 'x64' ? 217 : 61;
const entries = nativeBuffer(1 << 16);
/** `socket:[4294967295]` has 19 characters. */
const link = nativeBuffer(32);
const prefix = [...'socket:['].map((character) => character.charCodeAt(0));
const [ZERO, NINE] = [48, 57];

/**
 * Visit the inode of every socket of a process, those that it has several descriptors of as often.
 * @returns how many descriptors it has, 0 when it has ended; null: they may not be read
 */
export function forEachSocket(pid: number, visit: (inode: number) => void): number | null {
  let folder: number;
  try {
    folder = openSync(`/proc/${pid}/fd`, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    // It may have ended in between.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? null : 0;
  }
  let descriptors = 0;
  try {
    for (;;) {
      const bytes = syscall(SYS_GETDENTS64, folder, entries.address, entries.bytes.length);
      if (bytes <= 0) return descriptors;
      // struct linux_dirent64: d_ino, d_off, d_reclen at 16, d_type, d_name at 19, which ends with a NUL.
      for (let at = 0; at < bytes; at += entries.view.getUint16(at + 16, true)) {
        const first = entries.bytes[at + 19]!;
        if (first < ZERO || first > NINE) continue;
        descriptors++;
        const inode = socketInode(readlinkat(folder, entries.address + at + 19, link.address, link.bytes.length));
        if (inode !== 0) visit(inode);
      }
    }
  } finally {
    closeSync(folder);
  }
}

/** The inode in what readlinkat() wrote; 0: the link is that of something else, or its descriptor is closed. */
function socketInode(length: number): number {
  if (length <= prefix.length) return 0;
  for (let i = 0; i < prefix.length; i++) if (link.bytes[i] !== prefix[i]) return 0;
  let inode = 0;
  for (let i = prefix.length; i < length - 1; i++) inode = inode * 10 + link.bytes[i]! - ZERO;
  return inode;
}
