/**
 * Rows that nobody measured before: what the prediction alone says, to be put to a kernel. Four destinations, which the oracle does not
 * have, for the six strategies that programs use.
 */
import assert from 'node:assert/strict';
import { parseKernelVersion } from '../../src/capacity/kernel-version.js';
import { predict } from '../../src/capacity/predict.js';
import { type Expected, expectedOf, repeatSimulation } from '../../src/capacity/simulator/repeat.js';
import type { StrategyName } from '../../src/domain/strategy.js';
import type { Prediction } from '../../src/results/schema.js';
import { input } from '../capacity/inputs.js';
import { isRandom, type OracleRow } from './oracle.js';
import type { DriverRow } from './oracle-driver.js';

const PORTS = 8;
const ADDRESSES = 2;
const DESTINATIONS = 4;
/** Seconds between the waves. */
const PAUSE = 1.3;

const STRATEGIES: readonly StrategyName[] = [
  'connect',
  'bind',
  'bind-reuseaddr',
  'bind-no-port',
  'bind-explicit-port',
  'local-port-range',
];

/** What a wave of attempts gives, by the prediction alone: ports that a close frees at once limit nothing. */
export function waves(attempts: number, { concurrent, sustained }: Prediction): [first: number, second: number] {
  if (concurrent === 0) return [0, 0];
  if (sustained === null || concurrent === null) return [attempts, attempts];
  const first = Math.min(attempts, concurrent);
  return [first, concurrent / sustained <= PAUSE ? first : 0];
}

/**
 * All rows with four destinations that the prediction is exact for.
 * @param kernel a release @param loopback the addresses are in 127.0.0.0/8
 */
export function predictedRows(kernel: string, loopback: boolean): OracleRow[] {
  return STRATEGIES.flatMap((strategy) =>
    (['0', '1'] as const).flatMap((autobindReuse) =>
      (['-', '0', '1', '2'] as const).map((twReuse) => rowFor(kernel, loopback, strategy, twReuse, autobindReuse)),
    ),
  ).filter((row) => !isRandom(row));
}

function rowFor(
  kernel: string,
  loopback: boolean,
  strategy: StrategyName,
  twReuse: OracleRow['twReuse'],
  autobindReuse: OracleRow['autobindReuse'],
): OracleRow {
  const prediction = predict(
    input({
      kernel,
      loopback,
      strategy,
      range: { low: 40_000, high: 40_000 + PORTS - 1 },
      addresses: ADDRESSES,
      destinations: DESTINATIONS,
      twReuse: twReuse === '-' ? 0 : (Number(twReuse) as 0 | 1 | 2),
      autobindReuse: autobindReuse === '1',
    }),
  );
  const attempts = 2 * PORTS * ADDRESSES * DESTINATIONS;
  const held = twReuse === '-';
  const [first, second] = held ? [Math.min(attempts, prediction.concurrent ?? 0), null] : waves(attempts, prediction);
  return {
    strategy,
    addresses: ADDRESSES,
    destinations: DESTINATIONS,
    mode: held ? 'held' : 'time_wait',
    twReuse,
    autobindReuse,
    attempts,
    outcomes: { ...(first > 0 && { ok: first }), ...(first < attempts && { [prediction.fails]: attempts - first }) },
    secondWave: second,
    ports: PORTS,
  };
}

const RANDOM_PORTS = 32;
const REPEATS = 12;

/** One random cell, several times: sharing through ip_autobind_reuse, held. The counts are of no interest here. */
export function randomRows(): OracleRow[] {
  return Array.from({ length: REPEATS }, () => ({
    strategy: 'bind-reuseaddr',
    addresses: ADDRESSES,
    destinations: DESTINATIONS,
    mode: 'held',
    twReuse: '-',
    autobindReuse: '1',
    attempts: 2 * RANDOM_PORTS * ADDRESSES * DESTINATIONS,
    outcomes: {},
    secondWave: null,
    ports: RANDOM_PORTS,
  }));
}

/** What the simulator expects of a random row. */
function simulated(kernel: string, { attempts }: OracleRow): Expected {
  const [runs] = repeatSimulation(
    {
      kernel: parseKernelVersion(kernel),
      range: { low: 20_000, high: 20_000 + RANDOM_PORTS - 1 },
      reserved: new Set(),
      autobindReuse: true,
      twReuse: false,
      twReuseDelayMs: 1000,
      timestamps: true,
      timeWaitMs: 60_000,
      peersHere: true,
    },
    [
      {
        strategy: 'bind-reuseaddr',
        addresses: [0, 1],
        destinations: [0, 1, 2, 3],
        pick: 'round-robin',
        attempts,
        startMs: 0,
        everyMs: 0,
        holdMs: null,
        close: 'client',
        ports: null,
      },
    ],
    60,
    1,
  );
  return expectedOf(runs!.map(({ ok }) => ok));
}

/** Each measurement lies within the simulator's 95 % interval, or nearly each: of 12, fewer than 8 do once in 10 million times. */
export function assertRandom(kernel: string, rows: readonly OracleRow[], answers: readonly DriverRow[]): void {
  const { low, high } = simulated(kernel, rows[0]!);
  assert.ok(low < high, 'there is chance in it');
  const found = answers.map(({ first }) => first.ok ?? 0);
  const within = found.filter((ok) => low <= ok && ok <= high).length;
  assert.ok(within >= 8, `${found.join(', ')} ok, expected ${low} to ${high}`);
}
