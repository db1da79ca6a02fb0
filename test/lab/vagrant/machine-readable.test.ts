import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorOf, machinesOf, parseMessages, statusOf } from '../../../src/lab/vagrant/machine-readable.js';

/** As Vagrant 2.3.4 prints it. */
const STATUS = `1795321844,bookworm,metadata,provider,libvirt
1795321845,bookworm,provider-name,libvirt
1795321845,bookworm,state,not_created
1795321845,bookworm,state-human-short,not created
1795321845,trixie,provider-name,virtualbox
1795321845,trixie,state,running
1795321845,,ui,info,Current machine states:\\n\\nbookworm  not created (libvirt)\\n\\nFor more%!(VAGRANT_COMMA) run \`vagrant status NAME\`.
`;
const FAILURE = `1795322292,,ui,info,Bringing machine 'bookworm' up with 'libvirt' provider...
some program that Vagrant runs, with a comma
1795322292,,ui,error,An action 'up' was attempted%!(VAGRANT_COMMA)\\nbut another process is already at it.
1795322292,,error-exit,Vagrant::Errors::MachineActionLockedError,An action 'up' was attempted%!(VAGRANT_COMMA)\\nbut another process\\r\\nis already at it.
`;

describe('machine-readable output', () => {
  it('is messages with commas and line ends put back; other lines are none', () => {
    const messages = parseMessages(FAILURE);
    assert.equal(messages.length, 3);
    assert.deepEqual(messages[1], {
      target: '',
      type: 'ui',
      data: ['error', "An action 'up' was attempted,\nbut another process is already at it."],
    });
    assert.deepEqual(parseMessages(''), []);
  });

  it('has the state and the provider of each machine', () => {
    const messages = parseMessages(STATUS);
    assert.deepEqual(statusOf(messages, 'bookworm'), { state: 'not_created', provider: 'libvirt' });
    assert.deepEqual(statusOf(messages, 'trixie'), { state: 'running', provider: 'virtualbox' });
    assert.equal(statusOf(messages, 'sid'), undefined);
    assert.deepEqual(machinesOf(messages), ['bookworm', 'trixie']);
  });

  it('has why Vagrant gave up, on one line', () => {
    assert.equal(
      errorOf(parseMessages(FAILURE)),
      "An action 'up' was attempted, but another process is already at it.",
    );
    assert.equal(errorOf(parseMessages('1,,ui,error,no such machine\n')), 'no such machine');
    assert.equal(errorOf(parseMessages(STATUS)), undefined);
  });
});
