import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { kernelNames as kernelOption, OPTIONS } from '../../src/commands/options.js';
import { integer } from '../../src/commands/parsers.js';

const parserOf = (name: 'lab' | 'box') => (text: string) => OPTIONS[name]().parseArg!(text, undefined);
const [labOption, boxOption] = [parserOf('lab'), parserOf('box')];

test('whole numbers within their bounds', () => {
  const parse = integer('--repeat', 1, 1000);
  assert.deepEqual(['1', '42', '1000', '007'].map(parse), [1, 42, 1000, 7]);
  assert.equal(integer('--seed', 0, 4_294_967_295)('4294967295'), 4_294_967_295);
  for (const bad of [
    '0',
    '1001',
    '',
    ' 5',
    '5 ',
    '-1',
    '+1',
    '1.5',
    '1e2',
    '0x10',
    'ten',
    '٣',
    '99999999999999999999',
  ]) {
    assert.throws(
      () => parse(bad),
      (error) => {
        assert.ok(error instanceof InvalidArgumentError, `${JSON.stringify(bad)} gives commander’s own error`);
        assert.equal(error.message, '--repeat takes a whole number from 1 to 1000.');
        return true;
      },
    );
  }
});

test('labs by name', () => {
  const labs = ['netns', 'vm', 'vagrant', 'host'];
  assert.deepEqual(labs.map(labOption), labs);
  for (const bad of ['', 'docker', 'Netns', 'netns ', 'constructor'])
    assert.throws(() => labOption(bad), {
      name: 'InvalidArgumentError',
      message: /^Allowed are netns, vm, vagrant, host\./,
    });
});

test('boxes by the name of a machine', () => {
  for (const good of ['bookworm', 'web.1', 'A-b_c']) assert.equal(boxOption(good), good);
  for (const bad of ['', '-f', '/book.*/', 'a b', 'debian/bookworm64', 'ä'])
    assert.throws(() => boxOption(bad), {
      name: 'InvalidArgumentError',
      message: /is not a box; use the name of a machine/,
    });
});

test('kernels by suite or path', () => {
  for (const good of ['bookworm', 'trixie', 'sid', './linux', '/boot/linux'])
    assert.deepEqual(kernelOption(good), [good]);
  for (const bad of ['', 'linux', 'Bookworm', 'buster', 'constructor'])
    assert.throws(() => kernelOption(bad), {
      name: 'InvalidArgumentError',
      message: /is not a kernel; use a Debian suite/,
    });
  assert.deepEqual(kernelOption('bookworm, ./linux,running'), ['bookworm', './linux', 'running']);
  assert.throws(() => kernelOption('bookworm,,trixie'), { message: /"" is not a kernel; use a Debian suite/ });
  assert.throws(() => kernelOption('sid,sid'), { message: /sid is named twice/ });
  const nine = Array.from({ length: 9 }, (_, i) => `./linux-${i}`).join(',');
  assert.throws(() => kernelOption(nine), { message: /9 kernels are too many; at most 8/ });
});
