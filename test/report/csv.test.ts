import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleResults } from '../../src/analysis/assemble.js';
import { renderCsv } from '../../src/report/csv.js';
import { hostileResults } from '../support/hostile.js';
import { kernelInput } from '../support/kernels.js';
import { emptyResults, quickstartResults } from '../support/results.js';
import { makeSecond } from '../support/runs.js';

/** RFC 4180, strictly. */
function parse(text: string): string[][] {
  assert.ok(text.endsWith('\n'));
  const rows: string[][] = [];
  let row: string[] = [];
  const field = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\n)/y;
  while (field.lastIndex < text.length) {
    const match = field.exec(text);
    assert.ok(match, text.slice(field.lastIndex - 20));
    const value = match[1]!;
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value);
    if (match[2] === ',') continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

test('one line a second of each run, in the order in which they ran', () => {
  const results = quickstartResults({ blocks: 2, seconds: 3 });
  const [head, ...rows] = parse(renderCsv(results)) as [string[], ...string[][]];
  assert.deepEqual(head.slice(6, 12), [
    't_seconds',
    'interval_seconds',
    'attempts',
    'ok',
    'connect:EADDRNOTAVAIL',
    'TIME_WAIT',
  ]);
  assert.equal(rows.length, 8 * 3 * 3);
  for (const row of rows) assert.equal(row.length, head.length);
  const column = (name: string) => rows.map((row) => row[head.indexOf(name)]!);
  assert.deepEqual(
    column('order').map(Number),
    [...column('order').map(Number)].sort((a, b) => a - b),
  );
  assert.deepEqual(rows[0]!.slice(0, 9), ['baseline', 'b00-baseline', '0', '0', 'true', 'true', '1', '1', '100']);
  const sum = (name: string) => column(name).reduce((total, value) => total + Number(value), 0);
  const runs = results.variants.flatMap((variant) => variant.runs);
  for (const outcome of ['ok', 'connect:EADDRNOTAVAIL'])
    assert.equal(
      sum(outcome),
      runs.reduce((total, run) => total + (run.outcomes[outcome] ?? 0), 0),
      outcome,
    );
  assert.equal(sum('attempts'), runs.length * 300);
});

test('what was not observed is empty, and what was observed as none is 0', () => {
  const results = quickstartResults({ blocks: 1, seconds: 1 });
  results.variants = results.variants.slice(0, 1);
  const [first, second] = results.variants[0]!.runs;
  first!.timeline = [
    makeSecond({ t: 0.5, attempts: 3, outcomes: { ok: 3 }, states: { ESTABLISHED: 2 }, portsInUse: 0 }),
  ];
  second!.timeline = [
    makeSecond({ t: 1, outcomes: { shed: 1 }, states: {} }),
    makeSecond({
      t: 2,
      cpu: { client: 0.25, origin: 0.5, machine: { user: 1, system: 0.5, softirq: 0.25, total: 1.75 } },
    }),
  ];
  second!.valid = false;
  const [head, ...rows] = parse(renderCsv(results)) as [string[], ...string[][]];
  assert.deepEqual(head, [
    'variant',
    'run',
    'block',
    'order',
    'warmup',
    'valid',
    't_seconds',
    'interval_seconds',
    'attempts',
    'ok',
    'shed',
    'ESTABLISHED',
    'ports_in_use',
    'cpu_client_cores',
    'cpu_origin_cores',
    'cpu_machine_cores',
    'load1',
    'memory_bytes',
  ]);
  const tail = rows.map((row) => row.slice(4).join('|'));
  assert.deepEqual(tail, [
    'true|true|0.5|0.5|3|3|0|2|0|0||||',
    'false|false|1|1|0|0|1|0||0||||',
    'false|false|2|1|0|0|0|||0.25|0.5|1.75||',
  ]);
});

test('each line says how long it is: short runs are sampled more often than each second', () => {
  const results = quickstartResults({ blocks: 1, seconds: 1 });
  for (const { runs } of results.variants)
    for (const run of runs) run.timeline = [0.1, 0.2001, 0.25].map((t) => makeSecond({ t }));
  const [head, ...rows] = parse(renderCsv(results)) as [string[], ...string[][]];
  const at = head.indexOf('interval_seconds');
  // The first of a run begins with its load, not with the end of the run before.
  assert.deepEqual(
    rows.slice(0, 6).map((row) => row[at]),
    ['0.1', '0.1001', '0.0499', '0.1', '0.1001', '0.0499'],
  );
});

test('names with commas, quotes and line breaks stay in their cells', () => {
  const results = hostileResults();
  const name = `a,"b"\nc`;
  results.variants[0]!.runs[0]!.variant = name;
  const rows = parse(renderCsv(results));
  for (const row of rows) assert.equal(row.length, rows[0]!.length);
  assert.ok(rows.some(([variant]) => variant === name));
});

test('without a run there is a head and nothing else', () => {
  assert.equal(parse(renderCsv(emptyResults())).length, 1);
});

test('with several kernels the first column names them', () => {
  const results = assembleResults(kernelInput());
  for (const { runs } of results.variants) for (const run of runs) run.timeline = [makeSecond()];
  const [head, ...rows] = parse(renderCsv(results)) as [string[], ...string[][]];
  assert.deepEqual(head.slice(0, 2), ['kernel', 'variant']);
  assert.deepEqual([...new Set(rows.map(([kernel]) => kernel))].sort(), ['new', 'old']);
});
