/**
 * One peer at work inside a lab of its own, and bindstorm at the same work.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../src/agent/place/limits.js';
import type { Origin } from '../src/agent/roles/origin-client.js';
import type { StrategyName } from '../src/domain/strategy.js';
import type { Target } from '../src/domain/target.js';
import { totalOf } from '../src/load/outcome.js';
import { createPool } from '../src/load/pool.js';
import { findProgram } from '../src/machine/programs.js';
import { LOAD } from '../src/plan/load-settings.js';
import type { LoadPlan } from '../src/plan/plan.js';
import type { Pacer } from './pacing-lab.js';
import {
  childSeconds,
  commandOf,
  countOf,
  type HttpWork,
  type OtherProgram,
  PEERS,
  type PeerCount,
  type PeerName,
  type Program,
} from './peer.js';

const run = promisify(execFile);
const LONGEST_MS = 120_000;
/** What an answer carries besides its head. */
const BODY = 100;
const SHELL = '"$@"; code=$?; echo "== times"; times; exit $code';
export const AUTOCANNON = fileURLToPath(
  new URL('../../bench/peers/node_modules/autocannon/autocannon.js', import.meta.url),
);
/** What runs when bindstorm is installed. */
export const BUNDLED_WORKER = new URL('../bundle/load/worker.js', import.meta.url);
const UNDICI = fileURLToPath(new URL('./undici-client.js', import.meta.url));

export interface HttpSample extends PeerCount {
  /** Of the process with all its threads, start included. */
  readonly cpuSeconds: number;
  /** Of it, before the first request: of bindstorm alone. */
  readonly startCpuSeconds?: number;
}

/** The load of bindstorm, and of the origin for all: a GET each connection, which the origin closes. */
export function httpLoad(
  { requests, inFlight }: Pick<HttpWork, 'requests' | 'inFlight'>,
  engine: LoadPlan['engine'],
  strategy = LOAD.strategy,
): LoadPlan {
  return {
    ...LOAD,
    engine,
    strategy,
    protocol: 'get',
    body: BODY,
    close: 'server',
    pick: 'round-robin',
    arrival: { shape: 'fill', attempts: requests, failures: null, inFlight, waves: 1, pauseMs: 0 },
  };
}

/** Whether it is here; it is left out otherwise. */
export function isInstalled(program: Program | Pacer): boolean {
  if (program === 'autocannon') return existsSync(AUTOCANNON);
  return (
    ['undici', 'bindstorm', 'socket engine', 'HTTP engine'].includes(program) || findProgram(program) !== undefined
  );
}

/** @param origin serves already. Rejects when the origin has not seen as many connections as were counted. */
export async function runPeer(
  name: PeerName,
  work: HttpWork,
  target: Target,
  source: string,
  origin: Origin,
): Promise<HttpSample> {
  const before = (await origin.stats()).accepted;
  const { program, ...how } = PEERS.find((peer) => peer.name === name)!;
  const sample =
    program === 'socket engine' || program === 'HTTP engine'
      ? await runOurs(program === 'socket engine' ? 'socket' : 'http', how.strategy, work, target, source)
      : await runProgram(program, work, target, how.source ? source : undefined);
  const { accepted, listenOverflows } = await origin.stats();
  if (listenOverflows !== 0) throw new Error(`the origin's accept queue overflowed ${listenOverflows} times`);
  if (sample.failed > 0) throw new Error(`${sample.failed} requests of ${name} failed`);
  // Some open what they then do not use: wrk is stopped by its time, ab opens as many as it may have.
  const spare = 2 * work.inFlight;
  if (accepted - before < sample.ok || accepted - before > sample.ok + spare)
    throw new Error(`${name} says ${sample.ok} requests, and the origin saw ${accepted - before} connections`);
  return sample;
}

async function runProgram(
  program: OtherProgram,
  work: HttpWork,
  target: Target,
  source: string | undefined,
): Promise<HttpSample> {
  const command = commandOf(program, work, target, source, {
    node: process.execPath,
    autocannon: AUTOCANNON,
    undici: UNDICI,
  });
  const { stdout } = await run('/bin/sh', ['-c', SHELL, 'sh', ...command], {
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 24,
    env: { ...process.env, LC_ALL: 'C', NODE_NO_WARNINGS: '1' },
  });
  const [output, times] = stdout.split('== times\n');
  return { ...countOf(program, output!), cpuSeconds: childSeconds(times!) };
}

async function runOurs(
  engine: LoadPlan['engine'],
  strategy: StrategyName | undefined,
  work: HttpWork,
  target: Target,
  source: string,
): Promise<HttpSample> {
  const before = process.cpuUsage();
  const pool = await createPool(
    {
      plan: httpLoad(work, engine, strategy),
      addresses: [source],
      // The socket engine speaks GET to a proxy alone; here the origin takes its place and does not look at the request.
      ...(engine === 'socket' ? { via: { proxy: target, outgoing: null } } : {}),
      targets: [target],
      ports: { low: 1024, high: 65_535 },
      seed: 1,
      descriptorLimit: descriptorLimit(),
      descriptorReserve: DESCRIPTOR_RESERVE,
    },
    BUNDLED_WORKER,
  );
  const ready = process.cpuUsage(before);
  pool.start(0);
  await pool.drained;
  const { outcomes, seconds } = await pool.finish();
  const { user, system } = process.cpuUsage(before);
  const ok = outcomes.ok ?? 0;
  return {
    ok,
    failed: totalOf(outcomes) - ok,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    startCpuSeconds: (ready.user + ready.system) / 1e6,
  };
}
