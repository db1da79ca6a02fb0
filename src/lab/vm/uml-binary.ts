/**
 * Two things that a User-Mode Linux kernel from elsewhere may need changed in its file before it runs on this machine. Neither
 * touches the part that is measured. Pure.
 */
import { programInterpreter } from '../../machine/elf.js';

/**
 * The same program with another loader.
 * @param loader relative to the working directory of the process; not longer than the old one
 * @throws Error when the program has no loader, or the new name has no room
 */
export function withLoader(program: Buffer, loader: string): Buffer {
  const segment = programInterpreter(program);
  const bytes = Buffer.from(`${loader}\0`, 'latin1');
  if (segment === undefined || bytes.length > segment.size)
    throw new Error('the program has no room for another loader');
  const changed = Buffer.from(program);
  bytes.copy(changed, segment.offset);
  // p_filesz and p_memsz: the kernel wants the name to end where the segment does (fs/binfmt_elf.c).
  changed.writeBigUInt64LE(BigInt(bytes.length), segment.header + 32);
  changed.writeBigUInt64LE(BigInt(bytes.length), segment.header + 40);
  return changed;
}

/** `movl $2696, -8(%rbp); movl $PTRACE_SETREGSET, %edi`: the size that put_fp_registers() hands over (registers.c, HOST_FP_SIZE). */
const SET_REGISTERS = Buffer.from('c745f8880a0000bf05420000', 'hex');
const SIZE_AT = 3;

/**
 * Until Linux 6.12, UML takes the extended state of a CPU to be 2696 bytes (arch/x86/um/user-offsets.c). A host with AMX has 11008
 * and refuses to set less than all of it (arch/x86/kernel/fpu/regset.c, xstateregs_set: EFAULT), so that no process of the guest
 * starts. What lies beyond the 2696 bytes are the AMX tiles, which no process of the guest can use (it would have to ask for them
 * with arch_prctl(2)); the host skips them, as the state's own header says that they are unused. So a larger size is all it takes.
 * @returns undefined when the program has no such place: it is newer, or is built otherwise
 */
export function withStateSize(program: Buffer, size: number): Buffer | undefined {
  const at = program.indexOf(SET_REGISTERS);
  if (at < 0 || program.indexOf(SET_REGISTERS, at + 1) >= 0) return undefined;
  const changed = Buffer.from(program);
  changed.writeUInt32LE(size, at + SIZE_AT);
  return changed;
}
