import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Arm } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';
import { SQUID } from '../support/proxies.js';

const REUSE = 'net.ipv4.tcp_tw_reuse';

function arms(more: string, load = 'arrival: { shape: fill, attempts: 10 }'): Arm[] {
  const text = `name: x\naddresses: 10.50.0.0/29\nload: { ${load} }\n${more}\n`;
  return loadProfile(text, 'x.yaml').experiment.arms;
}

test('a proxy has defaults, and the load what its clients say', () => {
  const [baseline] = arms('subject: { kind: squid }\nvariants: [{ name: v }]');
  assert.deepEqual(baseline?.proxy, SQUID);
  assert.deepEqual(
    [baseline?.load.protocol, baseline?.load.strategy, baseline?.load.holdMs, baseline?.load.body],
    ['connect', 'bind', null, 0],
  );
});

test('a GET is held by the origin for as long as it says, which is not to the end', () => {
  const [baseline] = arms(
    'subject: { kind: squid }\nvariants: [{ name: v }]',
    'protocol: get, arrival: { shape: fill, attempts: 10 }',
  );
  assert.equal(baseline?.load.holdMs, 0);
});

test('a variant changes the settings that it names', () => {
  const [, variant] = arms(`subject: { kind: squid, config: ["via off"] }
variants: [{ name: v, subject: { binary: ./squid6, persistent: true, config: [], descriptors: 500 } }]`);
  assert.deepEqual(variant?.proxy, { ...SQUID, binary: './squid6', persistent: true, descriptors: 500 });
  assert.deepEqual(variant?.changes, [
    'binary squid → ./squid6',
    'persistent off → on',
    'config "via off" → none',
    'descriptors what the machine allows → 500',
  ]);
});

test('sysctls at the top are of the proxy, and those of roles are their own', () => {
  const [baseline, variant] = arms(`subject: { kind: squid }
sysctls: { ${REUSE}: 0 }
roles: { client: { sysctls: { ${REUSE}: 1 } } }
variants:
  - name: v
    roles: { proxy: { sysctls: { ${REUSE}: 2 } }, origin: { sysctls: { net.ipv4.tcp_fin_timeout: 5 } } }`);
  assert.deepEqual([baseline?.sysctls, baseline?.roles], [{ [REUSE]: '0' }, { client: { [REUSE]: '1' }, origin: {} }]);
  assert.deepEqual(variant?.sysctls, { [REUSE]: '2' });
  assert.deepEqual(variant?.roles, { client: { [REUSE]: '1' }, origin: { 'net.ipv4.tcp_fin_timeout': '5' } });
  assert.deepEqual(variant?.changes, [`${REUSE} = 2 (was 0)`, 'origin: net.ipv4.tcp_fin_timeout = 5']);
});

test('without a proxy the client is under test, whichever way it is named', () => {
  const [baseline, variant] = arms(`roles: { client: { sysctls: { ${REUSE}: 1 } } }
variants: [{ name: v, sysctls: { ${REUSE}: 0 } }]`);
  assert.deepEqual([baseline?.sysctls, baseline?.roles, baseline?.proxy], [{ [REUSE]: '1' }, undefined, undefined]);
  assert.deepEqual(variant?.sysctls, { [REUSE]: '0' });
});
