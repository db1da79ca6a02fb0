/** The table of docs/reliability.md: each attack was made whole, as often as was asked for, and each held. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { ROOT } from './support/cli.js';

/** Attacks at least, by kind. */
const LEAST: Readonly<Record<string, number>> = {
  kills: 200,
  files: 1000,
  profiles: 20_000,
  arms: 10_000,
  guests: 300,
  lines: 1_000_000,
};

const ROW =
  /^\| (?<what>[^|]+) \| (?<tried>[\d,]+) \| (?<held>[\d.]+) % \| `--(?<kind>\w+) --seed (?<seed>\d+)`, \d{4}-\d\d-\d\d, Linux [^|]+ \| (?<detail>[^|]+) \|$/;

it('each attack was made as often as was asked for, in one run whose seed is said, and all of it held', () => {
  const page = readFileSync(join(ROOT, 'docs', 'reliability.md'), 'utf8');
  const table = page.slice(page.indexOf('| attack | tried |'));
  const lines = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2);
  const rows = lines.map((line) => ROW.exec(line)?.groups ?? assert.fail(`not a row of a whole run: ${line}`));
  assert.deepEqual(rows.map(({ kind }) => kind).sort(), Object.keys(LEAST).sort());
  for (const { kind, tried, held, detail } of rows) {
    assert.ok(Number(tried!.replaceAll(',', '')) >= LEAST[kind!]!, `${kind}: ${tried}`);
    assert.equal(held, '100', `${kind}: ${held} % held`);
    assert.ok(detail!.trim().length > 0, kind);
  }
});

it('the fuzz makes the attacks of the table, and no others', () => {
  const script = readFileSync(join(ROOT, 'scripts', 'fuzz.mjs'), 'utf8');
  const kinds = /^const KINDS = \{\n([\s\S]*?)^\};/m.exec(script)?.[1] ?? '';
  assert.deepEqual([...kinds.matchAll(/^ {2}(\w+): \[/gm)].map(([, kind]) => kind).sort(), Object.keys(LEAST).sort());
});
