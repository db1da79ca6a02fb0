/**
 * One boot of User-Mode Linux serves many runs: they begin as runs in guests of their own do, and count the same; what is the whole kernel's
 * has a boot of its own; a controller that is killed while a guest serves its second run leaves nothing, and its table is finished by another.
 */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { FixReport } from '../../../src/analysis/fixes.js';
import type { Lab, LabSession } from '../../../src/lab/lab.js';
import { vmLab } from '../../../src/lab/vm/vm.js';
import { loadProfile } from '../../../src/profile/load.js';
import type { Run } from '../../../src/results/schema.js';
import { runCli, scratchFolder, startCli, until } from '../../support/cli.js';
import { engineProcesses, KERNEL, SKIP } from '../../support/guests.js';
import { newMark } from '../../support/processes.js';
import { runUndisturbed } from '../../support/undisturbed.js';

/** P = 100 ports, S = 2 addresses; all that is connected is in TIME_WAIT when the run ends. */
const PROFILE = `name: shared
addresses: { cidr: 10.50.0.0/24, count: 2 }
lab: { kind: vm, kernel: ${KERNEL} }
load: { strategy: bind, hold: 0s, drain: true, arrival: { shape: fill, attempts: 300, inFlight: 1 } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - { name: overflow, sysctls: { net.ipv4.tcp_max_tw_buckets: 10, net.ipv4.tcp_timestamps: 0, net.core.somaxconn: 77 } }
  - { name: machine, sysctls: { vm.swappiness: 11, net.core.netdev_max_backlog: 1234 } }
`;
const { arms } = loadProfile(PROFILE, 'shared.yaml').experiment;
const ORDER = ['baseline', 'overflow', 'baseline', 'machine', 'baseline'];

async function run(lab: Lab, name: string): Promise<Run> {
  const { run } = await runUndisturbed({
    lab,
    arm: arms.find((arm) => arm.name === name)!,
    planned: { id: name, variant: name, block: 0, warmup: false, order: 0, seed: 1 },
    network: 'veth',
    signal: new AbortController().signal,
    onSample: () => {},
  });
  assert.deepEqual([run.status, run.problems], ['ok', []], run.stderr ?? '');
  return run;
}

/** What the kernel's rules decide of a run, and what it has set. The sizes of tables may differ between two boots. */
const countsOf = ({ variant, outcomes, waves, sysctls, capacity, origin, ports, counters }: Run) => ({
  outcomes,
  waves,
  set: Object.keys(arms.find(({ name }) => name === variant)!.sysctls).map((name) => [name, sysctls[name]]),
  tuples: capacity.tuples,
  accepted: origin?.accepted,
  ports: [ports.low, ports.high, ports.finalStates],
  overflow: counters['TcpExt.TCPTimeWaitOverflow'],
});

describe('a guest that serves many runs', SKIP, () => {
  const serving = vmLab({ engine: 'uml', kernel: KERNEL }, () => {}, { serving: arms });
  after(() => serving.release?.());

  it('counts as guests of their own do, in whatever order, and boots for what is the whole kernel’s', async () => {
    const single = vmLab({ engine: 'uml', kernel: KERNEL }, () => {});
    const expected = new Map<string, ReturnType<typeof countsOf>>();
    for (const { name } of arms) expected.set(name, countsOf(await run(single, name)));
    assert.deepEqual(expected.get('baseline')!.outcomes, { ok: 200, 'bind:EADDRINUSE': 100 });
    const boots: boolean[] = [];
    for (const name of ORDER) {
      const made = await run(serving, name);
      assert.deepEqual(countsOf(made), expected.get(name), name);
      boots.push(made.durationMs.boot !== undefined);
    }
    assert.deepEqual(boots, [true, false, false, true, false]);
  });

  it('begins each run with the settings of a machine that has just been booted', async () => {
    const session = await vmLab({ engine: 'uml', kernel: KERNEL }, () => {}).open('run');
    const renewed = async () => {
      session.send({ type: 'renew', ownKernel: true });
      const event = await session.next();
      assert.equal(event.type, 'hello');
      return event.type === 'hello' ? settings(event) : null;
    };
    // Of the same boot: of two, the sizes of tables may differ. And the kernel gives back what it needed to boot in its own time.
    const settings = ({ environment }: LabSession['hello']) => ({ ...environment, memory: null });
    const atFirst = settings(session.hello);
    assert.deepEqual(await renewed(), atFirst);
    const arm = arms.find(({ name }) => name === 'overflow')!;
    session.send({ type: 'run', spec: { arm, seed: 1, network: 'veth', ownNamespace: true, sampleMs: 1000 } });
    for (let { type } = await session.next(); type !== 'result'; { type } = await session.next())
      assert.notEqual(type, 'failed');
    assert.deepEqual(await renewed(), atFirst);
    await session.close();
  });

  it('ends with its lab', async () => {
    await serving.release?.();
    assert.deepEqual(engineProcesses(), []);
  });
});

const FIXES = ['--only', 'fin-timeout,wider-range,no-port', '--kernels', KERNEL, '--no-host', '--strategies', 'bind'];

it(
  'a table whose controller is killed during the second run in a guest leaves nothing, and is finished alike',
  SKIP,
  async (t) => {
    const cwd = scratchFolder(t);
    const mark = newMark();
    const cli = startCli(['fixes', ...FIXES, '--out', 'killed'], { cwd, env: mark.env, deadlineMs: 600_000 });
    await until('the second run', () => cli.stderr().includes(' 2/4: '), 120_000);
    cli.kill('SIGKILL');
    await cli.ended;
    await until('nothing is left', () => mark.processes().length === 0, 10_000);

    const folder = join('killed', readdirSync(join(cwd, 'killed'))[0]!);
    const resumed = await runCli(['fixes', '--resume', folder, '--json'], { cwd, deadlineMs: 600_000 });
    assert.equal(resumed.code, 0, resumed.stderr);
    const [table] = (JSON.parse(resumed.stdout) as FixReport).tables;
    const cells = Object.entries({ baseline: table!.baseline, ...table!.cells }).map(([name, cell]) => [
      name,
      ...(cell.kind === 'measured' ? [cell.effect, ...cell.waves] : [cell.kind]),
    ]);
    assert.deepEqual(cells, [
      ['baseline', 'does nothing', 40, 0],
      ['fin-timeout', 'does nothing', 40, 0],
      ['wider-range', 'works', 80, 0],
      ['no-port', 'works', 80, 0],
    ]);
  },
);
