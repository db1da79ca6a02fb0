/**
 * Which files a program needs to start: its loader and its shared libraries, as the loader itself finds them.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';

const PT_INTERP = 3;
const MAGIC = 0x464c457f;
/** Program headers follow the ELF header; all of them lie in the first page or two. */
const HEAD_BYTES = 65_536;

/** The first bytes of a file that is a 64-bit little-endian ELF file, else undefined. @throws when it cannot be read */
export function readElfHead(path: string): Buffer | undefined {
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(HEAD_BYTES);
    const length = readSync(fd, head, 0, HEAD_BYTES, 0);
    const isElf = length >= 64 && head.readUInt32LE(0) === MAGIC && head[4] === 2 && head[5] === 1;
    return isElf ? head.subarray(0, length) : undefined;
  } finally {
    closeSync(fd);
  }
}

export interface Segment {
  /** Where its program header lies in the file. */
  readonly header: number;
  readonly offset: number;
  readonly size: number;
}

/** PT_INTERP of a 64-bit little-endian ELF file: where the name of its loader lies; undefined for a static program (elf(5)). */
export function programInterpreter(head: Buffer): Segment | undefined {
  const table = Number(head.readBigUInt64LE(32));
  const entrySize = head.readUInt16LE(54);
  const entries = head.readUInt16LE(56);
  for (let i = 0; i < entries; i++) {
    const header = table + i * entrySize;
    if (head.readUInt32LE(header) !== PT_INTERP) continue;
    return {
      header,
      offset: Number(head.readBigUInt64LE(header + 8)),
      size: Number(head.readBigUInt64LE(header + 32)),
    };
  }
  return undefined;
}

/** The loader that a program names, or undefined for a static one. */
export function interpreterOf(head: Buffer): string | undefined {
  const segment = programInterpreter(head);
  return segment && head.toString('latin1', segment.offset, segment.offset + segment.size).replace(/\0.*$/, '');
}

export interface Libraries {
  /** Paths, the loader among them; in the order in which they are found. */
  readonly paths: readonly string[];
  /** What the loader says it lacks, as `libfoo.so.1 => not found`. */
  readonly missing: readonly string[];
}

/** Ask a loader what it would load for a program or library. */
export function librariesOf(path: string, loader: string): Libraries {
  const { stdout, stderr } = spawnSync(loader, ['--list', path], { encoding: 'utf8', env: { LC_ALL: 'C' } });
  const lines = `${stdout ?? ''}\n${stderr ?? ''}`.split('\n');
  const paths = lines.flatMap((line) => /(?:=>\s+|^\s*)(\/\S+) \(0x/.exec(line)?.[1] ?? []);
  return {
    paths: [...new Set([loader, ...paths])],
    missing: lines.map((line) => line.trim()).filter((line) => /not found/.test(line)),
  };
}
