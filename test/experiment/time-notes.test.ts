import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { timeNotes } from '../../src/experiment/time-notes.js';
import { loadProfile } from '../../src/profile/load.js';

const text = (strategy: string, arrival: string) => `name: times
addresses: 10.50.0.1/32
load: { strategy: ${strategy}, arrival: ${arrival} }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
repeat: 5
warmup: 0
variants:
  - { name: reuse, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }
  - { name: fin, sysctls: { net.ipv4.tcp_fin_timeout: 5 } }
  - { name: fin-and-range, sysctls: { net.ipv4.tcp_fin_timeout: 5, net.ipv4.ip_local_port_range: 40000 40199 } }
`;
const notes = (strategy: string, arrival: string, which: 'all' | 'in vain') =>
  timeNotes(loadProfile(text(strategy, arrival), 'times.yaml').experiment, () => undefined, which);
const SHORT = '{ shape: constant, rate: 1000/s, duration: 250ms }';
const WAVES = '{ shape: fill, attempts: 150, waves: 2 }';

test('before a run: the arms that it is too short for, what a longer one costs, and what the rules settle', () => {
  const [vain, rule, ...more] = notes('connect', SHORT, 'all');
  assert.deepEqual(more, []);
  assert.equal(
    vain,
    'reuse: this run is shorter than the value: 0.25 s from the first close to the last attempt, and tcp_tw_reuse = 1 shows after 1 s; if nothing differs, the verdict is "not enough evidence". A longer load, or a fill with a second wave after that time, can tell, and takes about 20s more for 20 runs',
  );
  assert.match(
    rule!,
    /^runs of 0\.25 s are too short to show what net\.ipv4\.tcp_fin_timeout does \(fin, fin-and-range\);/,
  );
  assert.match(rule!, /the report goes by the kernel's rule: it is the time in FIN_WAIT2/);
  assert.deepEqual(notes('connect', SHORT, 'in vain'), [vain]);
  assert.deepEqual(notes('bind', SHORT, 'in vain'), [], 'bind() never looks at tcp_tw_reuse');
});

test('a second wave after the value makes it fair', () => {
  assert.deepEqual(notes('connect', WAVES, 'in vain'), []);
});

test('of the shipped profiles, none runs in vain', () => {
  for (const name of ['quickstart', 'squid-2014', 'squid-fixes', 'tor-2012', 'tor-2012-vm', 'nginx-proxy-bind']) {
    const file = new URL(`../../../profiles/${name}.yaml`, import.meta.url);
    const { experiment } = loadProfile(readFileSync(file, 'utf8'), name);
    assert.deepEqual(
      timeNotes(experiment, () => undefined, 'in vain'),
      [],
      name,
    );
  }
});
