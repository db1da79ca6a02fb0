/** Blocks an hour of one agent and of four, each with the same share of a CPU. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readJournal } from '../src/experiment/journal.js';
import { startFleet } from '../test/support/fleet.js';
import { joinedMachines } from '../test/support/fleet-network.js';
import { tinyProfile } from '../test/support/tiny.js';

type Undo = Parameters<typeof joinedMachines>[0];

const NAMES = ['a', 'b', 'c', 'd'];
const PERIOD_MICROS = 20_000;

/** @param share of a CPU that each agent has @param blocks of each agent @returns blocks an hour. Rejects where no quota can be set */
export async function measureScaling(t: Undo, agents: 1 | 4, share: number, blocks: number): Promise<number> {
  const { hub, machines } = await joinedMachines(t, agents);
  const fleet = await startFleet(t, { beat: '4s', listen: hub.address, within: hub.within });
  await Promise.all(
    machines.map(({ within }, i) => fleet.agent(NAMES[i]!, { within: [...quota(t, NAMES[i]!, share), ...within] })),
  );
  writeFileSync(join(fleet.cwd, 'tiny.yaml'), tinyProfile({ repeat: blocks * agents }));
  const args = ['run', 'tiny.yaml', '--fixed', '--quiet', '--force', '--agents', String(agents)];
  const { code, stderr } = await fleet.command(args).ended;
  if (code !== 0) throw new Error(stderr);
  const reports = join(fleet.cwd, 'reports');
  const { runs } = readJournal(join(reports, readdirSync(reports)[0]!), 'run');
  const times = runs.map(({ startedAt, durationMs: { setup, load, teardown } }) => {
    const at = Date.parse(startedAt);
    return { from: at - setup, to: at + load + teardown };
  });
  const ms = Math.max(...times.map(({ to }) => to)) - Math.min(...times.map(({ from }) => from));
  return (blocks * agents * 3_600_000) / ms;
}

/** A command that starts another one in a control group with so much of a CPU (cgroup v2: cpu.max; v1: cpu.cfs_quota_us). */
function quota(t: Undo, name: string, share: number): string[] {
  const v1 = '/sys/fs/cgroup/cpu';
  const isOld = existsSync(join(v1, 'cpu.cfs_quota_us')) || existsSync(join(v1, 'cpu.shares'));
  const group = join(isOld ? v1 : '/sys/fs/cgroup', `bindstorm-bench-${process.pid}-${name}-${Date.now()}`);
  mkdirSync(group);
  t.after(async () => {
    for (let tries = 0; tries < 50 && existsSync(group); tries++) {
      try {
        rmdirSync(group);
      } catch {
        // Its processes end in a moment.
        await sleep(100);
      }
    }
  });
  const micros = Math.round(share * PERIOD_MICROS);
  if (isOld) {
    writeFileSync(join(group, 'cpu.cfs_period_us'), String(PERIOD_MICROS));
    writeFileSync(join(group, 'cpu.cfs_quota_us'), String(micros));
  } else writeFileSync(join(group, 'cpu.max'), `${micros} ${PERIOD_MICROS}`);
  return ['sh', '-c', `echo $$ > ${join(group, 'cgroup.procs')} && exec "$@"`, 'sh'];
}
