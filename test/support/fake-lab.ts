/**
 * A lab without an agent: sessions that say what a script tells them, and keep what they were told.
 */
import type { AgentEvent, Command, Measurement } from '../../src/agent/protocol.js';
import { PROTOCOL_VERSION } from '../../src/agent/protocol.js';
import { AgentDied, type Lab, type LabSession } from '../../src/lab/lab.js';
import { createHistograms, encodeHistograms, record } from '../../src/load/histogram.js';
import type { Environment } from '../../src/results/schema.js';
import { makeEnvironment, makeRun, type RunNumbers } from './runs.js';

/** What a session says next; an Error is how it ends. */
export type Said = AgentEvent | Error;

export interface Script {
  /** What it says without being asked. A session that has nothing more to say stays silent. */
  readonly says?: readonly Said[];
  /** What it says to a command. */
  readonly answers?: (command: Command) => readonly Said[];
  readonly environment?: Partial<Environment>;
  readonly stderr?: string;
  /** How close() fails. */
  readonly closeFails?: Error;
}

interface FakeSession extends LabSession {
  readonly sent: Command[];
  readonly killed: boolean;
  readonly closed: boolean;
  /** Say something later. */
  say(...said: readonly Said[]): void;
}

export interface FakeLab extends Lab {
  readonly sessions: readonly FakeSession[];
  readonly purposes: readonly ('run' | 'check')[];
}

/** @param script of the i-th session; an Error is why the lab cannot be had */
export function fakeLab(script: (i: number) => Script | Error, kind: Lab['kind'] = 'netns'): FakeLab {
  const sessions: FakeSession[] = [];
  const purposes: ('run' | 'check')[] = [];
  return {
    kind,
    description:
      kind === 'netns'
        ? 'network namespace'
        : kind === 'vm' || kind === 'vagrant'
          ? 'virtual machine'
          : 'this host itself',
    sessions,
    purposes,
    async open(purpose) {
      purposes.push(purpose);
      const found = script(purposes.length - 1);
      if (found instanceof Error) throw found;
      const session = fakeSession(found);
      sessions.push(session);
      return session;
    },
  };
}

function fakeSession(script: Script): FakeSession {
  const queue: Said[] = [...(script.says ?? [])];
  let wake: () => void = () => {};
  const say = (...said: readonly Said[]) => {
    queue.push(...said);
    wake();
  };
  const session = {
    hello: {
      type: 'hello' as const,
      protocol: PROTOCOL_VERSION,
      pid: 1,
      environment: { ...makeEnvironment(), ...script.environment },
    },
    sent: [] as Command[],
    killed: false,
    closed: false,
    say,
    send(command: Command) {
      session.sent.push(command);
      say(...(script.answers?.(command) ?? []));
    },
    async next() {
      while (queue.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const said = queue.shift()!;
      if (said instanceof Error) throw said;
      return said;
    },
    async close() {
      session.closed = true;
      if (script.closeFails) throw script.closeFails;
    },
    kill() {
      session.killed = true;
      say(new AgentDied('the agent was killed by SIGKILL'));
    },
    bootMs: null,
    warnings: [],
    stderr: () => script.stderr ?? '',
  };
  return session;
}

/** What an agent measured, from a few numbers. */
export function makeMeasurement(numbers: RunNumbers = {}, more: Partial<Measurement> = {}): Measurement {
  const { id, variant, block, warmup, order, status, valid, durationMs, hlog, stderr, ...figures } = makeRun(numbers);
  const histograms = createHistograms();
  for (let i = 1; i <= 100; i++) record(histograms.total, i);
  return {
    ...figures,
    interrupted: false,
    loadMs: 1000,
    histograms: encodeHistograms(histograms) as Record<string, string>,
    ...more,
  };
}
