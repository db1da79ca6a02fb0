/** The folklore of NAT on the kernel of this machine, each knob alone, as a user tries it: every count is the model's. */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { test } from 'node:test';
import { disagreements, type FixReport } from '../../src/analysis/fixes.js';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { EVICTS_SINCE } from '../../src/capacity/nat/after-close.js';
import { fixesJsonSchema } from '../../src/results/json-schema.js';
import { runCli, scratchFolder } from '../support/cli.js';
import { violations } from '../support/json-schema.js';

/** Of the catalogue what works somewhere, and what is most often said to; a cell takes seconds. */
const ONLY = [
  ...['more-nat-addresses', 'two-rules-numgen', 'two-rules-jhash', 'wider-nat-range', 'second-destination'],
  ...['fully-random', 'router-port-range', 'zones', 'conntrack-time-wait', 'reset-close', 'conntrack-max'],
  ...['close-when-done', 'keep-connections', 'server-closes'],
];
/** Beside as many other tests. */
const DEADLINE_MS = 600_000;

const evicts = atLeast(parseKernelVersion(release()), EVICTS_SINCE);

test('what helps a NAT without ports, and what does nothing', async (t) => {
  const cwd = scratchFolder(t);
  const args = ['fixes', '--subjects', 'nat', '--only', ONLY.join(','), '--quiet', '--json'];
  const { code, stdout, stderr } = await runCli(args, { cwd, deadlineMs: DEADLINE_MS });
  assert.equal(code, 0, stderr);
  const { folder: _, ...report } = JSON.parse(stdout) as FixReport & { folder: string };
  assert.deepEqual(violations(fixesJsonSchema(), report), []);
  assert.deepEqual(disagreements(report), []);
  const [table] = report.tables;
  assert.deepEqual(table!.subject, { kind: 'nat', version: null });
  const measured = Object.entries({ baseline: table!.baseline, ...table!.cells }).flatMap(([name, cell]) =>
    cell.kind === 'measured' ? [[name, cell] as const] : [],
  );
  const counts = Object.fromEntries(measured.map(([name, { waves }]) => [name, waves]));
  const twice = (ports: number) => [ports, evicts ? ports : 0];
  assert.deepEqual(counts.baseline, twice(20));
  const works = measured.filter(([, { effect }]) => effect === 'works').map(([name]) => name);
  assert.deepEqual(works.sort(), [
    ...(evicts ? ['close-when-done'] : ['conntrack-time-wait', 'reset-close']),
    'keep-connections',
    'second-destination',
    ...(evicts ? ['server-closes'] : []),
    'two-rules-jhash',
    'two-rules-numgen',
    'wider-nat-range',
  ]);
  for (const name of ['second-destination', 'two-rules-jhash', 'two-rules-numgen', 'wider-nat-range'])
    assert.deepEqual(counts[name], twice(40), name);
  for (const name of ['more-nat-addresses', 'router-port-range', 'fully-random', 'zones'])
    assert.deepEqual(counts[name], twice(20), name);
  const { 'conntrack-max': max } = table!.cells;
  assert.ok(max?.kind === 'absent' && /one value|global|not per/.test(max.why), JSON.stringify(max));
});
