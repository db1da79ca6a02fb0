import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadProfile } from '../../src/profile/load.js';
import { strategyUnder } from '../../src/subjects/what-if/what-if.js';

const RANGE = { low: 40_000, high: 40_009 };

test('the strategy that a program has then', () => {
  const noPort = { bind: 'no-port' } as const;
  const off = { reuseaddr: 'off' } as const;
  const cases = [
    ['bind', noPort, 'bind-no-port'],
    ['bind-reuseaddr', noPort, 'bind-no-port-reuseaddr'],
    ['bind-reuseaddr', { ...noPort, ...off }, 'bind-no-port'],
    ['bind-reuseaddr', off, 'bind'],
    ['bind-no-port-reuseaddr', off, 'bind-no-port'],
    ['bind-no-port', noPort, 'bind-no-port'],
    ['bind', { ...noPort, portRange: RANGE }, 'local-port-range'],
    // It does not bind to port 0, or not to an address of its own: the same as before.
    ['bind-explicit-port', noPort, 'bind-explicit-port'],
    ['connect', noPort, 'connect'],
    ['bind', {}, 'bind'],
  ] as const;
  for (const [own, whatIf, then] of cases)
    assert.equal(strategyUnder(own, whatIf), then, `${own} ${JSON.stringify(whatIf)}`);
  assert.equal(strategyUnder('bind', undefined), 'bind');
});

const load = (kind: string, whatIf: string) =>
  loadProfile(
    `name: x\naddresses: { list: [10.50.0.1] }\nsubject: { kind: ${kind} }\nload: { arrival: { shape: fill, attempts: 10 } }\nvariants: [{ name: v, subject: { whatIf: ${whatIf} } }]\n`,
    'x.yaml',
  ).experiment.arms[1]!;

test('a setting of a variant, of every subject that is a program', () => {
  for (const kind of ['squid', 'haproxy', 'nginx', 'dante', 'tinyproxy', 'microsocks'])
    assert.deepEqual(load(kind, '{ bind: no-port }').changes[0], 'whatIf none → bind no-port');
  assert.deepEqual(load('squid', '{ bind: no-port, reuseaddr: off, portRange: 40000-40009 }').proxy, {
    ...load('squid', '{}').proxy,
    whatIf: { bind: 'no-port', reuseaddr: 'off', portRange: RANGE },
  });
});

test('refused: what is no option, and a subject that is none of ours', () => {
  assert.throws(() => load('squid', '{ bind: port }'), /whatIf.bind: bind must be no-port, not "port"/);
  assert.throws(
    () => load('squid', '{ reuseport: off }'),
    /unknown key "reuseport"; allowed here: bind, reuseaddr, portRange/,
  );
  assert.throws(() => load('tor', '{ bind: no-port }'), /tor has no setting "whatIf"/);
});
