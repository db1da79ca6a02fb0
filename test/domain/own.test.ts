/** What every object inherits is nothing that a table holds. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { judgeSysctl } from '../../src/capacity/sysctl-catalogue.js';
import { own } from '../../src/domain/own.js';
import { checkSysctlValue } from '../../src/domain/sysctl-syntax.js';

const INHERITED = ['valueOf', 'hasOwnProperty', 'constructor', 'toString', '__proto__'];

it('an inherited name is no key of a table', () => {
  assert.equal(own({ a: 1 }, 'a'), 1);
  for (const name of INHERITED) assert.equal(own({ a: 1 }, name), undefined);
});

it('an inherited name is an unknown sysctl and an ordinary word', () => {
  for (const name of INHERITED) {
    const { ok, ...rest } = judgeSysctl(name, parseKernelVersion('6.18.44'), 'namespace');
    assert.equal(ok, false, name);
    assert.doesNotMatch(JSON.stringify(rest), /native code/);
    assert.equal(checkSysctlValue(name, '1'), undefined, name);
  }
  assert.equal(checkSysctlValue('net.ipv4.tcp_congestion_control', 'constructor'), undefined);
});
