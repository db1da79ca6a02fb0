import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseSshConfig, sshCommand } from '../../../src/lab/vagrant/ssh-config.js';

/** As Vagrant 2.3.4 prints it for libvirt. */
const TEXT = `Host bookworm
  HostName 192.168.121.30
  User vagrant
  Port 22
  UserKnownHostsFile /dev/null
  StrictHostKeyChecking no
  PasswordAuthentication no
  IdentityFile "/home/ann lee/.vagrant/private_key"
  IdentityFile /home/ann/other_key
  IdentitiesOnly yes
  LogLevel FATAL

`;

describe('ssh-config', () => {
  it('gives the host, and every option as it stands', () => {
    const target = parseSshConfig(TEXT);
    assert.equal(target?.host, 'bookworm');
    assert.equal(target?.options.length, 10);
    assert.deepEqual(target?.options.slice(6, 8), [
      'IdentityFile "/home/ann lee/.vagrant/private_key"',
      'IdentityFile /home/ann/other_key',
    ]);
  });

  it('leaves out comments and empty lines, and does not mind the case', () => {
    assert.deepEqual(parseSshConfig('# by Vagrant\n\nhost a\r\n\thostname 10.0.0.1\r\n'), {
      host: 'a',
      options: ['hostname 10.0.0.1'],
    });
  });

  for (const [title, text] of [
    ['nothing', ''],
    ['an error message', 'The machine is not yet ready for SSH.\n'],
    ['no address', 'Host a\n  User vagrant\n'],
    ['two hosts', `${TEXT}Host trixie\n  HostName 10.0.0.2\n`],
    ['a pattern of hosts', 'Host a b\n  HostName 10.0.0.1\n'],
  ])
    it(`refuses ${title}`, () => assert.equal(parseSshConfig(text!), undefined));

  it('becomes a command that asks nothing, whose own options come first', () => {
    const command = sshCommand({ host: 'a', options: ['HostName 10.0.0.1', 'LogLevel FATAL'] }, 'sudo -n true');
    assert.deepEqual(command.slice(0, 4), ['ssh', '-F', '/dev/null', '-T']);
    assert.deepEqual(command.slice(-3), ['--', 'a', 'sudo -n true']);
    assert.ok(command.indexOf('BatchMode yes') > 0);
    assert.ok(command.indexOf('LogLevel ERROR') < command.indexOf('LogLevel FATAL'));
    assert.equal(command[command.indexOf('HostName 10.0.0.1') - 1], '-o');
  });
});
