/**
 * `npm run bench:fleet -- thousand`: a thousand simulated agents on one nats-server: how long they take to sign in and to make a block each, what
 * the controller's part of that costs, and whether anything is lost.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accessOf } from '../src/fleet/access.js';
import type { FleetStatus } from '../src/fleet/controller/status.js';
import type { RunningCli } from '../test/support/cli.js';
import { idsIn, startFleet } from '../test/support/fleet.js';
import { makeRun } from '../test/support/runs.js';
import { TINY_ARMS, TINY_OUTCOMES, tinyProfile } from '../test/support/tiny.js';
import { type Cost, costOf } from './process-cost.js';
import { simulateAgents } from './simulated-agents.js';

export interface Many {
  readonly agents: number;
  /** Blocks; of three runs each. */
  readonly blocks: number;
  /** Milliseconds that a block takes. */
  readonly unitMs: number;
  /** As `fleet up --beat`. */
  readonly beat: string;
}

export interface ManyEnd {
  /** Seconds: until all were in the fleet, and from the command to its end. */
  readonly joined: number;
  readonly ran: number;
  /** Those that `fleet status` saw. */
  readonly seen: number;
  /** Ids of the runs in the folder. */
  readonly ids: readonly string[];
  /** What agents have complained of. */
  readonly said: readonly string[];
  readonly controller: Cost;
  readonly server: Cost;
  /** CPU seconds of all agents together. */
  readonly agentsCpu: number;
}

/** @param t as of a test: what is to be undone afterwards */
export async function runMany(t: Parameters<typeof startFleet>[0], many: Many): Promise<ManyEnd> {
  const { agents: count, blocks, unitMs, beat } = many;
  const fleet = await startFleet(t, { beat });
  const folder = join(fleet.cwd, 'agents');
  mkdirSync(folder);

  const [cpu, began] = [process.cpuUsage(), performance.now()];
  const simulated = simulateAgents({
    access: accessOf(join(fleet.cwd, 'up', 'agent.json'), 'agent'),
    names: Array.from({ length: count }, (_, i) => `agent-${i + 1}`),
    ...{ folder, unitMs },
    runs: new Map(TINY_ARMS.map((variant) => [variant, makeRun({ variant, outcomes: { ...TINY_OUTCOMES[variant] } })])),
  });
  try {
    await simulated.joined;
    const joined = seconds(began);
    const status = await fleet.command(['fleet', 'status', '--json']).ended;
    const { agents: seen } = JSON.parse(status.stdout) as FleetStatus;

    writeFileSync(join(fleet.cwd, 'many.yaml'), tinyProfile({ repeat: blocks }));
    const start = performance.now();
    const args = ['run', 'many.yaml', '--fixed', '--quiet', '--force', '--out', 'many', '--wait', '120s'];
    const controller = fleet.command([...args, '--agents', String(count)], { deadlineMs: 600_000 });
    const [ofController, ofServer] = [follow(controller, fleet.port), follow(fleet.server(), fleet.port)];
    const end = await controller.ended;
    const ran = seconds(start);
    if (end.code !== 0) throw new Error(`${end.stderr}\n${simulated.said.slice(0, 20).join('\n')}`);
    const { user, system } = process.cpuUsage(cpu);
    return {
      ...{ joined, ran, seen: seen.length, said: simulated.said },
      ids: idsIn(join(fleet.cwd, 'many', readdirSync(join(fleet.cwd, 'many'))[0]!)),
      controller: ofController(),
      server: ofServer(),
      agentsCpu: (user + system) / 1e6,
    };
  } finally {
    await simulated.stop();
  }
}

/** @returns what it has cost since, as of the last look before its end */
function follow({ pid, ended }: RunningCli, port: number): () => Cost {
  const before = costOf(pid, port);
  let last = before;
  const timer = setInterval(() => {
    last = costOf(pid, port) ?? last;
  }, 250);
  const stop = () => clearInterval(timer);
  ended.then(stop, stop);
  return () => {
    stop();
    const [from, to] = [before ?? NOTHING, costOf(pid, port) ?? last ?? NOTHING];
    return { cpu: to.cpu - from.cpu, sent: to.sent - from.sent, received: to.received - from.received };
  };
}

const NOTHING: Cost = { cpu: 0, sent: 0, received: 0 };

function seconds(since: number): number {
  return (performance.now() - since) / 1000;
}
