import assert from 'node:assert/strict';
import { realpathSync } from 'node:fs';
import { test } from 'node:test';
import { kernelFile, readKernelFile } from '../../../src/lab/vm/boot-header.js';
import { firstProgram } from '../../../src/lab/vm/first-program.js';

/** By Documentation/arch/x86/boot.rst. */
function image({
  release = '6.1.0-50-cloud-amd64 (builder) #1 SMP',
  protocol = 0x20f,
  load = 1,
  flags = 1,
} = {}): Buffer {
  const head = Buffer.alloc(0x4000);
  head.writeUInt16LE(0xaa55, 0x1fe);
  head.write('HdrS', 0x202, 'latin1');
  head.writeUInt16LE(protocol, 0x206);
  head[0x211] = load;
  head.writeUInt16LE(flags, 0x236);
  head.writeUInt16LE(0x3000 - 0x200, 0x20e);
  head.write(`${release}\0garbage`, 0x3000, 'latin1');
  return head;
}

test('a bzImage and its release', () => {
  assert.deepEqual(kernelFile(image()), { kind: 'bzImage', release: '6.1.0-50-cloud-amd64' });
  assert.deepEqual(kernelFile(image({ release: '4.4.155' })), { kind: 'bzImage', release: '4.4.155' });
  assert.deepEqual(kernelFile(image({ release: 'nonsense' })), { kind: 'bzImage', release: null });
  // Before protocol 2.12 (Linux 3.8) the flag did not exist.
  assert.deepEqual(kernelFile(image({ release: '3.2.1', protocol: 0x20a, flags: 0 })), {
    kind: 'bzImage',
    release: '3.2.1',
  });
});

test('a program, and what is neither', () => {
  assert.deepEqual(readKernelFile(realpathSync('/bin/true')), { kind: 'program' });
  const whatIs = (head: Buffer) => {
    const file = kernelFile(head);
    assert.equal(file.kind, 'other');
    return file.kind === 'other' ? `${file.what}; ${file.remedy}` : '';
  };
  const vmlinux = Buffer.from(firstProgram('/a', '/b'));
  vmlinux.writeBigUInt64LE(0xffffffff81000000n, 80);
  assert.match(whatIs(vmlinux), /^a vmlinux, .*give the bzImage of the same build/);
  const arm = Buffer.alloc(0x4000);
  arm.write('ARMd', 56, 'latin1');
  assert.match(whatIs(arm), /^a kernel for arm64/);
  assert.match(whatIs(image({ flags: 0 })), /^a kernel for 32-bit machines/);
  assert.match(whatIs(image({ load: 0 })), /^a zImage/);
  assert.match(whatIs(Buffer.from('name: a profile\n')), /^no kernel image/);
  assert.match(whatIs(Buffer.alloc(0)), /^no kernel image/);
});
