/**
 * Which files a program needs to start: its loader and its shared libraries, as the loader itself finds them. And what else is
 * read from files in the ELF format, 64-bit and little-endian (elf(5)).
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';

const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_NOTE = 4;
/** A note of the GNU system: the oldest kernel that a program, or its C library, was built for (elf.h, NT_GNU_ABI_TAG). */
const ABI_TAG = 1;
const LINUX = 0;
const MAGIC = 0x464c457f;
/** Program headers follow the ELF header; all of them lie in the first page or two. */
const HEAD_BYTES = 65_536;

/** Whether the file begins as an ELF file does (elf(5)). */
export function isElf(head: Buffer): boolean {
  return head.length >= 64 && head.readUInt32LE(0) === MAGIC && head[4] === 2 && head[5] === 1;
}

/** The first bytes of a file that is a 64-bit little-endian ELF file, else undefined. @throws when it cannot be read */
export function readElfHead(path: string): Buffer | undefined {
  const head = readHead(path, HEAD_BYTES);
  return isElf(head) ? head : undefined;
}

/** The first bytes of a file, fewer where it is shorter. @throws when it cannot be read */
export function readHead(path: string, bytes: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(bytes);
    return head.subarray(0, readSync(fd, head, 0, bytes, 0));
  } finally {
    closeSync(fd);
  }
}

interface Segment {
  /** Where its program header lies in the file. */
  readonly header: number;
  readonly type: number;
  readonly offset: number;
  readonly address: bigint;
  readonly size: number;
}

/** The program headers that lie in the head of a file. */
function segments(head: Buffer): Segment[] {
  const table = Number(head.readBigUInt64LE(32));
  const entrySize = head.readUInt16LE(54);
  const entries = Array.from({ length: head.readUInt16LE(56) }, (_, i) => table + i * entrySize);
  return entries
    .filter((header) => header + 56 <= head.length)
    .map((header) => ({
      header,
      type: head.readUInt32LE(header),
      offset: Number(head.readBigUInt64LE(header + 8)),
      address: head.readBigUInt64LE(header + 16),
      size: Number(head.readBigUInt64LE(header + 32)),
    }));
}

/** PT_INTERP: where the name of a program's loader lies; undefined for a static program. */
export function programInterpreter(head: Buffer): Segment | undefined {
  return segments(head).find(({ type }) => type === PT_INTERP);
}

/** The virtual addresses that a program's parts are loaded at. */
export function loadsAt(head: Buffer): bigint[] {
  return segments(head)
    .filter(({ type }) => type === PT_LOAD)
    .map(({ address }) => address);
}

/** The bytes of a section, by its name; undefined when the file has none. */
export function sectionOf(file: Buffer, name: string): Buffer | undefined {
  const table = Number(file.readBigUInt64LE(40));
  const entrySize = file.readUInt16LE(58);
  const part = (index: number) => {
    const header = table + index * entrySize;
    const offset = Number(file.readBigUInt64LE(header + 24));
    return file.subarray(offset, offset + Number(file.readBigUInt64LE(header + 32)));
  };
  const names = part(file.readUInt16LE(62));
  for (let i = 0; i < file.readUInt16LE(60); i++) {
    const at = file.readUInt32LE(table + i * entrySize);
    if (names.toString('latin1', at, names.indexOf(0, at)) === name) return part(i);
  }
  return undefined;
}

/** The loader that a program names, or undefined for a static one. */
export function interpreterOf(head: Buffer): string | undefined {
  const segment = programInterpreter(head);
  return segment && head.toString('latin1', segment.offset, segment.offset + segment.size).replace(/\0.*$/, '');
}

/** The oldest kernel that a program or library says it runs on, as [3, 2, 0]; undefined: it says none. Pure. */
export function kernelWanted(head: Buffer): readonly number[] | undefined {
  for (const { type, offset, size } of segments(head)) {
    const end = Math.min(offset + size, head.length);
    // Each note: sizes of its name and of its contents, its type, and both, padded to four bytes.
    for (let at = offset; type === PT_NOTE && at + 12 <= end; ) {
      const [name, contents] = [head.readUInt32LE(at), head.readUInt32LE(at + 4)];
      const body = at + 12 + ((name + 3) & ~3);
      const isTag = head.readUInt32LE(at + 8) === ABI_TAG && head.toString('latin1', at + 12, at + 15) === 'GNU';
      if (isTag && contents >= 16 && body + 16 <= end && head.readUInt32LE(body) === LINUX)
        return [4, 8, 12].map((place) => head.readUInt32LE(body + place));
      at = body + ((contents + 3) & ~3);
    }
  }
  return undefined;
}

export interface Libraries {
  /** Paths, the loader among them; in the order in which they are found. */
  readonly paths: readonly string[];
  /** What the loader says it lacks, such as `libfoo.so.1 => not found`. */
  readonly missing: readonly string[];
}

/** Ask a loader what it would load for a program or library. @param within folders in which it looks first */
export function librariesOf(path: string, loader: string, within: readonly string[] = []): Libraries {
  const where = within.length > 0 ? ['--library-path', within.join(':')] : [];
  const { stdout, stderr } = spawnSync(loader, [...where, '--list', path], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n');
  const paths = lines.flatMap((line) => /(?:=>\s+|^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  return {
    paths: [...new Set([loader, ...paths])],
    missing: lines.map((line) => line.trim()).filter((line) => /not found|cannot open shared object/.test(line)),
  };
}
