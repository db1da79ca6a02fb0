/**
 * Four machines, each in a namespace of its own, whose agents load one target at once.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningCli, startCli, until } from './cli.js';
import { startFleet, type TestFleet } from './fleet.js';
import { joinedMachines, type Machine } from './fleet-network.js';

export const NAMES = ['a', 'b', 'c', 'd'] as const;
const TARGET = '10.201.0.1:9000';
/** What an agent is started with, so that it may load the target. */
export const LEAVE = ['--allow', TARGET, '--allow-host'];

export interface FourMachines {
  readonly fleet: TestFleet;
  readonly machines: readonly Machine[];
  readonly agents: readonly RunningCli[];
  /** Run short.yaml, of a second, or long.yaml, of thirty, on all at once, in a folder of its own. */
  run(file: 'short.yaml' | 'long.yaml', out: string): RunningCli;
}

function profile(seconds: number): string {
  return `name: together
lab: { kind: host }
allowHostChanges: true
addresses: { list: [10.201.1.1, 10.201.2.1, 10.201.3.1, 10.201.4.1] }
allow: ["${TARGET}"]
destinations: { targets: ["${TARGET}"] }
load:
  arrival: { shape: constant, rate: 200/s, duration: ${seconds}s }
  strategy: bind
  lagBudget: 10s
variants:
  - { name: no-port, load: { strategy: bind-no-port } }
repeat: 2
warmup: 0
`;
}

/** Four machines, their agents, and a target. */
export async function fourMachines(t: Parameters<typeof joinedMachines>[0], beat?: string): Promise<FourMachines> {
  const { hub, machines } = await joinedMachines(t, 4);
  const fleet = await startFleet(t, { listen: hub.address, within: hub.within, ...(beat ? { beat } : {}) });
  const sink = startCli(['sink', '--listen', TARGET], { cwd: fleet.cwd, within: hub.within });
  t.after(() => sink.kill('SIGKILL'));
  const agents = await Promise.all(
    NAMES.map((name, i) => fleet.agent(name, { args: LEAVE, within: machines[i]!.within })),
  );
  writeFileSync(join(fleet.cwd, 'short.yaml'), profile(1));
  writeFileSync(join(fleet.cwd, 'long.yaml'), profile(30));
  const together = ['--lab', 'host', '--together', '--agents', '4', '--force', '--json', '--quiet'];
  return {
    fleet,
    machines,
    agents,
    run: (file, out) => fleet.command(['run', file, ...together, '--out', out]),
  };
}

/** Wait until each of some machines begins connections. */
export async function loading(machines: readonly Machine[]): Promise<void> {
  const before = machines.map((machine) => machine.begun());
  await until(
    'all machines make load',
    // More than what an agent says to its server.
    () => machines.every((machine, i) => machine.begun() > before[i]! + 20),
    300_000,
  );
}
