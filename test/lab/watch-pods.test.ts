/**
 * `watch --all` names a namespace by the pod of its processes: a control group as a kubelet makes it, and the kubelet's folder of logs, in a mount
 * namespace of their own.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { unlessThrown } from '../../src/domain/error.js';
import type { NodeLook } from '../../src/gauge/node-look.js';
import { fillNamespace } from '../support/causes.js';
import { CLI } from '../support/cli.js';

const UID = '0b1f6a52-3f1c-4c3e-9a53-6a0d2f1f9a77';
const CONTAINER = 'ab'.repeat(32);
/** Where version 2 of control groups is mounted. */
const unified = / - cgroup2 /m.test(readFileSync('/proc/self/mountinfo', 'utf8'))
  ? readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .find((line) => / - cgroup2 /.test(line))!
      .split(' ')[4]!
  : null;

test('a namespace is named by its pod, and its sockets by their container', {
  skip: (process.getuid?.() !== 0 || unified === null) && 'to make a control group takes root and cgroups of version 2',
}, async (t) => {
  const slice = join(unified!, `kubepods-pod${UID.replaceAll('-', '_')}.slice`);
  const scope = join(slice, `cri-containerd-${CONTAINER}.scope`);
  if (!unlessThrown(() => mkdirSync(scope, { recursive: true }) !== null, false))
    return t.skip('none may be made here');
  // After the process in it has ended; hooks run in the order in which they are added.
  const { pid, namespace } = await fillNamespace(t, { reason: 'close-wait', sockets: 200, range: '40000 40399' });
  t.after(async () => {
    for (let i = 0; i < 50 && existsSync(scope); i++, await sleep(100)) unlessThrown(() => rmdirSync(scope), undefined);
    rmdirSync(slice);
  });
  writeFileSync(join(scope, 'cgroup.procs'), String(pid));
  const shell = `mount -t tmpfs none /var/log && mkdir -p /var/log/pods/shop_cart-7c9d_${UID} /var/log/containers &&
    touch /var/log/containers/cart-7c9d_shop_cart-${CONTAINER}.log && exec "$0" "$1" watch --all --once --json`;
  const { stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', shell, process.execPath, CLI], {
    encoding: 'utf8',
  });
  const look = (JSON.parse(stdout || stderr) as NodeLook).namespaces.find((each) => each.namespace === namespace)!;
  const { name, pod, namespace: of } = look.workload;
  assert.deepEqual([name, pod, of], ['shop/cart-7c9d', 'cart-7c9d', 'shop']);
  assert.deepEqual(
    look.workloads?.map(({ workload, sockets }) => [workload.container, sockets]),
    [['cart', 200]],
  );
});
