/**
 * A writer of cpio archives in the «newc» form, the only one that the kernel unpacks as a root filesystem at boot
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Uncompressed: under an emulated CPU unpacking costs more than reading.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string }
  /** The content of a file of this machine. */
  | { readonly kind: 'file'; readonly path: string; readonly from: string; readonly executable: boolean }
  | { readonly kind: 'text'; readonly path: string; readonly text: string | Buffer; readonly executable: boolean }
  /** A symbolic link. */
  | { readonly kind: 'link'; readonly path: string; readonly to: string }
  /** For everybody, or for root alone. */
  | {
      readonly kind: 'character-device';
      readonly path: string;
      readonly major: number;
      readonly minor: number;
      readonly shared: boolean;
    };

const DIRECTORY = 0o040755;
const REGULAR = 0o100644;
const EXECUTABLE = 0o100755;
const LINK = 0o120777;
const CHARACTER_DEVICE = 0o020600;
const SHARED_DEVICE = 0o020666;
const CHUNK = 1 << 20;
/** A size is eight hexadecimal digits. */
const MOST_BYTES = 0xffffffff;

interface Header {
  readonly ino: number;
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly device?: { readonly major: number; readonly minor: number };
}

/**
 * One header with its name, padded to four bytes. Owner root, time 0: equal contents give equal archives.
 * @param path without a leading slash
 */
export function cpioHeader({ ino, path, mode, size, device }: Header): Buffer {
  const name = Buffer.from(`${path}\0`);
  const links = mode === DIRECTORY ? 2 : 1;
  const numbers = [ino, mode, 0, 0, links, 0, size, 0, 0, device?.major ?? 0, device?.minor ?? 0, name.length, 0];
  const text = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  return padded(Buffer.concat([Buffer.from(text), name]));
}

/**
 * Write an archive. Directories that an entry lies in are made before it.
 * @param fd open for writing
 * @param entries absolute paths; the first of two with the same path counts
 * @throws Error when a file cannot be read, or is changed while it is
 */
export function writeCpio(fd: number, entries: Iterable<CpioEntry>): void {
  const seen = new Set<string>(['/']);
  let ino = 0;
  const head = (path: string, mode: number, size: number, device?: Header['device']) => {
    ino++;
    writeAll(fd, cpioHeader({ ino, path: path.slice(1), mode, size, device }));
  };
  const directory = (path: string) => {
    if (path === '' || seen.has(path)) return;
    directory(path.slice(0, path.lastIndexOf('/')));
    seen.add(path);
    head(path, DIRECTORY, 0);
  };
  for (const entry of entries) {
    if (seen.has(entry.path)) continue;
    if (entry.kind === 'directory') {
      directory(entry.path);
      continue;
    }
    directory(entry.path.slice(0, entry.path.lastIndexOf('/')));
    seen.add(entry.path);
    switch (entry.kind) {
      case 'character-device':
        head(entry.path, entry.shared ? SHARED_DEVICE : CHARACTER_DEVICE, 0, entry);
        break;
      case 'link': {
        const bytes = Buffer.from(entry.to);
        head(entry.path, LINK, bytes.length);
        writeAll(fd, padded(bytes));
        break;
      }
      case 'text': {
        const bytes = Buffer.from(entry.text);
        head(entry.path, entry.executable ? EXECUTABLE : REGULAR, bytes.length);
        writeAll(fd, padded(bytes));
        break;
      }
      case 'file':
        copyFile(fd, entry.from, (size) => head(entry.path, entry.executable ? EXECUTABLE : REGULAR, size));
    }
  }
  writeAll(fd, cpioHeader({ ino: 0, path: 'TRAILER!!!', mode: 0, size: 0 }));
}

function copyFile(fd: number, path: string, head: (size: number) => void): void {
  const source = openSync(path, 'r');
  try {
    const { size } = fstatSync(source);
    if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes; a guest image takes files of at most 4 GiB`);
    head(size);
    const chunk = Buffer.allocUnsafe(CHUNK);
    let left = size;
    while (left > 0) {
      const read = readSync(source, chunk, 0, Math.min(CHUNK, left), null);
      if (read === 0) throw new Error(`${path} became shorter while it was read`);
      writeAll(fd, chunk.subarray(0, read));
      left -= read;
    }
    writeAll(fd, Buffer.alloc(-size & 3));
  } finally {
    closeSync(source);
  }
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}

/** write(2) may take less than it is given. */
function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
