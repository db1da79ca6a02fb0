import assert from 'node:assert/strict';
import { test } from 'node:test';
import { atLeast, kernelSeries, parseKernelVersion } from '../../src/capacity/kernel-version.js';

test('releases of many vendors', () => {
  const cases: [string, number, number, number][] = [
    ['6.18.44-fc-v769', 6, 18, 44],
    ['3.10.0-1160.el7.x86_64', 3, 10, 0],
    ['7.2.13+deb14-cloud-amd64', 7, 2, 13],
    ['2.6.32-642.6.2.el6.x86_64', 2, 6, 32],
    ['4.18.0-553.16.1.el8_10.x86_64', 4, 18, 0],
    ['6.3-rc1', 6, 3, 0],
    ['6.3', 6, 3, 0],
    ['5.15.153.1-microsoft-standard-WSL2', 5, 15, 153],
  ];
  for (const [release, major, minor, patch] of cases) {
    const version = parseKernelVersion(release);
    assert.deepEqual([version.major, version.minor, version.patch], [major, minor, patch], release);
    assert.equal(version.release, release);
  }
});

test('the build of an enterprise kernel is kept, and other kernels have none', () => {
  assert.deepEqual(parseKernelVersion('2.6.32-642.6.2.el6.x86_64').enterprise, { release: 6, build: [642, 6, 2] });
  assert.deepEqual(parseKernelVersion('3.10.0-1160.el7').enterprise, { release: 7, build: [1160] });
  assert.deepEqual(parseKernelVersion('4.18.0-553.16.1.el8_10.x86_64').enterprise, { release: 8, build: [553, 16, 1] });
  assert.equal(parseKernelVersion('6.1.0-28-amd64').enterprise, null);
});

test('what is no release is refused with the text and an example', () => {
  for (const bad of ['', '6', 'linux-6.1', '6.x', '6.1.', 'v6.1', '6.1\n', '-1.2', '6..1']) {
    assert.throws(() => parseKernelVersion(bad), { name: 'UserError' }, JSON.stringify(bad));
  }
  assert.throws(() => parseKernelVersion('v6.1'), /"v6\.1" is not a kernel release; .* for example 6\.1\.0-28-amd64/);
});

test('comparison is by number, not by text', () => {
  const at = (release: string, wanted: string) => atLeast(parseKernelVersion(release), wanted);
  assert.equal(at('6.18.44', '6.3'), true);
  assert.equal(at('6.3', '6.3'), true);
  assert.equal(at('6.2.16', '6.3'), false);
  assert.equal(at('4.9.154', '4.11'), false);
  assert.equal(at('6.1.32', '6.1.32'), true);
  assert.equal(at('6.1.31', '6.1.32'), false);
  assert.equal(at('2.6.32-754.el6', '2.6.33'), false);
  assert.equal(at('7.0', '6.99'), true);
});

test('series', () => {
  assert.equal(kernelSeries(parseKernelVersion('6.18.44-fc')), '6.18');
  assert.equal(kernelSeries(parseKernelVersion('2.6.32-5-amd64')), '2.6.32');
});
