/**
 * Kernel images for QEMU: a bzImage that the user names, that of a Debian suite, fetched once into the cache, or that which this
 * machine runs.
 */
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { release } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DEBIAN_SUITES } from '../../domain/guest.js';
import { unpackDebianPackages } from '../../machine/debian.js';
import { PROXY_KINDS, proxySubjectOf } from '../../subjects/index.js';
import { LabError, type Note } from '../lab.js';
import { findAccelerator } from './accelerator.js';
import { debianKernel, KERNEL_FILE } from './debian-kernel.js';
import { modulesToLoad, NAT } from './modules.js';
import { hasQemu, INSTALL_QEMU, QEMU, type QemuKernel } from './qemu.js';

/** Debian's kernels for virtual machines: smaller, and with all that a lab needs. */
const PACKAGE = 'linux-image-cloud-amd64';
/** The package names another, and since Debian forky that names two, for the image and for its modules. */
const PARTS = /^linux-(?:image|binary|modules)-/;

const MODULES = 'modules';
/** Those that some kind of subject needs. */
const OF_SUBJECTS = PROXY_KINDS.map(proxySubjectOf).flatMap(
  (kind) => kind.belongings?.(kind.defaults, '').modules ?? [],
);

/** @param path of a bzImage. @param version its release, such as 6.1.0-50-cloud-amd64; its modules are used where they lie beside it */
export async function givenQemuKernel(
  path: string,
  version: string | null,
  note: Note,
  more: readonly string[],
): Promise<QemuKernel> {
  requireQemu();
  const modules = modulesToLoad(version === null ? null : modulesBeside(path, version), more);
  return { engine: 'qemu', path, accelerator: await findAccelerator(path, note), given: true, modules };
}

/** The image and the modules of the kernel that this machine runs. @throws LabError when it is not there, or not for this user */
export async function runningKernel(note: Note, more: readonly string[]): Promise<QemuKernel> {
  requireQemu();
  const version = release();
  const places = [`/boot/vmlinuz-${version}`, `/lib/modules/${version}/vmlinuz`];
  const path = places.find((place) => existsSync(place));
  const instead = `give the path of an image with --kernel, or a Debian suite (${DEBIAN_SUITES.join(', ')})`;
  if (path === undefined)
    throw new LabError(
      `the image of the running kernel (${version}) is not on this machine, neither at ${places.join(' nor at ')}`,
      { remedy: instead },
    );
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new LabError(`the image of the running kernel, ${path}, cannot be read by this user`, {
      cause: error,
      remedy: `run as root, or let everyone read it (sudo chmod a+r ${path}), or ${instead}`,
    });
  }
  return givenQemuKernel(path, version, note, more);
}

/** @throws LabError when it cannot be had */
export async function debianQemuKernel(suite: string, note: Note, more: readonly string[]): Promise<QemuKernel> {
  requireQemu();
  const folder = await debianKernel('qemu', suite, async (ready, work) => {
    note(`fetching the kernel of Debian ${suite} into the cache (once)`);
    await fetchKernel(suite, work, ready);
  });
  const path = join(folder, KERNEL_FILE);
  const modules = modulesToLoad(join(folder, MODULES), more);
  return { engine: 'qemu', path, accelerator: await findAccelerator(path, note), given: false, modules };
}

function requireQemu(): void {
  if (hasQemu()) return;
  throw new LabError(`${QEMU} boots this kernel and is not on the PATH`, { remedy: INSTALL_QEMU });
}

/** Keeps the image and the few modules that a guest may load. */
async function fetchKernel(suite: string, work: string, ready: string): Promise<void> {
  const unpacked = join(work, 'package');
  mkdirSync(unpacked);
  await unpackDebianPackages(suite, [PACKAGE], unpacked, { parts: PARTS });
  const image = ['boot', 'lib/modules', 'usr/lib/modules'].flatMap((folder) => imagesIn(join(unpacked, folder)))[0];
  if (image === undefined) throw new LabError(`the package ${PACKAGE} of ${suite} has no kernel image`);
  const trees = ['lib/modules', 'usr/lib/modules'].map((folder) => join(unpacked, folder));
  const tree = trees.flatMap((folder) =>
    existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [],
  );
  mkdirSync(join(ready, MODULES));
  for (const path of modulesToLoad(tree[0] ?? null, [...NAT, ...OF_SUBJECTS], () => work))
    copyFileSync(path, join(ready, MODULES, basename(path)));
  renameSync(image, join(ready, KERNEL_FILE));
}

/** vmlinuz or vmlinuz-6.1.0, in the folder or one below. */
function imagesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (/^vmlinuz(?:-|$)/.test(entry.name)) return [path];
    return entry.isDirectory() && existsSync(join(path, 'vmlinuz')) ? [join(path, 'vmlinuz')] : [];
  });
}

/** Where an installed or an unpacked package has the modules of an image. */
function modulesBeside(path: string, version: string): string | null {
  const folder = dirname(path);
  const places = [
    folder,
    join(folder, '..', 'lib', 'modules', version),
    join(folder, '..', 'usr', 'lib', 'modules', version),
    join('/lib/modules', version),
  ];
  return places.find((place) => basename(place) === version && existsSync(place)) ?? null;
}
