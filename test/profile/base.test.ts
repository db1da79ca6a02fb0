import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadProfile } from '../../src/profile/load.js';
import type { ReadFiles } from '../../src/subjects/base/base.js';

const FILES: Record<string, string> = {
  'squid.conf': 'http_port 3128\ntcp_outgoing_address 192.0.2.1\n',
  'two.conf': 'tcp_outgoing_address 192.0.2.1 a\ntcp_outgoing_address 192.0.2.2 b\n',
  'peer.conf': '# a\ncache_peer p 80 0\n',
};
const readFiles: ReadFiles = (name) =>
  name in FILES ? { files: [{ file: name, text: FILES[name]! }] } : { problem: `${name} cannot be read (ENOENT)` };

function load(subject: string, variant = '', more = '') {
  const text = `name: x\naddresses: { list: [10.50.0.1] }\nsubject: ${subject}\nload: { arrival: { shape: fill, attempts: 10 } }\nvariants: [{ name: v${variant} }]\n${more}`;
  return loadProfile(text, 'x.yaml', { readFiles }).experiment.arms;
}

const refused = (message: RegExp, ...of: Parameters<typeof load>) => assert.throws(() => load(...of), message);

test('the file is in the plan, with where each line stands, and a variant may have another', () => {
  const [baseline, variant] = load('{ kind: squid, base: squid.conf }', ', subject: { config: [via off] }');
  assert.deepEqual(baseline?.proxy, {
    ...baseline?.proxy,
    base: {
      file: 'squid.conf',
      lines: [
        ['squid.conf:1', 'http_port 3128'],
        ['squid.conf:2', 'tcp_outgoing_address 192.0.2.1'],
      ],
    },
  });
  assert.deepEqual(variant?.changes, ['config none → "via off"']);
});

test('refused by the line of the file, at the place in the profile', () => {
  refused(
    /x.yaml:3:31: subject.base: peer.conf:2: cache_peer p 80 0: a further proxy is not in the lab/,
    '{ kind: squid, base: peer.conf }',
  );
  refused(
    /x.yaml:3:31: subject.base: two.conf has 2 outgoing addresses .*and addresses has 1: use as many/,
    '{ kind: squid, base: two.conf }',
  );
  refused(
    /x.yaml:5:40: variants\[0\].subject.base: gone.conf cannot be read \(ENOENT\)/,
    '{ kind: squid, base: squid.conf }',
    ', subject: { base: gone.conf }',
  );
});

test('what the file says itself is no setting beside it', () => {
  refused(
    /subject.persistent: with base, squid.conf says itself what "persistent" is: remove it/,
    '{ kind: squid, base: squid.conf, persistent: true }',
  );
  refused(/dante has no setting "base"/, '{ kind: dante, base: squid.conf }');
});
