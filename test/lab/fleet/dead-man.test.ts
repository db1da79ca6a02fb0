// needs: nats-server, iproute2
// alone: five seconds are counted
/**
 * Deaths in a run of all machines: each machine is a namespace of its own, and the connections that begin there are counted from outside by
 * the kernel.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { noLabs, type TestFleet } from '../../support/fleet.js';
import type { Machine } from '../../support/fleet-network.js';
import { fourMachines, LEAVE, loading } from '../../support/fleet-together.js';

/** Minutes on a machine that is busy with other tests. */
const NOT_LONG = process.env.BINDSTORM_LONG === '1' ? false : 'takes minutes; BINDSTORM_LONG=1 runs it';
/** All load of a run of all machines ends within it, whoever has died. */
const DEAD_MAN_MS = 5_000;

/** For how long after now machines begin connections, in milliseconds; those that an agent makes to its server are few. */
async function loadLasts(machines: readonly Machine[]): Promise<number> {
  const since = performance.now();
  const before = machines.map((machine) => machine.begun());
  let last = 0;
  while (performance.now() - since < DEAD_MAN_MS + 3_000) {
    await sleep(50);
    for (const [i, machine] of machines.entries()) {
      const now = machine.begun();
      // 50/s each: two in 50 ms are load, one may be a connection to the server.
      if (now - before[i]! >= 2) last = performance.now() - since;
      before[i] = now;
    }
  }
  return last;
}

function journalOf({ cwd }: TestFleet, out: string): string {
  return readFileSync(join(cwd, out, readdirSync(join(cwd, out))[0]!, 'journal.ndjson'), 'utf8');
}

test('whoever dies in a run of all machines, all load ends within five seconds', { skip: NOT_LONG }, async (t) => {
  const { fleet, agents, machines, run } = await fourMachines(t, '2s');
  const lasts: Record<string, number> = {};

  const orphaned = run('long.yaml', 'orphaned');
  await loading(machines);
  orphaned.kill('SIGKILL');
  lasts.controller = await loadLasts(machines);
  await noLabs(fleet);

  const lossy = run('long.yaml', 'lossy');
  await loading(machines);
  agents[3]!.kill('SIGKILL');
  lasts.agent = await loadLasts(machines);
  const lost = await lossy.ended;
  assert.match(journalOf(fleet, 'lossy'), /d was lost during the run/, lost.stderr);
  await noLabs(fleet);

  await fleet.agent('d', { args: LEAVE, within: machines[3]!.within });
  const cut = run('long.yaml', 'cut');
  await loading(machines);
  machines[0]!.link('down');
  lasts.link = await loadLasts(machines);
  const cutOff = await cut.ended;
  assert.match(journalOf(fleet, 'cut'), /a was lost during the run/, cutOff.stderr);
  machines[0]!.link('up');
  await noLabs(fleet);
  while (!(await fleet.command(['fleet', 'status', '--json']).ended).stdout.includes('"name":"a"')) await sleep(200);

  const alone = run('long.yaml', 'alone');
  await loading(machines);
  fleet.server().kill('SIGKILL');
  lasts.server = await loadLasts(machines);
  assert.equal((await alone.ended).code, 3);
  await noLabs(fleet);

  t.diagnostic(`milliseconds of load after a death: ${JSON.stringify(lasts)}`);
  for (const [who, ms] of Object.entries(lasts)) assert.ok(ms <= DEAD_MAN_MS, `${who}: the load went on for ${ms} ms`);
});
