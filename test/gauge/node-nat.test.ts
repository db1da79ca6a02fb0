import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UNNAMED } from '../../src/capacity/nat/unnamed.js';
import { portCount } from '../../src/domain/units.js';
import { renderFamilies } from '../../src/gauge/exposition.js';
import { firstDropOf, simulatedFirstDrop } from '../../src/gauge/nat.js';
import { makeNodeLook } from '../../src/gauge/node-look.js';
import { makeNatUse, natCell, natFamilies, natLines } from '../../src/gauge/node-nat.js';
import { renderNodeLine, renderNodeTable } from '../../src/gauge/node-table.js';
import type { PoolUse } from '../../src/kernel/nat-pools.js';
import { countOf, lookOf } from '../support/looks.js';

const PORTS = { low: 40_000, high: 40_999 };
const poolOf = (entries: number, last = 9): PoolUse => ({
  address: '10.60.0.1',
  protocol: 'tcp',
  destination: { address: `10.50.0.${last}`, port: 443 },
  entries,
});
const natOf = (pools: readonly PoolUse[], all = 0, since: number | null = null) =>
  makeNatUse(pools, { ports: PORTS, firstDrop: { low: 0.8, median: 0.85 }, insertFailed: { all, since } });

test('what is written down of the whole range is what the simulation says', () => {
  const size = portCount(UNNAMED);
  const { low, median } = simulatedFirstDrop(size);
  assert.deepEqual(firstDropOf(UNNAMED), { low: low / size, median: median / size });
});

test('a NAT is at its walls by its fullest pool, and at the last one while it drops', () => {
  assert.deepEqual(
    [
      natOf([poolOf(799)]),
      natOf([poolOf(800)]),
      natOf([poolOf(1000)]),
      natOf([poolOf(10)], 3, 1),
      natOf([poolOf(10)], 3, 0),
    ].map(({ level }) => level),
    ['ok', 'slow', 'hard', 'hard', 'ok'],
  );
  const many = natOf(
    Array.from({ length: 12 }, (_, i) => poolOf(900 - i, i)),
    7,
    2,
  );
  assert.deepEqual([many.pools.length, many.more], [10, 2]);
  assert.equal(natCell(many), '90.0 %');
  assert.deepEqual(natLines(many), [
    '10.60.0.1 to 10.50.0.0:443 tcp  900 ports (90.0 %)  drops',
    '10.60.0.1 to 10.50.0.1:443 tcp  899 ports (89.9 %)  first drops',
    '10.60.0.1 to 10.50.0.2:443 tcp  898 ports (89.8 %)  first drops',
    'and 9 pools less full',
    'dropped for want of a port (insert_failed): 7, 2 since the last look',
  ]);
});

test('as metrics it has the namespace, the NAT address and the destination as labels', () => {
  const labels = { netns: '4026531840', workload: 'host' };
  const text = renderFamilies('bindstorm_nat_', natFamilies([{ nat: natOf([poolOf(250)], 4, 0), labels }]));
  const sample = 'netns="4026531840",workload="host",address="10.60.0.1",destination="10.50.0.9:443",protocol="tcp"';
  for (const line of [
    `bindstorm_nat_ports_in_use{${sample}} 250`,
    `bindstorm_nat_fill_ratio{${sample}} 0.25`,
    'bindstorm_nat_first_drop_ratio{netns="4026531840",workload="host"} 0.8',
    'bindstorm_nat_insert_failed_total{netns="4026531840",workload="host"} 4',
  ])
    assert.ok(text.split('\n').includes(line), `${line} in\n${text}`);
  assert.equal(natFamilies([]).flatMap(({ samples }) => samples).length, 0);
});

test('a namespace with a full NAT comes first, is told as full, and makes the level of the machine', () => {
  const { process: _, refused: __, ...look } = lookOf([countOf('10.0.0.1', 100)]);
  const named = (name: string) => ({ name, pod: null, namespace: null, container: null });
  const rest = { processes: 1, workloads: null };
  const node = makeNodeLook(
    look.at,
    [
      { ...look, ...rest, workload: named('web'), nat: null },
      { ...look, ...rest, workload: named('router'), nat: natOf([poolOf(1000)], 9, 9) },
    ],
    [],
    'conntrack: EPERM',
  );
  assert.equal(node.level, 'hard');
  assert.deepEqual(
    node.namespaces.map(({ workload }) => workload.name),
    ['router', 'web'],
  );
  const lines = renderNodeTable(node, { colour: false, width: 140, height: 40 });
  assert.match(lines[3]!, /^router +5,678 +10\.0\.0\.1 +100 of 1,000 +10\.0 % +NAT +100\.0 % +net:/);
  assert.match(lines[4]!, /^web .*healthy +– +net:/);
  assert.ok(lines.includes('NAT: not read: conntrack: EPERM'));
  assert.ok(lines.includes('NAT of router'));
  assert.match(renderNodeLine(node), /2 namespaces: NAT of router 100\.0 %$/);
});

test('the name of a pod is shortened where it would hide why its ports are full', () => {
  const { process: _, refused: __, ...look } = lookOf([countOf('10.244.113.207', 100)]);
  const pod = 'payments/checkout-service-7d9f8b6c5-x2x4z';
  const workload = { name: pod, pod, namespace: 'payments', container: null };
  const node = makeNodeLook(look.at, [{ ...look, processes: 1, workloads: null, workload, nat: null }], [], null);
  const row = (width: number) => renderNodeTable(node, { colour: false, width, height: 24 })[3]!;
  assert.match(row(80), /^payments\/check\S*… {2}.*10\.244\.113\.207 +100 of 1,000 +10\.0 % {2}healthy/);
  assert.ok(row(80).length <= 80);
  assert.match(row(140), /^payments\/checkout-service-7d9f8b6c5-x2x4z {2}/);
});
