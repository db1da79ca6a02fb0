/**
 * A contender at a rate that it was asked for, inside a lab of its own.
 */
import { spawn } from 'node:child_process';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../src/agent/place/limits.js';
import type { Target } from '../src/domain/target.js';
import { readNetCounters } from '../src/kernel/counters.js';
import { monotonicMicros as now } from '../src/kernel/libc.js';
import { createPool } from '../src/load/pool.js';
import type { LoadPlan } from '../src/plan/plan.js';
import { type Evenness, evennessOf, type Look } from './pacing.js';
import { AUTOCANNON, httpLoad } from './peer-lab.js';

export const PACERS = ['bindstorm', 'httperf', 'autocannon', 'hey'] as const;
export type Pacer = (typeof PACERS)[number];

/** A second long enough for anybody's start, and short enough for five rates. */
export interface PacingWork {
  /** Connections a second. */
  readonly rate: number;
  readonly seconds: number;
}

export interface PacingSample extends Evenness {
  /** bindstorm's own record of how late attempts began, µs; null for the others. */
  readonly lag: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number } | null;
}

const LOOK_MS = 5;
const LONGEST_MS = 60_000;

export async function measurePacing(
  pacer: Pacer,
  work: PacingWork,
  target: Target,
  source: string,
): Promise<PacingSample> {
  const before = begunSoFar();
  const looks: Look[] = [];
  const timer = setInterval(() => looks.push({ at: now(), begun: begunSoFar() - before }), LOOK_MS);
  try {
    const lag = pacer === 'bindstorm' ? await ours(work, target, source) : await theirs(pacer, work, target);
    return { ...evennessOf(looks, work.rate), lag };
  } finally {
    clearInterval(timer);
  }
}

function begunSoFar(): number {
  return readNetCounters()['Tcp.ActiveOpens'] ?? 0;
}

async function ours({ rate, seconds }: PacingWork, target: Target, source: string): Promise<PacingSample['lag']> {
  const arrival: LoadPlan['arrival'] = { shape: 'constant', rate, durationMs: seconds * 1000 };
  const pool = await createPool({
    plan: { ...httpLoad({ requests: 0, inFlight: 0 }, 'socket'), arrival },
    addresses: [source],
    via: { proxy: target, outgoing: null },
    targets: [target],
    ports: { low: 1024, high: 65_535 },
    seed: 1,
    descriptorLimit: descriptorLimit(),
    descriptorReserve: DESCRIPTOR_RESERVE,
  });
  pool.start(20_000);
  await pool.drained;
  const { histograms } = await pool.finish();
  const at = (percentage: number) => histograms.lag.getValueAtPercentile(percentage);
  return { p50: at(50), p99: at(99), p999: at(99.9), max: histograms.lag.maxValue };
}

function commandOf(
  pacer: Exclude<Pacer, 'bindstorm'>,
  { rate, seconds }: PacingWork,
  { address, port }: Target,
): string[] {
  const url = `http://${address}:${port}/`;
  const connections = 50;
  switch (pacer) {
    case 'httperf':
      return [
        ...['httperf', '--server', address, '--port', `${port}`, '--uri', '/'],
        ...['--rate', `${rate}`, '--num-conns', `${rate * seconds}`],
      ];
    case 'autocannon':
      return [
        ...[process.execPath, AUTOCANNON, '-j', '-c', `${connections}`, '-D', '1'],
        ...['-R', `${rate}`, '-d', `${seconds}`, url],
      ];
    case 'hey':
      return [
        ...['hey', '-disable-keepalive', '-c', `${connections}`, '-q', `${rate / connections}`],
        ...['-z', `${seconds}s`, url],
      ];
  }
}

function theirs(pacer: Exclude<Pacer, 'bindstorm'>, work: PacingWork, target: Target): Promise<null> {
  const [program, ...args] = commandOf(pacer, work, target);
  return new Promise((resolve, reject) => {
    const child = spawn(program!, args, { stdio: 'ignore', timeout: LONGEST_MS, killSignal: 'SIGKILL' });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve(null) : reject(new Error(`${pacer} ended with code ${code}`))));
  });
}
