// needs: python3
/**
 * What `watch` says where the rights are less than those of root, as in a container: below a filter of seccomp, without a capability, in a user namespace.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Look } from '../../src/gauge/look.js';
import type { NodeLook } from '../../src/gauge/node-look.js';
import { ROOT, runCli } from '../support/cli.js';
import { filteredWith } from '../support/filtered.js';

const skip = process.getuid?.() !== 0 && 'what root lacks is shown by root';
const ONCE = ['watch', '--once', '--json', '--interval', '100ms'];
const IN_CONTAINER = /seccomp=unconfined \(Kubernetes: seccompProfile of type Unconfined\)/;

async function failuresWithin(within: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runCli([...ONCE, '--failures'], { cwd: ROOT, within });
  assert.ok([0, 1, 5].includes(code!), `the look goes on: ${code} ${stderr}`);
  const { refused } = JSON.parse(stdout) as Look;
  assert.ok(refused?.kind === 'unavailable', JSON.stringify(refused));
  assert.equal(stderr, `--failures: refused calls are not counted: ${refused.reason}\n`);
  return refused.reason;
}

test('--failures names the call that a filter refuses, with its errno, and goes on', { skip }, async () => {
  for (const [errno, call] of [
    ['EPERM', 'bpf'],
    ['ENOSYS', 'bpf'],
    ['EPERM', 'perf_event_open'],
    ['ENOSYS', 'perf_event_open'],
  ] as const) {
    const reason = await failuresWithin(filteredWith(errno, call));
    assert.ok(reason.startsWith(`eBPF cannot be had: a filter of seccomp answers ${call}() with ${errno}`), reason);
    assert.match(reason, IN_CONTAINER);
  }
});

test('--failures names the capability that root lacks, and root of a user namespace', { skip }, async () => {
  const lacking = await failuresWithin(['setpriv', '--bounding-set', '-sys_admin,-bpf', '--']);
  assert.match(lacking, /^eBPF cannot be had: this root lacks the capability SYS_ADMIN, .*--cap-add SYS_ADMIN$/);
  const inner = await failuresWithin(['unshare', '--user', '--map-root-user', '--']);
  assert.match(inner, /^eBPF cannot be had: it takes root of the machine, and this is root of a user namespace alone/);
});

test('a namespace that a filter keeps root from is told with what refuses it, and the others are looked at', {
  skip,
}, async () => {
  const within = filteredWith('EPERM', 'setns');
  const one = await runCli([...ONCE, '--pid', String(process.pid)], {
    cwd: ROOT,
    within: ['unshare', '--net', '--', ...within],
  });
  assert.equal(one.code, 3, one.stdout);
  assert.match(
    one.stderr,
    /^bindstorm: the network namespace of process \d+ may not be entered: a filter of seccomp answers setns\(\) with EPERM/,
  );
  const all = await runCli([...ONCE, '--all'], { cwd: ROOT, within: ['unshare', '--net', '--', ...within] });
  const { namespaces, skipped } = JSON.parse(all.stdout) as NodeLook;
  assert.equal(namespaces.length, 1);
  assert.ok(skipped.length > 0 && skipped.every(({ reason }) => /^a filter of seccomp answers setns\(\)/.test(reason)));
});

test('without netlink there is a sentence, and no fault of ours', async () => {
  for (const errno of ['EPERM', 'ENOSYS'] as const) {
    const { code, stderr } = await runCli(ONCE, { cwd: ROOT, within: filteredWith(errno, 'socket') });
    assert.equal(code, 3, stderr);
    const said = `bindstorm: socket failed with ${errno} (AF_NETLINK 4): a filter of seccomp answers socket() with ${errno}`;
    assert.ok(stderr.startsWith(said), stderr);
  }
});
