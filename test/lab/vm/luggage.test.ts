/**
 * What programs take along into a guest, and what is refused by name before one is booted.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, realpathSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LabError } from '../../../src/lab/lab.js';
import { nodeLoader } from '../../../src/lab/vm/image.js';
import { luggageOf } from '../../../src/lab/vm/luggage.js';
import { vmLab } from '../../../src/lab/vm/vm.js';
import { interpreterOf, kernelWanted, readElfHead } from '../../../src/machine/elf.js';
import { findProgram } from '../../../src/machine/programs.js';
import { microsocks } from '../../../src/subjects/microsocks/microsocks.js';
import { program } from '../../../src/subjects/program/program.js';
import { scratchFolder } from '../../support/cli.js';
import { KERNEL, SKIP } from '../../support/guests.js';

const SAMPLE = findProgram('setpriv')!;

/** A program that nobody starts, made of another one. */
function altered(t: TestContext, change: (bytes: Buffer) => void): string {
  const bytes = readFileSync(realpathSync(SAMPLE));
  change(bytes);
  const path = join(scratchFolder(t), 'altered');
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

const subject = (binary: string, takes?: string[]) => ({ ...microsocks.defaults, binary, ...(takes ? { takes } : {}) });
const luggage = (...args: Parameters<typeof subject>) => luggageOf([subject(...args)], nodeLoader());

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof LabError, String(error));
    assert.ok(error.remedy, 'it says what to do');
    return error.message;
  }
  assert.fail('it was not refused');
}

describe('the luggage of a program', () => {
  it('has it, its loader and its libraries, where they lie here, and who starts it', () => {
    const { entries, libraries, programs, kernel } = luggage(SAMPLE);
    const paths = entries.map(({ path }) => path);
    const loader = interpreterOf(readElfHead(realpathSync(SAMPLE))!)!;
    for (const path of [SAMPLE, loader, findProgram('sh')!, '/etc/passwd', '/etc/nsswitch.conf'])
      assert.ok(paths.includes(path), path);
    const libc = paths.find((path) => path.endsWith('/libc.so.6'));
    assert.ok(libc && libraries.includes(dirname(libc)));
    assert.ok(programs.includes(dirname(SAMPLE)));
    assert.deepEqual(kernel?.release, [3, 2, 0], 'as Debian builds its C library');
    assert.equal(new Set(paths).size, paths.length);
  });

  it('keeps links, with what they lead to, and finds libraries for the modules of a folder', (t) => {
    const folder = scratchFolder(t);
    for (const name of ['data', 'elsewhere']) mkdirSync(join(folder, name));
    writeFileSync(join(folder, 'elsewhere', 'file'), '');
    symlinkSync('../elsewhere/file', join(folder, 'data', 'link'));
    symlinkSync('.', join(folder, 'data', 'itself'));
    const libraries = luggage(SAMPLE).libraries;
    writeFileSync(join(folder, 'data', 'module.so'), readFileSync(realpathSync(SAMPLE)));
    const { entries, ...with_ } = luggage(SAMPLE, [join(folder, 'data')]);
    const own = entries
      .filter(({ path }) => path.startsWith(folder))
      .map((entry) => [entry.kind, entry.path.slice(folder.length)]);
    assert.deepEqual(own, [
      ['directory', '/data'],
      ['link', '/data/itself'],
      ['link', '/data/link'],
      ['file', '/elsewhere/file'],
      ['file', '/data/module.so'],
    ]);
    assert.deepEqual(with_.libraries, libraries);
  });

  it('of a script has what its first line names', (t) => {
    const path = join(scratchFolder(t), 'script');
    writeFileSync(path, '#!/usr/bin/env setpriv\n', { mode: 0o755 });
    const paths = luggage(path).entries.map((entry) => entry.path);
    assert.ok(paths.includes(path) && paths.includes('/usr/bin/env') && paths.includes(SAMPLE));
  });

  it('does not bring Node, which is there', () => {
    const { entries } = luggageOf([{ ...program.defaults, command: [process.execPath] }], nodeLoader());
    assert.deepEqual(
      entries.filter(({ path }) => path === process.execPath),
      [{ kind: 'link', path: process.execPath, to: '/bin/node' }],
    );
  });

  it('cannot be had: a program, a library, a newer C library, the program of a script, a file', (t) => {
    assert.match(
      refusal(() => luggage('nosuchproxy')),
      /^program nosuchproxy not found$/,
    );
    const lacking = altered(t, (bytes) => bytes.write('libq', bytes.indexOf('libc.so.6\0'), 'latin1'));
    assert.match(
      refusal(() => luggage(lacking)),
      /altered lacks libraries on this machine: .*libq\.so\.6/,
    );
    const newer = altered(t, (bytes) => bytes.write('GLIBC_9.34', bytes.indexOf('GLIBC_2.34\0'), 'latin1'));
    assert.match(
      refusal(() => luggage(newer)),
      /altered lacks libraries on this machine: .*libc\.so\.6: version .GLIBC_9\.34. not found/,
    );
    const script = join(scratchFolder(t), 'script');
    writeFileSync(script, '#!/usr/bin/nosuchshell\n', { mode: 0o755 });
    assert.match(
      refusal(() => luggage(script)),
      /^program \/usr\/bin\/nosuchshell, which the script .* is for, not found/,
    );
    assert.match(
      refusal(() => luggage(SAMPLE, ['/nowhere/data'])),
      /^there is no \/nowhere\/data/,
    );
  });
});

/** Where the note of its build has the number of a kernel. */
function noteAt(bytes: Buffer): number {
  const at = bytes.indexOf(Buffer.from('0400000010000000010000004742550000000000'.replace('474255', '474e55'), 'hex'));
  assert.ok(at > 0);
  return at + 20;
}

describe('before a guest is booted', SKIP, () => {
  const open = (proxy: ReturnType<typeof subject>) =>
    vmLab({ engine: 'uml', kernel: KERNEL }, () => {}, { subjects: [proxy] }).open('check');

  it('a program that is built for a newer kernel is refused', async (t) => {
    const newer = altered(t, (bytes) => bytes.writeUInt32LE(9, noteAt(bytes)));
    assert.deepEqual(kernelWanted(readElfHead(newer)!)?.slice(0, 1), [9]);
    await assert.rejects(
      open(subject(newer)),
      /altered is built for Linux 9\.\d+\.0 and newer; the kernel of the guest is 6\.1\./,
    );
  });

  it('an image that its memory has no room for is refused', async (t) => {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, 'large'), '');
    truncateSync(join(folder, 'large'), 2 ** 32);
    await assert.rejects(
      open(subject(SAMPLE, [folder])),
      /the guest's image has \d{4} MiB, \d{4} of them for programs and their files, so that the guest needs \d+ MiB of memory; it has \d+/,
    );
  });

  it('a program that is not here is refused before a kernel is fetched', async () => {
    await assert.rejects(
      vmLab({ engine: 'uml', kernel: '/nowhere/linux' }, () => {}, { subjects: [subject('nosuchproxy')] }).open(
        'check',
      ),
      /program nosuchproxy not found/,
    );
  });
});
