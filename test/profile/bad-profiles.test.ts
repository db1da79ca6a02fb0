import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadProfile } from '../../src/profile/load.js';
import { ProfileError } from '../../src/profile/problem.js';
import { fuzzProfiles, JARGON } from '../support/fuzz/profiles.js';
import { BAD_PROFILES, GOOD_PROFILE } from './bad-profiles.js';

test('the profile that the bad ones are made from is good', () => {
  assert.equal(loadProfile(GOOD_PROFILE, 'good.yaml').experiment.arms.length, 2);
});

for (const { title, text, place, message } of BAD_PROFILES) {
  test(`refuses ${title}`, () => {
    const error = errorOf(text);
    assert.equal(error.problems.length, 1, error.message);
    const problem = error.problems[0]!;
    assert.equal(`${problem.path}:${problem.line}`, place, error.message);
    assert.match(problem.message, message);
    assert.doesNotMatch(problem.message, JARGON);
    assert.ok(error.message.startsWith(`profiles/bad.yaml:${problem.line}:${problem.column}: `));
    assert.doesNotMatch(error.message, /\p{Cc}/u, 'one line, and nothing that moves the cursor');
  });
}

test('says everything at once, in the order of the file', () => {
  const error = errorOf(`name: Bad Name
addresses: 10.50.0.0/24
load: { arrival: { shape: constant, rate: 0/s, duration: 1 } }
variants:
  - name: one
    lod: {}
repeat: "6"
`);
  assert.deepEqual(
    error.problems.map(({ path, line, column }) => `${path}:${line}:${column}`),
    ['name:1:7', 'load.arrival.rate:3:43', 'load.arrival.duration:3:58', 'variants[0].lod:6:5', 'repeat:7:9'],
  );
  assert.equal(error.message.split('\n').length, 5);
});

test('a problem that variants inherit is said once, where it was written', () => {
  const error = errorOf(`name: x
addresses: 127.0.0.0/30
load: { strategy: bind, arrival: { shape: fill }, ports: 1-2 }
variants: [{ name: a, addresses: { count: 1 } }, { name: b, load: { workers: 2 } }]
`);
  assert.deepEqual(
    error.problems.map(({ path }) => path),
    ['addresses', 'load.arrival', 'load.ports'],
  );
});

test('a contradiction with the baseline is said where the variant makes it', () => {
  const error = errorOf(`name: x
addresses: { cidr: 10.50.0.0/24, count: 2, pick: by-worker }
load: { sink: listen-only, arrival: { shape: fill, failures: 1 }, workers: 2 }
variants:
  - { name: a, load: { exchange: { request: 1, response: 1 } } }
  - { name: b, load: { close: server } }
  - { name: c, addresses: { count: 1 } }
  - { name: d, destinations: { targets: ["10.20.0.1:80"] } }
allow: ["10.20.0.1:80"]
`);
  assert.deepEqual(
    error.problems.map(({ path }) => path),
    [
      'variants[0].load.exchange',
      'variants[1].load.close',
      'variants[2].addresses.count',
      'variants[3].destinations.targets',
    ],
  );
});

test('what is found later is shown where the arm has it from, and once', () => {
  const { refuse } = loadProfile(
    `name: x
addresses: 10.50.0.0/24
subject: { kind: squid }
load: { arrival: { shape: fill, failures: 1 } }
roles: { proxy: { sysctls: { net.ipv4.tcp_tw_reuse: 1 } } }
variants:
  - { name: a, load: { workers: 2 } }
  - { name: b, sysctls: { net.ipv4.tcp_tw_reuse: 2 } }
`,
    'x.yaml',
  );
  const path = ['sysctls', 'net.ipv4.tcp_tw_reuse'];
  const { problems } = refuse(['baseline', 'a', 'b'].map((arm) => ({ arm, path, message: 'no' })));
  assert.deepEqual(
    problems.map((problem) => `${problem.path}:${problem.line}`),
    ['roles.proxy.sysctls["net.ipv4.tcp_tw_reuse"]:5', 'variants[1].sysctls["net.ipv4.tcp_tw_reuse"]:8'],
  );
});

test('an alias leads to the text that it stands for', () => {
  const error = errorOf(`name: x
addresses: 10.50.0.0/24
load:
  arrival: &arrival
    shape: constant
    rate: 100/s
    duration: 5
variants:
  - { name: a, load: { arrival: *arrival } }
`);
  assert.deepEqual(
    error.problems.map(({ path, line }) => `${path}:${line}`),
    ['load.arrival.duration:7', 'variants[0].load.arrival.duration:7'],
  );
});

test('no damage to a file gives anything but a profile that can be planned, or a ProfileError', async () => {
  const { tried, failures, detail } = await fuzzProfiles(1000, 7, () => {});
  assert.deepEqual(failures, []);
  assert.equal(tried, 1000, detail);
});

function errorOf(text: string): ProfileError {
  try {
    loadProfile(text, 'profiles/bad.yaml');
  } catch (error) {
    if (error instanceof ProfileError) return error;
    throw error;
  }
  return assert.fail('the profile was accepted');
}
