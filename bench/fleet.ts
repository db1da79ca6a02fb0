/**
 * `npm run bench:fleet`: what a fleet costs and how it scales. Nothing passes or fails.
 *
 *     npm run bench:fleet -- thousand --agents 1000     # sign in, make a block each; what is lost, and what it costs the controller
 *     npm run bench:fleet -- skew --starts 100          # how far apart four machines begin a load that they make together
 *     npm run bench:fleet -- scaling --share 0.3        # blocks an hour of one agent and of four, each with so much of a CPU
 *
 * Needs root, nats-server and iproute2.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { measureScaling } from './fleet-scaling.js';
import { measureSkew } from './fleet-skew.js';
import { runMany } from './fleet-thousand.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    agents: { type: 'string', default: '1000' },
    blocks: { type: 'string' },
    starts: { type: 'string', default: '100' },
    share: { type: 'string', default: '0.3' },
    beat: { type: 'string', default: '4s' },
  },
});

/** Do something whose traces are undone when it is over, the last first. */
async function undoing<T>(work: (t: { after(undo: () => unknown): void }) => Promise<T>): Promise<T> {
  const undos: (() => unknown)[] = [];
  try {
    return await work({ after: (undo) => void undos.unshift(undo) });
  } finally {
    for (const undo of undos) await undo();
  }
}

function quantile(values: readonly number[], share: number): string {
  const sorted = [...values].sort((a, b) => a - b);
  return `${sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)]!.toFixed(2)} ms`;
}

const say = (text: string) => process.stdout.write(`${text}\n`);
const load = () => `load ${loadavg()[0]!.toFixed(1)}`;

async function thousand(): Promise<void> {
  const agents = Number(values.agents);
  const blocks = Number(values.blocks ?? agents);
  const found = await undoing((t) => runMany(t, { agents, blocks, unitMs: 1_000, beat: values.beat }));
  const { joined, ran, seen, ids, said, controller, server, agentsCpu } = found;
  const kb = (bytes: number) => `${(bytes / 1024).toFixed(0)} kB`;
  say(`${agents} agents were in the fleet after ${joined.toFixed(1)} s (status saw ${seen}); ${load()}`);
  say(`${blocks} blocks took ${ran.toFixed(1)} s from the command to its end, the rehearsal and the report included`);
  say(`${ids.length} runs are in the folder, ${new Set(ids).size} of them different, of ${3 * blocks}`);
  say(
    `controller: ${controller.cpu.toFixed(2)} s of CPU, ${kb(controller.sent)} sent, ${kb(controller.received)} received; for each agent ${((controller.cpu * 1e3) / agents).toFixed(1)} ms, ${kb((controller.sent + controller.received) / agents)}`,
  );
  say(`server: ${server.cpu.toFixed(2)} s of CPU; all agents: ${agentsCpu.toFixed(1)} s`);
  for (const text of said.slice(0, 10)) say(`said: ${text}`);
}

async function skew(): Promise<void> {
  const { said, seen, unsure } = await undoing((t) => measureSkew(t, Number(values.starts)));
  for (const [what, found] of [
    ['by the machines', said],
    ['by the first connections that the target saw', seen],
    ['what the controller does not know of the clocks', unsure],
  ] as const)
    say(
      `${what}: ${found.length} starts of four machines, p50 ${quantile(found, 0.5)}, p99 ${quantile(found, 0.99)}, most ${quantile(found, 1)}; ${load()}`,
    );
}

async function scaling(): Promise<void> {
  const share = Number(values.share);
  const blocks = Number(values.blocks ?? 12);
  const one = await undoing((t) => measureScaling(t, 1, share, blocks));
  const four = await undoing((t) => measureScaling(t, 4, share, blocks));
  say(
    `with ${share} of a CPU each: one agent ${one.toFixed(0)} blocks an hour, four ${four.toFixed(0)}: ${(four / one).toFixed(2)} times as many; ${load()}`,
  );
}

const WORK = { thousand, skew, scaling };
const name = positionals[0] ?? '';
if (!(name in WORK)) {
  process.stderr.write(`name one of ${Object.keys(WORK).join(', ')}\n`);
  process.exitCode = 2;
} else await WORK[name as keyof typeof WORK]();
