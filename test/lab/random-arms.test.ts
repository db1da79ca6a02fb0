/**
 * Random arms against the kernel that runs here: where the model says that the kernel's rules decide, each count is right to the unit; where it
 * simulates, the count lies in its interval. More of them, with other seeds: npm run fuzz -- --arms
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { timerFrequency } from '../../src/kernel/timer-frequency.js';
import { netnsCommand } from '../../src/lab/netns.js';
import type { Outcomes } from '../../src/results/schema.js';
import { type Judgement, judge, randomArms, SETTINGS, type Setting } from '../support/random-arms.js';

/** A run of the long test draws others: BINDSTORM_ARMS=COUNT, BINDSTORM_SEED=N. */
const COUNT = Number(process.env.BINDSTORM_ARMS ?? 75);
const SEED = Number(process.env.BINDSTORM_SEED ?? 1);
/** So many have room in the ports of one namespace. */
const PER_LAB = 1000;

const kernel = parseKernelVersion(release(), timerFrequency());

async function put(setting: Setting, count: number, seed: number): Promise<Judgement[]> {
  const arms = randomArms(setting, count, seed);
  const driver = fileURLToPath(new URL('../support/random-arms-driver.js', import.meta.url));
  const command = netnsCommand([process.execPath, driver], process.getuid?.() === 0);
  const { stdout } = await execa(command[0]!, command.slice(1), { input: `${JSON.stringify({ setting, arms })}\n` });
  const answers = stdout.split('\n').map((line) => JSON.parse(line) as Outcomes);
  assert.equal(answers.length, arms.length);
  return arms.map((arm, i) => judge(arm, answers[i]!, kernel));
}

for (const setting of SETTINGS) {
  const { family, close, exchange, held } = setting;
  test(`random arms, IPv${family}, close: ${close}, ${exchange ? 'an exchange' : 'no exchange'}${held === null ? '' : held ? ', held' : ', not held'}`, async () => {
    const found: Judgement[] = [];
    for (let seed = SEED; found.length < COUNT; seed += 1000)
      found.push(...(await put(setting, Math.min(PER_LAB, COUNT - found.length), seed)));
    assert.deepEqual(
      found.flatMap(({ problem }) => problem ?? []),
      [],
    );
    const intervals = found.filter(({ how }) => how === 'interval');
    const outside = intervals.filter((one) => one.outside).length;
    assert.ok(outside <= Math.max(2, intervals.length * 0.15), `${outside} of ${intervals.length} outside`);
    const count = (how: Judgement['how']) => found.filter((one) => one.how === how).length;
    const text = (['exact', 'interval', 'bound', 'none'] as const).map((how) => `${count(how)} ${how}`).join(', ');
    process.stderr.write(`${found.length} arms: ${text}; ${outside} outside of a 95 % interval\n`);
    assert.ok(held === false || count('exact') > found.length / 3, text);
  });
}
