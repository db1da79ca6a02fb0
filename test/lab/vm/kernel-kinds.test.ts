// needs: qemu-system-x86
/**
 * Kernels of every kind that a guest can have, fetched when the cache does not have them.
 */
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { release } from 'node:os';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Engine } from '../../../src/domain/guest.js';
import { rehearse } from '../../../src/experiment/rehearsal.js';
import { LabError } from '../../../src/lab/lab.js';
import { findAccelerator } from '../../../src/lab/vm/accelerator.js';
import { readKernelFile } from '../../../src/lab/vm/boot-header.js';
import { engineOf, guestKernel } from '../../../src/lab/vm/kernel.js';
import { openGuest, vmLab } from '../../../src/lab/vm/vm.js';
import type { Guest } from '../../../src/plan/plan.js';
import { loadProfile } from '../../../src/profile/load.js';
import { scratchFolder } from '../../support/cli.js';
import { planFor, SKIP } from '../../support/guests.js';

const { experiment } = loadProfile(
  'name: kernels\naddresses: 10.50.0.1/32\nload: { arrival: { shape: fill, attempts: 10 } }\nvariants: [{ name: v }]\n',
  'kernels.yaml',
);
const kernelOf = (engine: Engine, kernel: string) => guestKernel({ engine, kernel }, () => {});
const look = (guest: Guest) =>
  rehearse(
    experiment,
    vmLab(guest, () => {}),
  );

async function refusal(work: Promise<unknown>): Promise<LabError> {
  const error = await work.then(
    () => assert.fail('it was accepted'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LabError, String(error));
  return error;
}

describe('kernels of Debian', SKIP, () => {
  // Linux 5.10 has no source of randomness as a user-mode kernel; without a seed Node would wait forever.
  it('5.10 as a program says hello, and its origin has a namespace of its own', async () => {
    const { kernel, network, warnings } = await look({ engine: 'uml', kernel: 'bullseye' });
    assert.deepEqual([kernel.major, kernel.minor, network, warnings], [5, 10, 'veth', []]);
  });

  it('5.10 as an image', async () => {
    const { kernel, network, warnings } = await look({ engine: 'qemu', kernel: 'bullseye' });
    assert.deepEqual([kernel.major, kernel.minor, network, warnings], [5, 10, 'veth', []]);
  });

  it('6.12 as an image: its modules are compressed, and loaded all the same', async () => {
    const { kernel, network, warnings } = await look({ engine: 'qemu', kernel: 'trixie' });
    assert.deepEqual([kernel.major, kernel.minor, network, warnings], [6, 12, 'veth', []]);
  });

  it('the newest: image and modules are packages of their own', async () => {
    const { path, modules } = await kernelOf('qemu', 'sid');
    const file = readKernelFile(path);
    assert.equal(file.kind, 'bzImage');
    const names = modules.map((module) => basename(module));
    assert.ok(names.includes('veth.ko') && names.indexOf('inet_diag.ko') < names.indexOf('tcp_diag.ko'), names.join());
  });
});

describe('an image from elsewhere', SKIP, () => {
  it('boots without any module; what it then lacks is told', async (t) => {
    const path = join(scratchFolder(t), 'bzImage');
    copyFileSync((await kernelOf('qemu', 'bookworm')).path, path);
    assert.equal(engineOf(path), 'qemu');
    const { kernel, network, warnings } = await look({ engine: 'qemu', kernel: path });
    assert.deepEqual([kernel.major, kernel.minor, network], [6, 1, 'shared']);
    assert.match(warnings[0]!, /no veth devices/);
  });

  it('has the modules of its release that lie beside it, as in an unpacked package', async (t) => {
    const folder = scratchFolder(t);
    const { path, modules } = await kernelOf('qemu', 'bookworm');
    const file = readKernelFile(path);
    assert.ok(file.kind === 'bzImage' && file.release !== null);
    const tree = join(folder, 'lib', 'modules', file.release, 'kernel');
    mkdirSync(tree, { recursive: true });
    mkdirSync(join(folder, 'boot'));
    for (const module of modules) copyFileSync(module, join(tree, basename(module)));
    copyFileSync(path, join(folder, 'boot', 'vmlinuz'));
    const given = await kernelOf('qemu', join(folder, 'boot', 'vmlinuz'));
    assert.deepEqual(
      given.modules,
      modules.map((module) => join(tree, basename(module))),
    );
  });

  it('that cannot be a guest is refused with what it must contain', async (t) => {
    const plan = await planFor('qemu');
    assert.ok(plan.kernel.engine === 'qemu');
    const image = join(scratchFolder(t), 'empty.cpio');
    copyFileSync('/proc/self/comm', image);
    const error = await refusal(openGuest({ ...plan, image, kernel: { ...plan.kernel, given: true } }));
    assert.match(error.message, /VFS: .*; it found no root filesystem: BLK_DEV_INITRD is missing/);
    assert.match(error.remedy!, /has built in: .*SERIAL_8250/);
  });
});

describe('what QEMU needs here', SKIP, () => {
  it('the running kernel’s image: it is found, or the error says where it should be', async () => {
    const places = [`/boot/vmlinuz-${release()}`, `/lib/modules/${release()}/vmlinuz`];
    const place = places.find((path) => existsSync(path));
    if (place !== undefined) assert.equal((await kernelOf('qemu', 'running')).path, place);
    else {
      const error = await refusal(kernelOf('qemu', 'running'));
      assert.match(
        error.message,
        /^the image of the running kernel \(.*\) is not on this machine, neither at \/boot\//,
      );
      assert.match(error.remedy!, /--kernel/);
    }
  });

  it('without QEMU the error says what to install', async (t) => {
    const { PATH } = process.env;
    t.after(() => {
      process.env.PATH = PATH;
    });
    process.env.PATH = scratchFolder(t);
    const error = await refusal(kernelOf('qemu', 'bookworm'));
    assert.match(error.message, /^qemu-system-x86_64 boots this kernel and is not on the PATH/);
    assert.match(error.remedy!, /apt-get install --no-install-recommends qemu-system-x86/);
  });

  it('KVM is tried by a guest, once', async (t) => {
    const { path } = await kernelOf('qemu', 'bookworm');
    const { XDG_CACHE_HOME } = process.env;
    t.after(() => {
      if (XDG_CACHE_HOME === undefined) delete process.env.XDG_CACHE_HOME;
      else process.env.XDG_CACHE_HOME = XDG_CACHE_HOME;
    });
    process.env.XDG_CACHE_HOME = scratchFolder(t);
    const notes: string[] = [];
    const first = await findAccelerator(path, (text) => notes.push(text));
    assert.equal(notes.length, existsSync('/dev/kvm') && !(first.kind === 'tcg' && /closed/.test(first.why)) ? 1 : 0);
    assert.deepEqual(await findAccelerator(path, () => assert.fail('it is known')), first);
    if (!existsSync('/dev/kvm')) assert.deepEqual(first, { kind: 'tcg', why: 'no /dev/kvm' });
  });
});
