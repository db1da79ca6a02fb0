import assert from 'node:assert/strict';
import { test } from 'node:test';
import { armId, experimentOn, guestOf, kernelNames, kernelsOf, onNoKernel } from '../../src/plan/kernels.js';
import { type LoadOptions, loadProfile } from '../../src/profile/load.js';

const PROFILE = `name: on-kernels
lab: { kind: vm }
kernels: [bookworm, { kernel: ./bzImage, engine: qemu }]
addresses: 10.50.0.0/30
load: { arrival: { shape: constant, rate: 10/s, duration: 1s } }
variants: [{ name: no-port, load: { strategy: bind-no-port } }, { name: all, skipMissing: true }]
`;
const load = (text = PROFILE, options: LoadOptions = {}) => loadProfile(text, 'x.yaml', options).experiment;
const uml = (kernel: string) => ({ engine: 'uml' as const, kernel });

test('every variant is on every kernel, each kernel with its own baseline first', () => {
  const experiment = load();
  assert.deepEqual(experiment.kernels, [
    { name: 'bookworm', guest: uml('bookworm') },
    { name: 'bzImage', guest: { engine: 'qemu', kernel: './bzImage' } },
  ]);
  assert.equal(experiment.guest, undefined);
  assert.deepEqual(experiment.arms.map(armId), [
    'baseline@bookworm',
    'no-port@bookworm',
    'all@bookworm',
    'baseline@bzImage',
    'no-port@bzImage',
    'all@bzImage',
  ]);
  assert.deepEqual(
    experiment.arms.map(({ skipMissing }) => skipMissing),
    [undefined, undefined, true, undefined, undefined, true],
  );
  assert.deepEqual(kernelsOf(experiment), ['bookworm', 'bzImage']);
});

test('the part of one kernel has its arms only', () => {
  const part = experimentOn(load(), 'bzImage');
  assert.deepEqual(
    part.arms.map(({ name, baseline, kernel }) => [name, baseline, kernel]),
    [
      ['baseline', true, 'bzImage'],
      ['no-port', false, 'bzImage'],
      ['all', false, 'bzImage'],
    ],
  );
  assert.deepEqual([kernelsOf(part), guestOf(part, 'bzImage')], [['bzImage'], { engine: 'qemu', kernel: './bzImage' }]);
});

test('an experiment without kernels is one part, and its arms have plain names', () => {
  const plain = load(PROFILE.replace(/kernels:.*\n/, ''));
  assert.deepEqual([kernelsOf(plain), plain.kernels], [[undefined], undefined]);
  assert.equal(experimentOn(plain, undefined), plain);
  assert.deepEqual(plain.arms.map(armId), ['baseline', 'no-port', 'all']);
  assert.deepEqual(guestOf(plain, undefined), uml('bookworm'));
});

test('the command line names other kernels, one or several', () => {
  const plain = PROFILE.replace(/kernels:.*\n/, '');
  const names = (text: string, kernels: string[]) => load(text, { kernels }).kernels?.map(({ name }) => name);
  assert.deepEqual(names(plain, ['trixie', 'sid']), ['trixie', 'sid']);
  assert.deepEqual(names(PROFILE, ['sid', 'trixie', 'bookworm']), ['sid', 'trixie', 'bookworm']);
  assert.deepEqual(names(PROFILE, ['sid']), ['sid'], 'it stays an experiment on kernels, of which there is one');
  assert.equal(names(plain, ['sid']), undefined);
  assert.deepEqual(load(plain, { kernels: ['sid'] }).guest, uml('sid'));
});

test('one kernel on two engines is two columns, whose names say which', () => {
  const both = load(PROFILE.replace(/kernels:.*/, 'kernels: [bookworm, { kernel: bookworm, engine: qemu }]'));
  assert.deepEqual(
    both.kernels!.map(({ name, guest }) => [name, guest.engine]),
    [
      ['bookworm-uml', 'uml'],
      ['bookworm-qemu', 'qemu'],
    ],
  );
  const all = load(PROFILE, { engine: 'qemu', kernels: ['bookworm', 'running'] });
  assert.deepEqual(
    all.kernels!.map(({ name, guest }) => [name, guest.engine]),
    [
      ['bookworm', 'qemu'],
      ['running', 'qemu'],
    ],
  );
  const byFile = load(PROFILE.replace(/kernels:.*/, 'kernels: [./bzImage, ./linux]'), {
    engineOf: (path) => (path === './bzImage' ? 'qemu' : 'uml'),
  });
  assert.deepEqual(
    byFile.kernels!.map(({ guest }) => guest.engine),
    ['qemu', 'uml'],
  );
  const inLab = PROFILE.replace('{ kind: vm }', '{ kind: vm, engine: qemu }').replace(/kernels:.*/, 'kernels: [sid]');
  assert.equal(load(inLab).kernels![0]!.guest.engine, 'qemu');
  assert.throws(
    () => load(PROFILE, { engine: 'uml', kernels: ['bookworm', 'running'] }),
    /engine uml cannot boot the kernel "running"/,
  );
});

test('run elsewhere by the command line, the list of kernels is nothing to boot', () => {
  const experiment = load(PROFILE, { lab: 'netns' });
  assert.deepEqual([experiment.kernels, experiment.guest, experiment.arms.length], [undefined, undefined, 3]);
  const unlabbed = load(PROFILE.replace(/lab:.*\n/, ''), { lab: 'vm' });
  assert.equal(unlabbed.kernels?.length, 2);
});

test('names of kernels tell them apart, and are fit for file names', () => {
  const names = (...kernels: string[]) => kernelNames(kernels.map(uml));
  assert.deepEqual(names('bookworm', 'sid'), ['bookworm', 'sid']);
  assert.deepEqual(names('./a/linux', './b/linux', './linux'), ['linux', 'linux-2', 'linux-3']);
  assert.deepEqual(names('/boot/vmlinuz-6.1.0-28 (old)', './..', './'), [
    'vmlinuz-6.1.0-28-old-',
    'kernel',
    'kernel-2',
  ]);
});

test('on no kernel: absent wherever it is named', () => {
  const arms = [
    { name: 'a', absent: true },
    { name: 'b', absent: true },
    { name: 'a', absent: true },
    { name: 'b' },
    { name: 'c' },
  ];
  assert.deepEqual(onNoKernel(arms), ['a']);
});
