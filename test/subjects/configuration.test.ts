import assert from 'node:assert/strict';
import { test } from 'node:test';
import { boundedConfiguration, configurationSchema } from '../../src/subjects/proxy-report.js';

test('a file that is too long is cut, and says so; what is left may be carried', () => {
  const files = boundedConfiguration({ 'squid.conf': 'short\n', 'long.conf': 'x'.repeat(100_000) });
  assert.equal(files['squid.conf'], 'short\n');
  assert.match(files['long.conf']!, /x\n# cut by bindstorm: 34464 more characters\n$/);
  configurationSchema.parse(files);
  const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`exit${i}.torrc`, '']));
  configurationSchema.parse(boundedConfiguration(many));
});

test('a name that leads out of the folder is refused', () => {
  for (const name of ['../x', 'a/b', '..', '.', '', '/etc/passwd', 'x\0'])
    assert.equal(configurationSchema.safeParse({ [name]: '' }).success, false, JSON.stringify(name));
});
