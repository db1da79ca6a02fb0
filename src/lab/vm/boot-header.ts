/**
 * What a kernel's file is, from its first bytes.
 */
import { isElf, loadsAt, readHead } from '../../machine/elf.js';

export type KernelFile =
  /** A program for this machine: with luck a User-Mode Linux kernel. */
  | { readonly kind: 'program' }
  /** @param release as `6.1.0-50-cloud-amd64`, null where the image does not say */
  | { readonly kind: 'bzImage'; readonly release: string | null }
  /** Something else; what, and what to give instead. */
  | { readonly kind: 'other'; readonly what: string; readonly remedy: string | null };

/** The text of the version may lie as far as a 16-bit offset reaches. */
const HEAD_BYTES = 0x200 + 0x10000 + 256;
/** Where a kernel for x86-64 wants to lie; a program lies in the lower half. */
const KERNEL_ADDRESSES = 1n << 63n;
const XLF_KERNEL_64 = 1;
const LOADED_HIGH = 1;

/** @throws when the file cannot be read */
export function readKernelFile(path: string): KernelFile {
  return kernelFile(readHead(path, HEAD_BYTES));
}

/**
 * Pure. The header of an image for x86: Documentation/arch/x86/boot.rst.
 * @param head the first bytes of the file
 */
export function kernelFile(head: Buffer): KernelFile {
  const other = (what: string, remedy: string | null = null): KernelFile => ({ kind: 'other', what, remedy });
  if (isElf(head)) {
    return loadsAt(head).some((address) => address >= KERNEL_ADDRESSES)
      ? other('a vmlinux, which no engine here boots', 'give the bzImage of the same build (arch/x86/boot/bzImage)')
      : { kind: 'program' };
  }
  if (head.length > 60 && head.toString('latin1', 56, 60) === 'ARMd')
    return other('a kernel for arm64; guests have the CPU of this machine');
  if (head.length < 0x264 || head.readUInt16LE(0x1fe) !== 0xaa55 || head.toString('latin1', 0x202, 0x206) !== 'HdrS')
    return other('no kernel image: it has neither the header of a bzImage nor that of a program');
  if ((head[0x211]! & LOADED_HIGH) === 0) return other('a zImage, which no kernel for x86-64 is');
  if (head.readUInt16LE(0x206) >= 0x20c && (head.readUInt16LE(0x236) & XLF_KERNEL_64) === 0)
    return other('a kernel for 32-bit machines; the guest runs the Node of this machine, which has 64');
  return { kind: 'bzImage', release: releaseOf(head) };
}

function releaseOf(head: Buffer): string | null {
  const offset = head.readUInt16LE(0x20e);
  if (offset === 0) return null;
  const text = head.toString('latin1', 0x200 + offset, 0x200 + offset + 256).split('\0')[0]!;
  return /^(\d+\.\d+\S*)/.exec(text)?.[1] ?? null;
}
