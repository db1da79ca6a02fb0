/**
 * The first program of a guest, written here as machine code for x86-64 (126 bytes): it gives the kernel's random number generator
 * a seed and becomes Node, whose init (src/agent/guest-init.ts) does the rest.
 *
 * A guest has little that is random. Until the kernel has enough of it, getrandom(2) waits; Node asks for it before it runs a line
 * of a script. Linux 5.10 as a user-mode kernel waits without end, 4.9 in a machine without virtio-rng too, and newer ones lose a
 * second. So the seed has to come before Node: as the first argument, by the kernel's command line (random(4), RNDADDENTROPY).
 */

/** Bytes at the place of the argument: hexadecimal digits, so half as many are random. */
const SEED_DIGITS = 128;
const SEED_BITS = SEED_DIGITS * 4;
/** The address that the file is loaded at; any page will do. */
const BASE = 0x400000;
const HEADERS = 64 + 56;

/** The kernel's parameters, of which these must be the last, that hand a seed over: what follows the dashes are init's arguments. */
export function seedParameters(random: Buffer): string[] {
  return ['--', random.toString('hex').slice(0, SEED_DIGITS).padEnd(SEED_DIGITS, '0')];
}

/**
 * A static ELF program.
 * @param interpreter what it becomes, a path. @param script that program's only argument
 */
export function firstProgram(interpreter: string, script: string): Buffer {
  const texts = ['/dev/random', interpreter, script].map((text) => Buffer.from(`${text}\0`));
  const size = machineCode([0, 0, 0]).length;
  const [device, program] = texts as [Buffer, Buffer, Buffer];
  const code = machineCode([size, size + device.length, size + device.length + program.length]);
  const body = Buffer.concat([code, ...texts]);
  return Buffer.concat([headers(HEADERS + body.length), body]);
}

/** @param places of the three texts, from the begin of the code */
function machineCode([device, program, script]: readonly [number, number, number]): Buffer {
  const parts: Buffer[] = [];
  const length = () => parts.reduce((sum, part) => sum + part.length, 0);
  const add = (hex: string) => parts.push(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
  /** An instruction that takes the address of a text, relative to the instruction that follows. */
  const addressOf = (hex: string, place: number) => {
    add(hex);
    const relative = Buffer.alloc(4);
    relative.writeInt32LE(place - (length() + 4));
    parts.push(relative);
  };
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes.toString('hex');
  };
  // The stack at the start of a program: argc, argv[0], argv[1], …, 0, the environment, 0 (System V ABI, AMD64, 3.4.1).
  add('83 3c 24 02'); //                      cmp  dword [rsp], 2     without a seed
  add('7c 49'); //                            jl   run
  add('b8 02 00 00 00'); //                   mov  eax, 2             open(
  addressOf('48 8d 3d', device); //           lea  rdi, [rip+device]    "/dev/random",
  add('be 02 00 00 00'); //                   mov  esi, 2               O_RDWR)
  add('0f 05'); //                            syscall
  add('89 c7'); //                            mov  edi, eax           ioctl(it,
  add(`be ${number(0x40085203)}`); //         mov  esi, 0x40085203      RNDADDENTROPY,
  // struct rand_pool_info: two numbers, then the seed. They take the place of argv[0], which nobody reads.
  add('48 8b 54 24 10'); //                   mov  rdx, [rsp+16]        argv[1] - 8)
  add('48 83 ea 08'); //                      sub  rdx, 8
  add(`c7 02 ${number(SEED_BITS)}`); //       mov  dword [rdx], bits
  add(`c7 42 04 ${number(SEED_DIGITS)}`); //  mov  dword [rdx+4], bytes
  // Before 4.8 what is credited flows on to the pool of getrandom(2) bit by bit, by a kernel thread that a credit wakes: so the
  // same seed is given many times, and the thread is let run (drivers/char/random.c, credit_entropy_bits, push_to_pool).
  add('41 bc 40 00 00 00'); //                mov  r12d, 64
  // again:
  add('b8 10 00 00 00'); //                   mov  eax, 16
  add('0f 05'); //                            syscall
  add('b8 18 00 00 00'); //                   mov  eax, 24            sched_yield()
  add('0f 05'); //                            syscall
  add('41 ff cc'); //                         dec  r12d
  add('75 ed'); //                            jnz  again
  // run:
  add('8b 0c 24'); //                         mov  ecx, [rsp]
  add('48 8d 54 cc 10'); //                   lea  rdx, [rsp+rcx*8+16]  the environment
  addressOf('48 8d 3d', program); //          lea  rdi, [rip+program] execve(program,
  addressOf('48 8d 05', script); //           lea  rax, [rip+script]    { program, script, 0 },
  add('6a 00 50 57'); //                      push 0; push rax; push rdi
  add('48 89 e6'); //                         mov  rsi, rsp             environment)
  add('b8 3b 00 00 00'); //                   mov  eax, 59
  add('0f 05'); //                            syscall
  add('f7 d8'); //                            neg  eax                exit(errno): the kernel panics and shows it
  add('89 c7'); //                            mov  edi, eax
  add('b8 3c 00 00 00'); //                   mov  eax, 60
  add('0f 05'); //                            syscall
  return Buffer.concat(parts);
}

/** The headers of a program of one segment, readable and executable, that is the whole file (elf(5)). */
function headers(fileSize: number): Buffer {
  const bytes = Buffer.alloc(HEADERS);
  bytes.write('7f454c46020101', 0, 'hex'); // ELF, 64-bit, little-endian, version 1
  bytes.writeUInt16LE(2, 16); //            ET_EXEC
  bytes.writeUInt16LE(62, 18); //           EM_X86_64
  bytes.writeUInt32LE(1, 20); //            version
  bytes.writeBigUInt64LE(BigInt(BASE + HEADERS), 24); // entry
  bytes.writeBigUInt64LE(64n, 32); //       program headers
  bytes.writeUInt16LE(64, 52); //           size of this header
  bytes.writeUInt16LE(56, 54); //           size of a program header, and how many
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt16LE(64, 58); //           size of a section header; there are none
  bytes.writeUInt32LE(1, 64); //            PT_LOAD
  bytes.writeUInt32LE(5, 68); //            readable, executable
  bytes.writeBigUInt64LE(BigInt(BASE), 80); // address; the offset, before it, is 0
  bytes.writeBigUInt64LE(BigInt(BASE), 88);
  bytes.writeBigUInt64LE(BigInt(fileSize), 96);
  bytes.writeBigUInt64LE(BigInt(fileSize), 104);
  bytes.writeBigUInt64LE(0x1000n, 112); //  alignment
  return bytes;
}
