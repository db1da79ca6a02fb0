/**
 * Real lines: where each was seen stands above it. «Here» is a run in a network namespace with four ports, on Linux 6.18; the
 * rest is quoted from public reports, by project and issue, and was held against them. «…» stands where the quotation was cut; what a
 * report itself left out is left out here, and a line that it broke is whole again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain } from '../../src/explain/explain.js';
import { EXPLAINED_LINES } from '../support/explained-lines.js';

test('59 of them, 31 of runs here and 28 of public reports, from 22 programs', () => {
  const here = EXPLAINED_LINES.filter(([source]) => /\bhere\b/.test(source)).length;
  const programs = new Set(EXPLAINED_LINES.map(([, , program]) => program)).size;
  assert.deepEqual([EXPLAINED_LINES.length, here, EXPLAINED_LINES.length - here, programs], [59, 31, 28, 22]);
  assert.equal(new Set(EXPLAINED_LINES.map(([, text]) => text)).size, EXPLAINED_LINES.length, 'each is another line');
  // Of a public thread the project and the number, or the place where it is kept.
  for (const [source] of EXPLAINED_LINES)
    assert.match(source, /\bhere\b|[\w.-]+\/[\w.-]+ #\d+|jokeru\.ro|the same report|noisebridge/, source);
});

for (const [source, text, program, call, errno, cause, strategy] of EXPLAINED_LINES) {
  test(source, () => {
    const { findings } = explain(text);
    assert.equal(findings.length, 1, JSON.stringify(findings, null, 1));
    const [finding] = findings;
    assert.deepEqual(
      [finding!.program, finding!.call, finding!.errno, finding!.cause, finding!.strategy?.name ?? null],
      [program, call, errno, cause, strategy],
    );
    assert.equal(finding!.reproduce !== null, finding!.why.shortage && strategy !== null);
  });
}
