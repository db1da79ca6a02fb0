import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseControlGroup } from '../../src/machine/cgroup.js';
import { readCrictl, readLogLinks, readPods, readTable } from '../../src/machine/containers.js';

const ID = '7f2c3c1f0f3a4b8e9d6c5b4a392817160504f3e2d1c0bfae9d8c7b6a59483726';
const UID = '0b1f6a52-3f1c-4c3e-9a53-6a0d2f1f9a77';

/** Lines of /proc/PID/cgroup, as each runtime makes them. */
const FORMS: readonly (readonly [
  what: string,
  text: string,
  container: string | null,
  pod: string | null,
  name: string | null,
])[] = [
  [
    'a kubelet with the systemd driver',
    `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${UID.replaceAll('-', '_')}.slice/cri-containerd-${ID}.scope`,
    ID,
    UID,
    null,
  ],
  ['a kubelet with the cgroupfs driver', `0::/kubepods/besteffort/pod${UID}/${ID}`, ID, UID, null],
  [
    'CRI-O',
    `0::/kubepods.slice/kubepods-pod${UID.replaceAll('-', '_')}.slice/crio-${ID}.scope/container`,
    ID,
    UID,
    null,
  ],
  [
    'a static pod, whose UID is a hash',
    `0::/kubepods/burstable/pod0123456789abcdef0123456789abcdef/${ID}`,
    ID,
    '0123456789abcdef0123456789abcdef',
    null,
  ],
  ['seen from a container with a namespace of its own', `0::/../../pod${UID}/${ID}`, ID, UID, null],
  [
    'Docker, version 1 beside an empty version 2',
    `12:pids:/docker/${ID}\n1:name=systemd:/docker/${ID}\n0::/\n`,
    ID,
    null,
    null,
  ],
  ['Docker with the systemd driver', `0::/system.slice/docker-${ID}.scope`, ID, null, null],
  ['Podman', `0::/machine.slice/libpod-${ID}.scope/container`, ID, null, null],
  ['LXC', '0::/lxc.payload.web/system.slice/nginx.service', null, null, 'web'],
  ['LXC, version 1', '9:memory:/lxc/web/init.scope', null, null, 'web'],
  ['systemd-nspawn', '0::/machine.slice/systemd-nspawn@db.service/payload', null, null, 'db'],
  ['a service', '0::/system.slice/nginx.service', null, null, 'nginx.service'],
  ['a session', '0::/user.slice/user-1000.slice/session-3.scope', null, null, null],
  ['nothing', '0::/\n', null, null, null],
];

for (const [what, text, container, pod, name] of FORMS)
  test(`the control group of ${what}`, () => {
    const group = parseControlGroup(text);
    assert.deepEqual([group.container, group.pod, group.name], [container, pod, name]);
  });

test('the path is that of version 2 where nothing names a container', () => {
  assert.equal(
    parseControlGroup('4:memory:/a/long/path/of/version/one\n0::/system.slice/x.service\n').path,
    '/system.slice/x.service',
  );
  assert.equal(parseControlGroup('4:memory:/old\n0::/\n').path, '/old');
});

test('pods and containers are named by the folders and links of the kubelet', () => {
  const pods = readPods([`shop_cart-7c9d_${UID}`, 'lost+found', `kube-system_etcd-node1_${'0'.repeat(32)}`]);
  assert.deepEqual(pods.get(UID), { namespace: 'shop', pod: 'cart-7c9d' });
  assert.equal(pods.size, 2);
  const links = readLogLinks([`cart-7c9d_shop_side-car-${ID}.log`, 'other.log']);
  assert.deepEqual([...links], [[ID, { container: 'side-car', pod: 'cart-7c9d', namespace: 'shop' }]]);
});

test('and by what runtimes list', () => {
  const named = new Map();
  readCrictl(
    JSON.stringify({
      containers: [
        {
          id: ID,
          metadata: { name: 'cart', attempt: 0 },
          labels: { 'io.kubernetes.pod.name': 'cart-7c9d', 'io.kubernetes.pod.namespace': 'shop' },
        },
      ],
    }),
    named,
  );
  readTable(`${ID}\tignored\n${'a'.repeat(64)}\tweb\n\n`, named);
  assert.deepEqual(
    [...named.values()],
    [
      { container: 'cart', pod: 'cart-7c9d', namespace: 'shop' },
      { container: 'web', pod: null, namespace: null },
    ],
  );
});
