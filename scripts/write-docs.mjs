// Writes what is made from the code: schema/*.schema.json and docs/profile.md; and from tables
// that the tests hold, docs/kernels.md; from what the program prints, docs/exit-codes.md and docs/metrics.md; from the kept example, the
// table of fixes in README.md.
// With --check it writes nothing, and fails when a file is not what the code says.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { METRIC_FORMS } from '../dist/src/domain/metric.js';
import { STRATEGIES } from '../dist/src/domain/strategy.js';
import { annotatedProfileSchema, profileJsonSchema } from '../dist/src/profile/json-schema.js';
import { fixesJsonSchema, resultsJsonSchema, searchJsonSchema } from '../dist/src/results/json-schema.js';
import { withDigest } from './fixes-digest.mjs';
import { kernelsPage } from './kernels-page.mjs';
import { programsPage } from './programs-page.mjs';
import { exitCodesPage, metricsPage } from './reference-pages.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');

const profile = profileJsonSchema();
const files = {
  'schema/profile.schema.json': `${JSON.stringify(profile, null, 2)}\n`,
  'schema/results.schema.json': `${JSON.stringify(resultsJsonSchema(), null, 2)}\n`,
  'schema/search.schema.json': `${JSON.stringify(searchJsonSchema(), null, 2)}\n`,
  'schema/fixes.schema.json': `${JSON.stringify(fixesJsonSchema(), null, 2)}\n`,
  'docs/profile.md': profileReference(annotatedProfileSchema()),
  'docs/kernels.md': kernelsPage(),
  'docs/exit-codes.md': exitCodesPage(),
  'docs/metrics.md': metricsPage(),
  'docs/programs.md': programsPage(
    readFileSync(join(root, 'programs/survey.tsv'), 'utf8'),
    readFileSync(join(root, 'programs/udp.tsv'), 'utf8'),
  ),
  'README.md': withDigest(root, readFileSync(join(root, 'README.md'), 'utf8')),
};

let stale = false;
for (const [name, text] of Object.entries(files)) {
  const path = join(root, name);
  if (existsSync(path) && readFileSync(path, 'utf8') === text) continue;
  stale = true;
  if (check) {
    console.error(`${name} is not what the code says; run: npm run schema`);
    continue;
  }
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`written: ${name}`);
}
process.exitCode = check && stale ? 1 : 0;

function profileReference(schema) {
  const rows = keys(schema.properties, schema.required ?? []).filter(({ key }) => key !== '$schema');
  return `# The profile

Made from the schema by \`npm run schema\`; do not edit. An editor that knows YAML schemas completes and checks profiles with
\`schema/profile.schema.json\` (or \`bindstorm schema profile\`).

A variant takes \`name\`, \`description\`, \`subject\` (not its kind), \`sysctls\`, \`roles\`, \`load\`, \`scenarios\` (by name), \`addresses\`,
\`destinations\` and \`skipMissing\`, and changes only what it names: \`load\` is
merged key by key (\`arrival\` is replaced whole), \`count\` or \`pick\` alone change the baseline's address set, sysctls are overlaid.

With \`kernels\` the baseline and every variant run on each kernel, in random order within each block, and each variant is compared
with the baseline of its own kernel. A sysctl or a strategy that a kernel lacks is then not an error: the variant is not run on that kernel,
and its column says since or until when kernels have it; with \`skipMissing: true\` a variant runs without the sysctls that a kernel
lacks, and the column names them. A name that none of the kernels has and that no kernel is known to have is refused.
\`--kernel bookworm,trixie\` does the same for a profile that lists none.

| key | takes | default | meaning |
|---|---|---|---|
${rows.map(({ key, takes, byDefault, meaning }) => `| \`${key}\` | ${takes} | ${byDefault} | ${meaning} |`).join('\n')}

## Arrivals

${arrivals(schema)}

\`constant\`, \`poisson\`, \`ramp\` and \`steps\` are open loop: an attempt starts at its scheduled instant, however slow earlier ones are.
\`fill\` opens connections as fast as handshakes complete and, unless \`hold\` says otherwise, keeps them open: the capacity
measurement. \`hold\` keeps so many connections open at once.

## Strategies

| strategy | before \`connect()\` | since Linux | used by |
|---|---|---|---|
${Object.entries(STRATEGIES)
  .map(([name, row]) => `| \`${name}\` | ${calls(row)} | ${row.since ?? ''} | ${row.usedBy} |`)
  .join('\n')}

## Metrics

For \`goal\`, \`guardrails\` and \`thresholds\`:

${METRIC_FORMS.map((form) => `- \`${form}\``).join('\n')}

Shares are of all attempts. Latency phases: \`bind\` (calls that succeeded), \`connect\` (to ESTABLISHED), \`response\` (from the request to a
proxy's answer, for GET to the last byte of it), \`total\` (from the scheduled
instant to ESTABLISHED or to the last byte of the exchange; ok attempts only), \`lag\` (from the scheduled instant to the start),
\`failed\` (from the start to the failure). A threshold on a time needs a unit (\`max: 5ms\`); a share may be a percentage (\`max: 1%\`).
`;
}

/** The keys of an object schema and of the objects in it, arrivals and variants left out. */
function keys(properties, required, prefix = '') {
  return Object.entries(properties).flatMap(([name, schema]) => {
    const key = `${prefix}${name}`;
    const byDefault = schema.defaultText ?? (required.includes(name) ? '(required)' : '');
    const row = { key, takes: takes(schema), byDefault, meaning: schema.description ?? '' };
    if (key === 'load.arrival') return [{ ...row, takes: 'see below' }];
    if (key === 'variants')
      return [{ ...row, takes: 'list of variants', meaning: 'the candidate fixes, each alone against the baseline' }];
    const object = [schema, ...(schema.anyOf ?? []), ...(schema.items ? [schema.items] : [])].find(
      (part) => part.properties,
    );
    if (!object) return [row];
    const inner = `${key}${schema.items ? '[]' : ''}.`;
    return [
      ...(schema.description || schema.anyOf || schema.items ? [row] : []),
      ...keys(object.properties, object.required ?? [], inner),
    ];
  });
}

function takes(schema) {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((word) => `\`${word}\``).join(', ');
  if (schema.type === 'string' && schema.anyOf) return '[metric](#metrics)';
  if (schema.anyOf) return schema.anyOf.map(takes).join(' or ');
  if (schema.type === 'array') return `list of ${takes(schema.items)}`;
  if (schema.type === 'object') return 'map';
  if (Array.isArray(schema.type)) return schema.type.map((type) => takes({ type })).join(' or ');
  if (schema.type === 'integer') {
    const high = schema.maximum < Number.MAX_SAFE_INTEGER ? schema.maximum : null;
    return high === null ? 'whole number' : `${schema.minimum} to ${high}`;
  }
  return { string: 'text', number: 'number', boolean: 'true, false' }[schema.type] ?? '';
}

/** The two forms of an arrival: one of several shapes, or a search. */
function arrivals(schema) {
  const [shapes, find] = schema.properties.load.properties.arrival.anyOf;
  const rows = shapes.oneOf.map(({ properties }) => {
    const { shape, ...rest } = properties;
    const parts = Object.entries(rest).map(([name, part]) => {
      const note = [part.description, part.defaultText ? `default ${part.defaultText}` : null]
        .filter(Boolean)
        .join('; ');
      return `\`${name}\`${note ? ` (${note})` : ''}`;
    });
    return `| \`${shape.const}\` | ${parts.join(', ')} |`;
  });
  const search = Object.entries(find.properties).map(
    ([name, part]) =>
      `| \`${name}\` | ${takes(part)} | ${part.defaultText ?? '(required)'} | ${part.description ?? ''} |`,
  );
  return [
    '| shape | with |',
    '|---|---|',
    ...rows,
    '',
    'Instead of a shape, `find` has the rate looked for ([docs/search.md](search.md)); `run` and `search` both do it then:',
    '',
    '| key | takes | default | meaning |',
    '|---|---|---|---|',
    ...search,
  ].join('\n');
}

function calls({ address, port, options }) {
  const bind = {
    none: 'no `bind()`',
    chosen: port === 'program' ? '`bind(address, port of its own list)`' : '`bind(address, 0)`',
    any: '`bind(0.0.0.0 or ::, 0)`',
  }[address];
  return [...options.map((option) => `\`${option}\``), bind].join(', ');
}
