/**
 * What a fleet does: for a person, and as JSON.
 */
import { hostname } from 'node:os';
import { accessOf } from '../fleet/access.js';
import { openBus } from '../fleet/bus.js';
import { type FleetStatus, statusOf } from '../fleet/controller/status.js';
import { readSettings } from '../fleet/server/streams.js';
import { interruptible } from '../machine/interrupts.js';
import { EXIT } from './exit.js';
import { print } from './terminal.js';

/** Between two looks of --watch. */
const EVERY_MS = 1_000;
/** Clocks that differ by less are those of machines with NTP. */
const NOTABLE_MS = 2_000;

/** @returns the exit code. Rejects with UserError, FleetError */
export async function fleetStatus(options: { fleet?: string; json: boolean; watch: boolean }): Promise<number> {
  const bus = await openBus(accessOf(options.fleet, 'controller'), hostname());
  const show = (status: FleetStatus) => print(options.json ? `${JSON.stringify(status)}\n` : render(status));
  try {
    await readSettings(bus);
    show(await statusOf(bus));
    if (options.watch)
      await interruptible(
        () => {},
        async (signal) => {
          while (!signal.aborted) {
            await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
            if (!signal.aborted) show(await statusOf(bus));
          }
        },
      );
  } finally {
    await bus.close();
  }
  return EXIT.ok;
}

function render({ agents, strangers, experiments }: FleetStatus): string {
  const rows = agents.map(({ name, host, kernel, cpus, doing, clockAheadMs, refuses }) => {
    const work = doing ? `${doing.unit} of ${doing.experiment}` : 'waits for work';
    const clock = Math.abs(clockAheadMs) < NOTABLE_MS ? '' : `  (its clock is ${clockText(clockAheadMs)})`;
    const refused = Object.entries(refuses).map(([experiment, why]) => `    no part in ${experiment}: ${why}\n`);
    return `  ${name}  ${host}, Linux ${kernel}, ${cpus} CPUs: ${work}${clock}\n${refused.join('')}`;
  });
  const others = strangers.map(({ name, why }) => `  ${name}  is not taken: ${why}\n`);
  const work = experiments.map(
    ({ experiment, controller, left, underWay }) =>
      `  ${experiment}  of ${controller ?? 'a controller that is gone'}: ${left} units left, ${underWay} of them with agents\n`,
  );
  return [
    `${agents.length === 0 ? 'No agents' : `Agents (${agents.length})`}\n`,
    ...rows,
    ...others,
    `${experiments.length === 0 ? 'No experiment is under way' : `Experiments (${experiments.length})`}\n`,
    ...work,
  ].join('');
}

function clockText(aheadMs: number): string {
  return `${Math.round(Math.abs(aheadMs) / 1000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} the server's`;
}
