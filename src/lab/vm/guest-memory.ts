/**
 * Where a guest's memory lies on this machine. Only the pages that the guest used take room, but all of them may come to be used.
 * For QEMU it is memory as that of any process; for UML a file without a name, as large as the guest's memory, which it maps
 * executable.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LabError } from '../lab.js';

const PREFIX = 'bindstorm-vm-';

/**
 * Make a folder for a guest of this process. What guests of processes that were killed have left there is removed.
 * @param bytes of the guest's memory
 * @throws LabError when no place has room
 */
export function guestFolder(bytes: number): string {
  const places = ['/dev/shm', tmpdir()];
  const place = places.find((folder) => hasRoom(folder, bytes) && !isNoexec(folder));
  if (place === undefined)
    throw new LabError(
      `a guest needs ${Math.round(bytes / 2 ** 20)} MiB of room for its memory, and neither ${places.join(' nor ')} has it (or they are mounted noexec)`,
      { remedy: 'make room, or name a folder that has it with the environment variable TMPDIR' },
    );
  sweep(place);
  return mkdtempSync(join(place, `${PREFIX}${process.pid}-`));
}

/** @throws LabError when this machine has less memory to spare than the guest may come to use. @param bytes of the guest's memory */
export function checkMemory(bytes: number): void {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  if (available === undefined || Number(available) * 1024 >= bytes) return;
  throw new LabError(
    `a guest may come to use ${Math.round(bytes / 2 ** 20)} MiB of memory, and this machine has ${Math.round(Number(available) / 1024)} MiB to spare`,
    { remedy: 'end other programs, or use a machine with more memory' },
  );
}

function hasRoom(folder: string, bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize >= bytes;
  } catch {
    return false;
  }
}

/** Whether the mount that the folder lies on forbids to execute (proc(5), mountinfo). */
function isNoexec(folder: string): boolean {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , , , point]) => point === folder || point === '/' || folder.startsWith(`${point}/`))
    .sort((a, b) => a[4]!.length - b[4]!.length);
  return mounts.at(-1)?.[5]?.split(',').includes('noexec') ?? false;
}

/** Remove the folders of processes that are no more. */
function sweep(place: string): void {
  for (const name of readdirSync(place)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(place, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
