import assert from 'node:assert/strict';
import { test } from 'node:test';
import { discardedRuns, partialNotice, warnings } from '../../../src/report/rows/notices.js';
import { betterVariants, otherChanges, sysctlRows } from '../../../src/report/rows/sysctls.js';
import { partialResults, quickstartResults } from '../../support/results.js';

test('what a variant changes besides is no sysctl', () => {
  const { variants } = quickstartResults();
  const mixed = variants.find((variant) => variant.name === 'no-port-tw-reuse')!;
  assert.deepEqual(otherChanges(mixed), ['load.strategy = bind-no-port']);
});

test('asked and read back agree whatever separates the values, and a difference shows', () => {
  const results = quickstartResults();
  const rows = sysctlRows(results);
  assert.deepEqual(rows[1], {
    name: 'net.ipv4.ip_local_port_range',
    fresh: '32768 60999',
    variant: 'wider-range',
    asked: '40000 40999',
    readBack: ['40000 40999'],
    asAsked: true,
  });
  results.variants[2]!.runs[3]!.sysctls['net.ipv4.tcp_fin_timeout'] = '60';
  const row = sysctlRows(results).find((candidate) => candidate.variant === 'fin-timeout-5')!;
  assert.deepEqual(row.readBack, ['5', '60']);
  assert.equal(row.asAsked, false);
});

test('only variants judged better are recommended', () => {
  const names = betterVariants(quickstartResults()).map((variant) => variant.name);
  assert.deepEqual(names, [
    'wider-range',
    'twice-the-addresses',
    'no-port-4-destinations',
    'no-port-tw-reuse',
    'autobind-reuse',
  ]);
});

test('warnings that several runs share are said once, with their places', () => {
  const results = partialResults();
  for (const variant of results.variants.slice(0, 2)) variant.runs[1]!.warnings.push('The host was busy.');
  const said = warnings(results);
  assert.equal(said[0], 'The lab shares 4 cores with the load: compare times between arms, not with other machines.');
  assert.ok(said.includes('b01-baseline and b01-wider-range: The host was busy.'));
  assert.equal(said.filter((text) => text.includes('3 pairs cannot show')).length, 1);
  assert.deepEqual(
    results.variants.flatMap(discardedRuns).map(({ run }) => run.id),
    ['b03-wider-range', 'b03-fin-timeout-5'],
  );
});

test('only an experiment with missing runs is called partial', () => {
  assert.equal(partialNotice(quickstartResults()), null);
  assert.match(partialNotice(partialResults())!, /32 of 56 runs/);
});
