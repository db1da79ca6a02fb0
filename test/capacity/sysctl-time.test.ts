import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { tellingSeconds, timesToTell } from '../../src/capacity/sysctl-time.js';
import { SQUID } from '../support/proxies.js';
import { type ArmChanges, arm, KERNEL } from './inputs.js';

/** `name seconds, or the beginning of the rule`, of a variant against a baseline without its sysctls. */
function told(sysctls: Record<string, string>, changes: ArmChanges = {}, kernel = KERNEL): string[] {
  const base = { ...changes, load: { holdMs: 0, ...changes.load } };
  return timesToTell(arm({ ...base, sysctls }), arm(base), kernel, {}).map(
    ({ sysctl, seconds, never }) => `${sysctl.split('.').at(-1)} ${seconds}${never === null ? '' : ` never: ${never}`}`,
  );
}
const is = (found: string[], ...expected: RegExp[]) => {
  assert.equal(found.length, expected.length, found.join('\n'));
  for (const [i, pattern] of expected.entries()) assert.match(found[i]!, pattern);
};

test('tcp_fin_timeout: its value; with a peer that closes, never', () => {
  const name = 'net.ipv4.tcp_fin_timeout';
  is(told({ [name]: '5' }), /^tcp_fin_timeout 5 never: .* TIME_WAIT is a constant of 60 s/);
  is(told({ [name]: '5' }, { load: { sink: 'listen-only' } }), /^tcp_fin_timeout 5$/);
  is(told({ [name]: '65' }, { load: { sink: 'listen-only' } }), /^tcp_fin_timeout 10$/);
  is(told({ [name]: '60' }, { load: { sink: 'listen-only' } }));
  const from = arm({ load: { holdMs: 0 }, sysctls: { [name]: '5' } });
  assert.deepEqual(timesToTell(from, from, KERNEL, {}), [], 'the baseline has it too');
});

test('tcp_tw_reuse: a second for a port that connect() chooses, and never for one that bind() chooses', () => {
  const reuse = { 'net.ipv4.tcp_tw_reuse': '1' };
  is(told(reuse, { load: { strategy: 'connect' } }), /^tcp_tw_reuse 1$/);
  is(told(reuse, { load: { strategy: 'connect' } }, parseKernelVersion('4.15')), /^tcp_tw_reuse 2$/);
  is(told(reuse), /never: bind\(\) does not look at it/);
  is(told({ 'net.ipv4.tcp_tw_reuse': '0' }, { load: { strategy: 'connect' } }));
  const both = { ...reuse, 'net.ipv4.tcp_tw_reuse_delay': '3000' };
  is(told(both, { load: { strategy: 'connect' } }), /^tcp_tw_reuse 3$/, /^tcp_tw_reuse_delay 1$/);
  is(
    told({ 'net.ipv4.tcp_tw_reuse_delay': '1' }, { load: { strategy: 'connect' } }),
    /never: tcp_tw_reuse does not act/,
  );
});

test('connection tracking and keepalive never act on ports here; what is not about time has none', () => {
  is(told({ 'net.netfilter.nf_conntrack_tcp_timeout_time_wait': '5' }), /5 never: connection tracking/);
  is(told({ 'net.ipv4.tcp_keepalive_time': '60' }), /60 never: it acts on open connections/);
  is(
    told({ 'net.ipv4.tcp_keepalive_time': '60' }, { proxy: SQUID, load: { holdMs: null } }),
    /^tcp_keepalive_time 60$/,
  );
  is(told({ 'net.ipv4.tcp_keepalive_intvl': '5', 'net.ipv4.tcp_rmem': '4096 8192 9000' }), /intvl 7200 never/);
});

test('a run tells from the first close to its last attempt', () => {
  const fill = { shape: 'fill', attempts: 9, failures: null, inFlight: 1, waves: 2, pauseMs: 1500 } as const;
  assert.equal(tellingSeconds(arm({ load: { holdMs: 0 } }), 250), 0.25);
  assert.equal(tellingSeconds(arm({ load: { holdMs: 100 } }), 250), 0.15);
  assert.equal(tellingSeconds(arm(), 2000), 0, 'held to the end');
  assert.equal(tellingSeconds(arm({ load: { arrival: fill } }), 9000), 1.5, 'held to the end of each wave');
});
