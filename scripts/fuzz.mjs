// Attacks, as many as wanted, each kind with a seed that makes them again; what held is a row of docs/reliability.md:
//   npm run fuzz -- --kills [COUNT] [--seed N]      SIGKILL at random instants; then nothing is left, and the folder is resumed
//   npm run fuzz -- --files [COUNT] [--seed N]      damaged files, of which nothing is believed that was not written
//   npm run fuzz -- --profiles [COUNT] [--seed N]   mutated profiles
//   npm run fuzz -- --arms [COUNT] [--seed N]       random arms put to the kernel that runs here, against the model
//   npm run fuzz -- --guests [COUNT] [--seed N]     the same in User-Mode Linux guests
//   npm run fuzz -- --lines [COUNT] [--seed N]      mutated lines for explain
// --only NAME takes one scene of the kills, and writes no row.
import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const page = join(dirname(fileURLToPath(import.meta.url)), '..', 'docs', 'reliability.md');
/** Kind → how many unless said, what the table calls it, and the attack, loaded when it is made. */
const KINDS = {
  kills: [
    200,
    'SIGKILL at a random instant, then `--resume`',
    async () => (await import('../dist/test/support/fuzz/kills.js')).fuzzKills,
  ],
  files: [
    2000,
    'a file damaged after it was written',
    async () => (await import('../dist/test/support/fuzz/files.js')).fuzzFiles,
  ],
  profiles: [
    20_000,
    'a mutated profile',
    async () => (await import('../dist/test/support/fuzz/profiles.js')).fuzzProfiles,
  ],
  arms: [
    10_000,
    'a random arm, the kernel against the model',
    async () => (await import('../dist/test/support/fuzz/arms.js')).fuzzArms,
  ],
  guests: [
    480,
    'the same in guests of User-Mode Linux',
    async () => (await import('../dist/test/support/fuzz/arms.js')).fuzzArmsInGuests,
  ],
  lines: [
    1_000_000,
    'a mutated line for `explain`',
    async () => (await import('../dist/test/support/fuzz/lines.js')).fuzzLines,
  ],
};
const USAGE = `usage: npm run fuzz -- ${Object.keys(KINDS)
  .map((kind) => `--${kind}`)
  .join(' | ')} [COUNT] [--seed N] [--only NAME]`;

function refuse(message) {
  console.error(`${message}\n${USAGE}`);
  process.exit(2);
}

function wholeNumber(text, name) {
  const value = Number(text);
  return Number.isInteger(value) && value > 0
    ? value
    : refuse(`${name} takes a whole number above 0; got ${JSON.stringify(text)}`);
}

/** Puts a row in the place of the last of its kind. */
function writeRow(kind, what, { tried, failures, detail }, seed) {
  const held = tried - failures.length;
  const share = failures.length === 0 ? '100 %' : `${((100 * held) / tried).toFixed(3)} %`;
  const [date] = new Date().toISOString().split('T');
  const row = `| ${what} | ${tried.toLocaleString('en')} | ${share} | \`--${kind} --seed ${seed}\`, ${date}, Linux ${release()} | ${detail} |`;
  const lines = readFileSync(page, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.startsWith(`| ${what} |`));
  if (at < 0) throw new Error(`${page} has no row "${what}"`);
  lines[at] = row;
  writeFileSync(page, lines.join('\n'));
  console.log(row);
}

const options = Object.fromEntries(Object.keys(KINDS).map((kind) => [kind, { type: 'boolean' }]));
let parsed;
try {
  parsed = parseArgs({
    allowPositionals: true,
    options: { ...options, seed: { type: 'string' }, only: { type: 'string' } },
  });
} catch (error) {
  refuse(error.message);
}
const { values, positionals } = parsed;
const kinds = Object.keys(KINDS).filter((kind) => values[kind]);
if (kinds.length !== 1 || positionals.length > 1) refuse('name one kind');
const [kind] = kinds;
const [usual, what, load] = KINDS[kind];
const count = wholeNumber(positionals[0] ?? String(usual), 'the count');
const seed = wholeNumber(values.seed ?? String(Math.floor(Date.now() / 1000)), '--seed');
console.log(`${count} × ${what}, seed ${seed}`);
const attack = await load();
const attacked = await attack(count, seed, (text) => console.log(text), ...(values.only ? [[values.only]] : []));
for (const failure of attacked.failures) console.log(`FAILED: ${failure}`);
console.log(`${attacked.tried} tried, ${attacked.failures.length} failed: ${attacked.detail}`);
if (!values.only) writeRow(kind, what, attacked, seed);
process.exitCode = attacked.failures.length > 0 ? 1 : 0;
