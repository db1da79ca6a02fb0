/** How far apart four machines begin a load that they make together: by what they say, and by the first connections that the target sees. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Results } from '../src/results/schema.js';
import { startCli, until } from '../test/support/cli.js';
import { startFleet } from '../test/support/fleet.js';
import { joinedMachines } from '../test/support/fleet-network.js';

const NAMES = ['a', 'b', 'c', 'd'];
const TARGET = { address: '10.201.0.1', port: 9000 };
const RATE = 2_000;
const FIRST_CONNECTIONS = fileURLToPath(new URL('./first-connections.js', import.meta.url));

export interface Skews {
  /** Milliseconds between the first and the last machine, a value a start: by their own clocks, and as the target saw it. */
  readonly said: readonly number[];
  readonly seen: readonly number[];
  /** Milliseconds by which the worst known clock of a start may be wrong, as the controller says it. */
  readonly unsure: readonly number[];
}

/** Two arms, so that an even number is made. @param t as of a test: what is to be undone afterwards */
export async function measureSkew(t: Parameters<typeof joinedMachines>[0], starts: number): Promise<Skews> {
  const { hub, machines } = await joinedMachines(t, NAMES.length);
  const fleet = await startFleet(t, { beat: '4s', listen: hub.address, within: hub.within });
  const target = startCli([TARGET.address, String(TARGET.port)], {
    cwd: fleet.cwd,
    within: hub.within,
    // It is what measures: no load is to keep it from its CPU.
    program: ['chrt', '--rr', '1', process.execPath, FIRST_CONNECTIONS],
    deadlineMs: 3_600_000,
  });
  t.after(() => target.kill('SIGKILL'));
  await until('the target listens', () => target.stderr().includes('listening'));
  const place = `${TARGET.address}:${TARGET.port}`;
  for (const [i, name] of NAMES.entries())
    await fleet.agent(name, {
      args: ['--allow', place, '--allow-host'],
      within: machines[i]!.within,
      deadlineMs: 3_600_000,
    });
  writeFileSync(
    join(fleet.cwd, 'skew.yaml'),
    `name: skew
lab: { kind: host }
allowHostChanges: true
addresses: { list: [${machines.map(({ address }) => address)}] }
allow: ["${place}"]
destinations: { targets: ["${place}"] }
load: { arrival: { shape: constant, rate: ${RATE}/s, duration: 200ms }, strategy: bind-no-port, lagBudget: 10s, workers: 1 }
variants: [{ name: same, load: { strategy: bind } }]
repeat: ${Math.ceil(starts / 2)}
warmup: 0
`,
  );
  const args = ['run', 'skew.yaml', '--lab', 'host', '--together', '--agents', String(NAMES.length), '--fixed'];
  const running = fleet.command([...args, '--force', '--json', '--quiet', '--out', 'skew'], { deadlineMs: 3_600_000 });
  const { code, stdout, stderr } = await running.ended;
  if (code !== 0) throw new Error(`${stderr} ${readdirSync(fleet.cwd)}`);
  const { variants } = JSON.parse(stdout) as Results;
  await until('the last run is over', () => target.stdout().trim().split('\n').length >= starts);
  const order = new Map(machines.map(({ address }, i) => [address, i]));
  const seen = target
    .stdout()
    .trim()
    .split('\n')
    .map((line) => Object.entries(JSON.parse(line) as Record<string, number>))
    .filter((first) => first.length === NAMES.length)
    // Attempt i is due i / RATE after the beginning, and is of machine i.
    .map((first) => spreadOf(first.map(([address, ms]) => ms - (order.get(address)! * 1_000) / RATE)));
  const said = variants.flatMap(({ runs }) => runs.flatMap(({ together }) => together?.skewMs ?? []));
  const unsure = variants.flatMap(({ runs }) =>
    runs.flatMap(({ together }) =>
      together ? [Math.max(...together.machines.map(({ unsureMs = 0 }) => unsureMs))] : [],
    ),
  );
  return { said, seen, unsure };
}

function spreadOf(values: readonly number[]): number {
  return Math.max(...values) - Math.min(...values);
}
