import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EACCES, ENOSYS, EPERM } from '../../src/kernel/errno.js';
import { rightsIn, whyRefused } from '../../src/machine/rights.js';

/** Root of a container of Docker as it is started without options: 14 capabilities and the default profile. */
const CONTAINER =
  'Name:\tnode\nCapInh:\t0000000000000000\nCapEff:\t00000000a80425fb\nSeccomp:\t2\nSeccomp_filters:\t1\n';
const PRIVILEGED = 'CapEff:\t000001ffffffffff\nSeccomp:\t0\n';

test('the capabilities and the filter of a process are in its status', () => {
  const contained = rightsIn(CONTAINER, true, true);
  assert.ok(contained.filtered && !contained.has('SYS_ADMIN') && !contained.has('BPF') && !contained.has('SYS_PTRACE'));
  const privileged = rightsIn(PRIVILEGED, true, true);
  assert.ok(!privileged.filtered && privileged.has('SYS_ADMIN') && privileged.has('BPF') && privileged.has('PERFMON'));
  assert.ok(!rightsIn('', true, true).has('SYS_ADMIN'));
});

test('what is missing first is named: root, that of the machine, a capability, then who answered', () => {
  const why = (status: string, errno: number, root = true, ofMachine = true) =>
    whyRefused('bpf', errno, 'SYS_ADMIN', rightsIn(status, root, ofMachine));
  assert.match(why(PRIVILEGED, EPERM, false), /^it takes root$/);
  assert.match(why(PRIVILEGED, EPERM, true, false), /^it takes root of the machine/);
  assert.match(why(CONTAINER, EPERM), /^this root lacks the capability SYS_ADMIN/);
  assert.match(
    why(`${PRIVILEGED}Seccomp:\t2\n`.replace('Seccomp:\t0\n', ''), ENOSYS),
    /^a filter of seccomp .* ENOSYS/,
  );
  assert.match(why(PRIVILEGED, ENOSYS), /^this kernel has no bpf\(\)/);
  assert.match(why(PRIVILEGED, EACCES), /^the kernel answers bpf\(\) with EACCES all the same, as a security module/);
  assert.match(whyRefused('socket', EPERM, null, rightsIn(CONTAINER, false, false)), /^a filter of seccomp/);
});
