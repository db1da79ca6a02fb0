/**
 * Where a guest's memory lies on this machine. Only the pages that the guest used take room, but all of them may come to be used.
 * For QEMU it is memory as that of any process. For UML it is a file without a name, as large as the guest's memory, which it maps
 * executable; beside it UML keeps a folder with its pid and a control socket. Both lie on a tmpfs that is mounted in the guest's own mount
 * namespace: nobody else sees it, and the kernel frees it with the last process of the guest, whatever ends that
 * (mount_namespaces(7)). So there is nothing to sweep, of ours or of anybody else.
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { unlessThrown } from '../../domain/error.js';
import { LabError } from '../lab.js';

/** Folders that nearly every system has, and that no program needs in order to start. */
const PLACES: readonly string[] = ['/dev/shm', '/mnt', '/media', '/srv'];
/** For what lies beside the memory. */
const SPARE_BYTES = 2 ** 20;
/** `-n`: on a system whose /etc/mtab is a file, it is the machine's. */
const MOUNT_AND_RUN = 'mount -n -t tmpfs -o "$1" bindstorm "$0" && shift && exec "$@"';

/**
 * The folder over which a guest's tmpfs is mounted.
 * @param used paths that the guest's engine reads
 * @param candidates folders to choose from
 * @throws LabError when none can be had
 */
export function memoryFolder(used: readonly string[], candidates = PLACES): string {
  const paths = used.map(resolved);
  const place = candidates.find((folder) => isFolder(folder) && !paths.some((path) => isWithin(path, folder)));
  if (place === undefined)
    throw new LabError(`a guest needs a folder to mount its memory on, and none of ${candidates} is usable`, {
      remedy: `make one of them (mkdir ${candidates.at(-1)}), or move the kernel elsewhere if it lies in it`,
    });
  return place;
}

/**
 * The same command with a tmpfs of its own. It must be run as root of a mount namespace of its own.
 * @param folder of memoryFolder()
 * @param bytes of the guest's memory
 */
export function withOwnMemory(command: readonly string[], folder: string, bytes: number): string[] {
  const options = `size=${bytes + SPARE_BYTES},mode=0700,nosuid,nodev`;
  return ['sh', '-c', MOUNT_AND_RUN, folder, options, ...command];
}

/** @throws LabError when this machine has not got the memory. @param bytes of the guest's memory */
export function checkTotalMemory(bytes: number): void {
  refuseAbove(totalmem(), bytes, 'MiB in all', 'use a machine with more memory');
}

/** @throws LabError when this machine has less memory to spare than the guest may come to use. @param bytes of the guest's memory */
export function checkMemory(bytes: number): void {
  refuseAbove(memoryToSpare(), bytes, 'MiB to spare', 'end other programs, or use a machine with more memory');
}

/** Whether this machine has so much memory to spare. */
export function hasMemory(bytes: number): boolean {
  return memoryToSpare() >= bytes;
}

/** Bytes; infinite where the kernel does not say (before Linux 3.14). */
function memoryToSpare(): number {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return available === undefined ? Number.POSITIVE_INFINITY : Number(available) * 1024;
}

function refuseAbove(limit: number, bytes: number, unit: string, remedy: string): void {
  if (limit >= bytes) return;
  const [wanted, had] = [bytes, limit].map((count) => Math.round(count / 2 ** 20));
  throw new LabError(`a guest may come to use ${wanted} MiB of memory, and this machine has ${had} ${unit}`, {
    remedy,
  });
}

function resolved(path: string): string {
  return unlessThrown(() => realpathSync(path), path);
}

function isWithin(path: string, folder: string): boolean {
  const real = resolved(folder);
  return path === real || path.startsWith(`${real}/`);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
