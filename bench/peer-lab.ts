/**
 * One peer at work inside a lab of its own, and bindstorm at the same work.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DESCRIPTOR_RESERVE, descriptorLimit } from '../src/agent/limits.js';
import type { Origin } from '../src/agent/origin-client.js';
import { findProgram } from '../src/lab/remedy.js';
import { totalOf } from '../src/load/outcome.js';
import { createPool } from '../src/load/pool.js';
import { LOAD } from '../src/profile/defaults.js';
import type { LoadPlan, Target } from '../src/profile/plan.js';
import type { Pacer } from './pacing-lab.js';
import { childSeconds, commandOf, countOf, type HttpWork, type PeerCount, type PeerName } from './peer.js';

const run = promisify(execFile);
const LONGEST_MS = 120_000;
/** What an answer carries besides its head. */
const BODY = 100;
const SHELL = '"$@"; code=$?; echo "== times"; times; exit $code';
export const AUTOCANNON = fileURLToPath(
  new URL('../../bench/peers/node_modules/autocannon/autocannon.js', import.meta.url),
);
const UNDICI = fileURLToPath(new URL('./undici-client.js', import.meta.url));

export interface HttpSample extends PeerCount {
  /** Of the process with all its threads, start included. */
  readonly cpuSeconds: number;
}

/** The load of bindstorm, and of the origin for all: a GET each connection, which the origin closes. */
export function httpLoad({ requests, inFlight }: HttpWork, engine: LoadPlan['engine']): LoadPlan {
  return {
    ...LOAD,
    engine,
    protocol: 'get',
    body: BODY,
    close: 'server',
    pick: 'round-robin',
    arrival: { shape: 'fill', attempts: requests, failures: null, inFlight, waves: 1, pauseMs: 0 },
  };
}

/** Whether it is here; it is left out otherwise. */
export function isInstalled(name: PeerName | Pacer): boolean {
  if (name === 'autocannon') return existsSync(AUTOCANNON);
  return name === 'undici' || name.startsWith('bindstorm') || findProgram(name) !== undefined;
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
  const sample =
    name === 'bindstorm' || name === 'bindstorm, HTTP engine'
      ? await runOurs(name === 'bindstorm' ? 'socket' : 'http', work, target, source)
      : await runProgram(name, work, target);
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
  name: Exclude<PeerName, `bindstorm${string}`>,
  work: HttpWork,
  target: Target,
): Promise<HttpSample> {
  const command = commandOf(name, work, target, { node: process.execPath, autocannon: AUTOCANNON, undici: UNDICI });
  const { stdout } = await run('/bin/sh', ['-c', SHELL, 'sh', ...command], {
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
    maxBuffer: 1 << 24,
    env: { ...process.env, LC_ALL: 'C', NODE_NO_WARNINGS: '1' },
  });
  const [output, times] = stdout.split('== times\n');
  return { ...countOf(name, output!), cpuSeconds: childSeconds(times!) };
}

async function runOurs(
  engine: LoadPlan['engine'],
  work: HttpWork,
  target: Target,
  source: string,
): Promise<HttpSample> {
  const before = process.cpuUsage();
  const pool = await createPool({
    plan: httpLoad(work, engine),
    addresses: [source],
    // The socket engine speaks GET to a proxy alone; here the origin takes its place and does not look at the request.
    ...(engine === 'socket' ? { via: { proxy: target, outgoing: null } } : {}),
    targets: [target],
    ports: { low: 1024, high: 65_535 },
    seed: 1,
    descriptorLimit: descriptorLimit(),
    descriptorReserve: DESCRIPTOR_RESERVE,
  });
  pool.start(0);
  await pool.drained;
  const { outcomes, seconds } = await pool.finish();
  const { user, system } = process.cpuUsage(before);
  const ok = outcomes.ok ?? 0;
  return { ok, failed: totalOf(outcomes) - ok, seconds, cpuSeconds: (user + system) / 1e6 };
}
