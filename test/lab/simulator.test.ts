/**
 * The allocator simulator against the kernel that runs here: several programs, each with a way of its own to get a port, in one
 * network namespace. Where the simulation always comes to the same counts the kernel must too; else its count must lie in the
 * simulation's 95 % interval.
 */
import assert from 'node:assert/strict';
import { release } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { atLeast, parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { type Expected, expectedOf, repeatSimulation } from '../../src/capacity/simulator/repeat.js';
import type { StrategyName } from '../../src/domain/strategy.js';
import { netnsCommand } from '../../src/lab/netns.js';
import { tenAddresses } from '../support/lab.js';
import type { MixedCase, MixedInput, MixedOutcome, MixedProgram } from '../support/mixed-driver.js';

const PORTS = 100;
const RUNS = 60;
/** Measurements of a case that chance has a part in. */
const REPEATS = 20;
const kernel = parseKernelVersion(release());

interface Named extends MixedCase {
  readonly title: string;
}

const holder = (attempts: number, address: number, strategy: StrategyName = 'bind'): MixedProgram => ({
  strategy,
  addresses: [address],
  destinations: [],
  attempts,
  startMs: 0,
  everyMs: 0,
});
const opener = (
  strategy: StrategyName,
  addresses: readonly number[],
  destinations: readonly number[],
  attempts: number,
  changes: Partial<MixedProgram> = {},
): MixedProgram => ({ strategy, addresses, destinations, attempts, startMs: 1, everyMs: 0, ...changes });
const turns = { startMs: 0, everyMs: 1 };

const CASES: readonly Named[] = [
  {
    title: '30 ports held on another address, then NO_PORT',
    sysctls: {},
    programs: [holder(30, 4), opener('bind-no-port', [0, 1], [0, 1], 820)],
  },
  {
    title: 'all ports held on another address, then plain connect',
    sysctls: {},
    programs: [holder(100, 4), opener('connect', [0], [0, 1], 220)],
  },
  {
    title: 'all ports held on another address, then bind',
    sysctls: {},
    programs: [holder(100, 4), opener('bind', [0, 1], [0], 420)],
  },
  {
    title: '40 ports held on another address, then a bind to the wildcard',
    sysctls: {},
    programs: [holder(40, 4), opener('bind-any', [0], [0], 220)],
  },
  {
    title: 'NO_PORT first, then bind on its own address, then NO_PORT again',
    sysctls: {},
    programs: [
      opener('bind-no-port', [0], [0], 60),
      opener('bind', [0], [0], 120, { startMs: 2 }),
      opener('bind-no-port', [0], [1], 120, { startMs: 3 }),
    ],
  },
  {
    title: 'Squid 5 and Squid 6 side by side, in turns',
    sysctls: {},
    programs: [opener('bind', [1, 2], [0], 300, turns), opener('bind-no-port', [3, 4], [0], 300, turns)],
  },
  {
    title: 'three programs in turns: curl, Squid 5, HAProxy',
    sysctls: {},
    programs: [
      opener('connect', [0], [0, 1], 250, turns),
      opener('bind', [1], [0], 60, turns),
      opener('bind-no-port-reuseaddr', [2, 3], [0, 1], 500, turns),
    ],
  },
  {
    title: 'SO_REUSEADDR with ip_autobind_reuse beside a program without it, on one address, in turns',
    sysctls: { 'net.ipv4.ip_autobind_reuse': '1' },
    programs: [opener('bind-reuseaddr', [0], [0, 1], 300, turns), opener('bind', [0], [0], 60, turns)],
  },
  {
    title: 'two programs that share by ip_autobind_reuse, on addresses of which one is common',
    sysctls: { 'net.ipv4.ip_autobind_reuse': '1' },
    programs: [
      opener('bind-reuseaddr', [0, 1], [0, 1], 500, turns),
      opener('bind-reuseaddr', [1, 2], [0, 1], 500, turns),
    ],
  },
  {
    title: 'a program with a port list of its own, then the others',
    sysctls: {},
    programs: [
      opener('bind-explicit-port', [0], [0], 50),
      opener('bind', [0, 1], [1], 300, { startMs: 2 }),
      opener('connect', [0], [1], 120, { startMs: 3 }),
    ],
  },
];

async function ask(cases: readonly MixedCase[]): Promise<MixedOutcome[][]> {
  const driver = fileURLToPath(new URL('../support/mixed-driver.js', import.meta.url));
  const command = netnsCommand([process.execPath, driver], process.getuid?.() === 0);
  const input: MixedInput = { addresses: tenAddresses(5), destinations: 2, ports: PORTS, cases };
  const { stdout } = await execa(command[0]!, command.slice(1), { input: JSON.stringify(input) });
  return stdout.split('\n').map((line) => JSON.parse(line) as MixedOutcome[]);
}

const COUNTS = ['ok', 'bindFailures', 'connectFailures'] as const;

/** What each program's counts should come to. */
function expected({ sysctls, programs }: MixedCase): Record<(typeof COUNTS)[number], Expected>[] {
  const simulated = repeatSimulation(
    {
      kernel,
      range: { low: 20_000, high: 20_000 + PORTS - 1 },
      reserved: new Set(),
      autobindReuse: sysctls['net.ipv4.ip_autobind_reuse'] === '1',
      twReuse: false,
      twReuseDelayMs: 1000,
      timestamps: true,
      timeWaitMs: 60_000,
      peersHere: true,
    },
    programs.map(
      (program) => ({ ...program, pick: 'round-robin', holdMs: null, close: 'client', ports: null }) as const,
    ),
    RUNS,
    1,
  );
  return simulated.map((runs) => ({
    ok: expectedOf(runs.map((run) => run.ok)),
    bindFailures: expectedOf(runs.map((run) => run.bindFailures)),
    connectFailures: expectedOf(runs.map((run) => run.connectFailures)),
  }));
}

test(`mixed programs on Linux ${release()}`, async (t) => {
  // The strategies came with 4.2, ip_autobind_reuse with 5.7.
  const cases = CASES.filter(({ sysctls }) => atLeast(kernel, Object.keys(sysctls).length > 0 ? '5.7' : '4.2')).map(
    (one) => {
      const intervals = expected(one);
      const exact = intervals.every((program) => COUNTS.every((count) => program[count].low === program[count].high));
      return { ...one, intervals, repeats: exact ? 1 : REPEATS };
    },
  );
  assert.ok(cases.filter(({ repeats }) => repeats > 1).length >= 3, 'some are random');
  const answers = await ask(cases.flatMap(({ repeats, ...one }) => Array.from({ length: repeats }, () => one)));
  for (const { title, programs, intervals, repeats } of cases) {
    const measured = answers.splice(0, repeats);
    assert.equal(measured.length, repeats);
    await t.test(title, () => {
      for (const [which, { strategy }] of programs.entries()) {
        for (const count of COUNTS) {
          const { low, high } = intervals[which]![count];
          const found = measured.map((outcomes) => outcomes[which]![count]);
          const within = found.filter((value) => low <= value && value <= high).length;
          // Of 20 that each lie within with probability 0.95, fewer than 15 do 3 times in 10,000.
          assert.ok(
            within >= (repeats === 1 ? 1 : (REPEATS * 3) / 4),
            `${strategy}: ${found.join(', ')} ${count}, expected ${low}–${high}`,
          );
        }
      }
    });
  }
  assert.equal(answers.length, 0);
});
