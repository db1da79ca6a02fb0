/**
 * The kernel oracle: oracle-6.18.tsv, measured by a C program on 6.18.44 (range 40000–40099, 127.0.x addresses, each row in a
 * network namespace of its own): 12 ways to bind × addresses × destinations × held or TIME_WAIT × tcp_tw_reuse ×
 * ip_autobind_reuse. And how rows are put to a kernel and judged.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type StrategyName, strategyOf } from '../../src/domain/strategy.js';
import type { Outcomes } from '../../src/results/schema.js';
import type { DriverInput, DriverRow } from './oracle-driver.js';

/** P of the table. */
export const PORTS = 100;

export interface OracleRow {
  readonly strategy: StrategyName;
  readonly addresses: number;
  readonly destinations: number;
  readonly mode: 'held' | 'time_wait';
  /** `-` for held rows, on which it does not act. */
  readonly twReuse: '-' | '0' | '1' | '2';
  readonly autobindReuse: '0' | '1';
  readonly attempts: number;
  /** Of the first wave. */
  readonly outcomes: Outcomes;
  /** What succeeds of the same attempts 1.3 s later; null for held rows. */
  readonly secondWave: number | null;
  /** Of its own range, where it is not P of the others. */
  readonly ports?: number;
}

/** The table's names for strategies, where they differ. */
const NAMES: Record<string, StrategyName> = {
  'bind-no-port+reuseaddr': 'bind-no-port-reuseaddr',
  'bind-explicit-port': 'bind-explicit-port-exclusive',
  'bind-explicit-port+reuseaddr': 'bind-explicit-port',
  'bind-explicit-port+reuseport': 'bind-explicit-port-reuseport',
  'bind 0.0.0.0:0': 'bind-any',
  'bind 0.0.0.0:0+reuseaddr': 'bind-any-reuseaddr',
};

/** A table of test/lab/ as its cells. */
export function readTable(path: string): { readonly header: string[]; readonly lines: string[][] } {
  const text = readFileSync(new URL(`../../../test/lab/${path}`, import.meta.url), 'utf8');
  const [header, ...lines] = text
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  return { header: header!, lines };
}

/** All rows. */
export function readOracle(): OracleRow[] {
  return readTable('oracle-6.18.tsv').lines.map((cells) => {
    const [name, s, d, mode, twReuse, autobindReuse, ...counts] = cells as [string, ...string[]];
    const strategy = NAMES[name] ?? (name as StrategyName);
    const [attempts, written, inBind, inConnect] = counts.map(Number) as [number, number, number, number];
    // One row was written down with a connection too many: its first wave ran past the second that the reuse delay lasts.
    const ok = strategy === 'bind-no-port' && written === 101 ? 100 : written;
    const refused = inBind > 0 ? 'bind:EADDRINUSE' : 'connect:EADDRNOTAVAIL';
    assert.equal(written + inBind + inConnect, attempts);
    return {
      strategy,
      addresses: Number(s),
      destinations: Number(d),
      mode: mode as OracleRow['mode'],
      twReuse: twReuse as OracleRow['twReuse'],
      autobindReuse: autobindReuse as OracleRow['autobindReuse'],
      attempts,
      outcomes: withoutZeros({ ok, [refused]: attempts - ok }),
      secondWave: counts[4] === '-' ? null : Number(counts[4]),
    };
  });
}

export function titleOf(row: OracleRow): string {
  return `${row.strategy} S=${row.addresses} D=${row.destinations} ${row.mode} tcp_tw_reuse=${row.twReuse} ip_autobind_reuse=${row.autobindReuse}`;
}

/**
 * The same row with another P. Every count is a multiple of P but that of the attempts, which is also what succeeds where nothing
 * limits: 2·P·S·D + 20 in the table, of which 2·P·S·D are enough.
 */
export function scaled(row: OracleRow, ports: number): OracleRow {
  const attempts = 2 * ports * row.addresses * row.destinations;
  const scale = (n: number) => (n === row.attempts ? attempts : (n * ports) / PORTS);
  const ok = scale(row.outcomes.ok ?? 0);
  const refused = Object.keys(row.outcomes).find((name) => name !== 'ok') ?? 'none';
  return {
    ...row,
    attempts,
    outcomes: withoutZeros({ ok, [refused]: attempts - ok }),
    secondWave: row.secondWave === null ? null : scale(row.secondWave),
  };
}

function withoutZeros(outcomes: Outcomes): Outcomes {
  return Object.fromEntries(Object.entries(outcomes).filter(([, n]) => n !== 0));
}

/**
 * Rows without one right answer. Sharing through ip_autobind_reuse picks ports at random beyond P per address, up to a quarter of
 * the range (src/capacity/ceiling.ts): between P·S and S·(P + (P/4)(D − 1)) connections.
 */
export function isRandom(row: OracleRow): boolean {
  return (
    row.mode === 'held' &&
    row.autobindReuse === '1' &&
    row.destinations > 1 &&
    /reuseaddr$/.test(row.strategy) &&
    strategyOf(row.strategy).port === 'bind'
  );
}

/** What a process of oracle-driver.ts is asked. */
export function driverInput(
  rows: readonly OracleRow[],
  where: DriverInput['where'],
  addresses: readonly string[],
  ports: number,
): DriverInput {
  return {
    where,
    addresses,
    destinations: Math.max(...rows.map(({ destinations }) => destinations)),
    ports,
    rows: rows.map((row) => ({
      ...(row.ports === undefined ? {} : { ports: row.ports }),
      strategy: row.strategy,
      addresses: row.addresses,
      destinations: row.destinations,
      attempts: row.attempts,
      held: row.mode === 'held',
      // Only a port that connect() chooses is given back by tcp_tw_reuse.
      timed: row.mode === 'time_wait' && row.twReuse !== '0' && strategyOf(row.strategy).port === 'connect',
      sysctls: {
        'net.ipv4.ip_autobind_reuse': row.autobindReuse,
        'net.ipv4.tcp_tw_reuse': row.mode === 'held' ? '2' : row.twReuse,
      },
    })),
  };
}

/** Five addresses that every loopback device has. */
export const LOOPBACK_ADDRESSES = Array.from({ length: 5 }, (_, i) => `127.0.1.${i + 1}`);

/** The answers of a driver in the order of the rows that it was asked. */
export function driverRows(lines: readonly string[]): DriverRow[] {
  return lines.map((line) => JSON.parse(line) as DriverRow).sort((a, b) => a.row - b.row);
}

/** @param ports P of the row */
export function assertRow(row: OracleRow, { first, second, steady }: DriverRow, ports: number): void {
  assert.ok(steady, 'this machine is too slow or too busy: a wave lasted long enough for ports to come back meanwhile');
  if (isRandom(row)) {
    const { ok = 0, 'connect:EADDRNOTAVAIL': refused = 0 } = first;
    const [least, most] = randomBounds(row, ports);
    assert.ok(ok >= least && ok <= most, `${ok} is not between ${least} and ${most}`);
    assert.equal(ok + refused, row.attempts);
  } else {
    assert.deepEqual(first, row.outcomes);
    assert.equal(second === null ? null : (second.ok ?? 0), row.secondWave);
  }
}

function randomBounds(row: OracleRow, ports: number): [number, number] {
  const sharers = row.strategy === 'bind-any-reuseaddr' ? 1 : row.addresses;
  return [sharers * ports, sharers * (ports + (ports / 4) * (row.destinations - 1))];
}
