// The tables of docs/statistics.md: how often an experiment errs, and what it finds, by simulation with the product's own comparison.
// Run by hand after a change of the test: npm run build && node scripts/statistics-tables.mjs [experiments] (10,000 take five minutes of CPU)
import { readFileSync, writeFileSync } from 'node:fs';
import { NOISES, operate } from '../dist/test/support/operating.js';

const EXPERIMENTS = Number(process.argv[2] ?? 10_000);
const FOUND = Math.ceil(EXPERIMENTS / 5);
/** Two standard errors of a share of 5 %, in points. */
const unsure = (200 * Math.sqrt((0.05 * 0.95) / EXPERIMENTS)).toFixed(1);
const grouped = (count) => count.toLocaleString('en');
const PAIRS = [2, 3, 4, 6, 9];
const FAMILIES = [1, 2, 7];
const percent = (share) => (100 * share).toFixed(1);
const whole = (share) => String(Math.round(100 * share));
const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

const errors = table(
  ['what varies from run to run', ...PAIRS.map((pairs) => `${pairs} pairs`)],
  NOISES.flatMap((noise) => {
    const kinds = noise.name.startsWith('two states') ? ['count', 'time'] : ['count'];
    return kinds.map((kind) => [
      kind === 'time' ? `${noise.name}; a time` : noise.name,
      ...PAIRS.map((pairs) => {
        const shares = FAMILIES.map(
          (variants) => operate({ noise, pairs, variants, kind, experiments: EXPERIMENTS }).wrong,
        );
        return shares.map(percent).join(' · ');
      }),
    ]);
  }),
);

const [NORMAL] = NOISES;
const heavy = NOISES.find(({ name }) => name.startsWith("Student's t"));
const power = table(
  ['true difference', ...PAIRS.map((pairs) => `${pairs} pairs`)],
  [NORMAL, heavy].flatMap((noise) =>
    [1, 2, 4, 8, 20].map((effect) => [
      `${effect} sd, ${noise.name}`,
      ...PAIRS.map((pairs) =>
        FAMILIES.map((variants) =>
          whole(operate({ noise, pairs, variants, effect, experiments: FOUND }).first.worse),
        ).join(' · '),
      ),
    ]),
  ),
);

const MARGINS = [20, 10, 5, 3, 2, 1];
const equivalence = table(
  [
    'margin',
    'none, 1 variant',
    'pairs',
    'none, 7 variants',
    'pairs',
    'as much as the margin',
    'the same, and ten times as noisy as the others',
  ],
  MARGINS.map((margin) => {
    const at = (question) =>
      operate({ noise: NORMAL, pairs: 9, margin, kind: 'time', experiments: FOUND, ...question });
    const [one, seven] = [at({ variants: 1 }), at({ variants: 7 })];
    const noisy = NOISES.find(({ first }) => first === 10);
    const wrong = at({ variants: 7, effect: margin, experiments: EXPERIMENTS });
    const loud = at({ noise: noisy, variants: 7, margin: 10 * margin, effect: 10 * margin, experiments: EXPERIMENTS });
    return [
      `${margin} sd`,
      ...[one, seven].flatMap(({ first, pairs }) => [`${whole(first['no difference'])} %`, pairs.toFixed(1)]),
      `${percent(wrong.first['no difference'])} %`,
      `${percent(loud.first['no difference'])} %`,
    ];
  }),
);

const page = new URL('../docs/statistics.md', import.meta.url);
const sizes = `Each cell of errors is of ${grouped(EXPERIMENTS)} experiments, so a true 5 % shows as 5 ± ${unsure} %; each of what is found, of ${grouped(FOUND)}.`;
const text = Object.entries({ sizes, errors, power, equivalence }).reduce(
  (before, [name, rows]) => {
    const marks = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!marks.test(before)) throw new Error(`docs/statistics.md has no place for the table of ${name}`);
    return before.replace(marks, (_, from, to) => `${from}${rows}\n${to}`);
  },
  readFileSync(page, 'utf8'),
);
writeFileSync(page, text);
