/**
 * `npm run bench:watch`: how long `bindstorm watch --once` takes to count a million sockets by local address, beside `ss | awk` and
 * awk on /proc/net/tcp.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeEnvironment } from '../src/agent/place/environment.js';
import './bare-start.js';
import { churnOf, inLab } from './in-lab.js';
import { watchMarkdown } from './watch-table.js';

const USAGE = `npm run bench:watch -- [options]

  --sockets N    sockets in TIME_WAIT, a multiple of 16 (1000000)
  --rounds N     rounds at most, of which each has every contender once; as many as fit before the first sockets vanish (5)
  --seed N       seed of the order within the rounds (1)
  --against DIR  beside the build in another folder, and nothing else: is it slower than before? (none)
  --write        put the table into bench/README.md as well
`;

const README = fileURLToPath(new URL('../../bench/README.md', import.meta.url));

function positive(text: string, option: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`found ${option} ${text}; allowed is a whole number from 1`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sockets: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '5' },
      seed: { type: 'string', default: '1' },
      against: { type: 'string' },
      write: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const sockets = positive(values.sockets, '--sockets');
  if (sockets % 16 !== 0)
    throw new Error(
      `found --sockets ${sockets}; allowed is a multiple of 16, so that each of 16 addresses has as many`,
    );
  const seed = positive(values.seed, '--seed');
  const rounds = positive(values.rounds, '--rounds');
  const settings = { rounds, attempts: sockets, warmUp: 0, inFlight: 128, sources: 16, destinations: 16, seed };
  const before = loadavg()[0]!;
  const churn = churnOf(settings, { strategy: 'bind-no-port', attempts: sockets, warmUp: 0 });
  const other = values.against === undefined ? null : resolve(values.against, 'dist/bundle/cli/main.js');
  if (other !== null && !existsSync(other))
    throw new Error(
      `found no ${other}; --against takes the folder of a checkout that is built (npm ci && npm run build)`,
    );
  const cost = await inLab({ kind: 'watch', churn, rounds, seed, other });
  const markdown = watchMarkdown({
    date: new Date().toISOString(),
    environment: describeEnvironment('netns'),
    loadAverage: { before, after: loadavg()[0]! },
    cost,
  });
  process.stdout.write(markdown);
  if (!values.write || other !== null) return;
  const marks = /(<!-- watch results -->\n)[\s\S]*(<!-- end of watch results -->)/;
  const text = readFileSync(README, 'utf8');
  if (!marks.test(text)) throw new Error(`${README} has no marks to put the table between`);
  writeFileSync(
    README,
    text.replace(marks, (_, begin: string, end: string) => `${begin}\n${markdown}\n${end}`),
  );
}

try {
  await main();
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
