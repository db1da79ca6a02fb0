// Random trials, as many as wanted, each kind with a seed that makes them again:
//   npm run fuzz -- --arms [COUNT] [--seed N]   random arms put to the kernel that runs here, against the model (test/lab/random-arms.test.ts)
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
/** Labs of the test of random arms; each has its share. */
const LABS = 6;
const USAGE = 'usage: npm run fuzz -- --arms [COUNT, 10000 unless said] [--seed N]';

function wholeNumber(text, name) {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`${name} takes a whole number above 0; got ${JSON.stringify(text)}\n${USAGE}`);
  process.exit(2);
}

let parsed;
try {
  parsed = parseArgs({ allowPositionals: true, options: { arms: { type: 'boolean' }, seed: { type: 'string' } } });
} catch (error) {
  console.error(`${error.message}\n${USAGE}`);
  process.exit(2);
}
const { values, positionals } = parsed;
if (!values.arms || positionals.length > 1) {
  console.error(USAGE);
  process.exit(2);
}
const count = wholeNumber(positionals[0] ?? '10000', 'the count');
const seed = wholeNumber(values.seed ?? String(Math.floor(Date.now() / 1000)), '--seed');
console.log(`${count} random arms with seed ${seed}`);
const { status } = spawnSync(process.execPath, ['--test', join(root, 'dist/test/lab/random-arms.test.js')], {
  stdio: 'inherit',
  env: { ...process.env, BINDSTORM_ARMS: String(Math.ceil(count / LABS)), BINDSTORM_SEED: String(seed) },
});
process.exitCode = status ?? 1;
