/** The file of hosts, a line each. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseHosts } from '../../src/fleet/remote/hosts.js';

test('a line is a host as ssh takes it, and a name if one likes', () => {
  const text = `# the rack
web-1.example.org
root@10.0.0.7   seven
ssh://root@db.example.org:2222  # behind the wall
[2001:db8::7]

alias
`;
  assert.deepEqual(parseHosts(text, 'hosts.txt'), [
    { destination: 'web-1.example.org', name: 'web-1-example-org' },
    { destination: 'root@10.0.0.7', name: 'seven' },
    { destination: 'ssh://root@db.example.org:2222', name: 'db-example-org' },
    { destination: '[2001:db8::7]', name: '2001-db8-7' },
    { destination: 'alias', name: 'alias' },
  ]);
});

test('what is wrong is said with its line', () => {
  for (const [text, message] of [
    ['a\nb c d', /hosts\.txt:2: "d" is one word too many/],
    ['-oProxyCommand=reboot', /hosts\.txt:1: -oProxyCommand=reboot is not a host/],
    ['a b/c', /hosts\.txt:1: b\/c is not a name of an agent/],
    ['x@web\ny@web', /hosts\.txt:2: y@web and x@web would both be web; give one of them a name/],
    ['# nobody\n', /hosts\.txt names no host/],
  ] as const)
    assert.throws(() => parseHosts(text, 'hosts.txt'), message);
});
