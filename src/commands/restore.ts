/**
 * `bindstorm restore`: put back what a run that was killed has left: sysctls of the host, boxes of Vagrant.
 */
import type { Command } from 'commander';
import { damagedSnapshots, staleSnapshots } from '../agent/place/host-guard.js';
import { restoreHost } from '../lab/host.js';
import { leftBoxes, putAway } from '../lab/vagrant/box.js';
import { EXIT, UserError } from './exit.js';
import { print } from './terminal.js';

/** Adds the command. */
export function registerRestore(program: Command): void {
  program
    .command('restore')
    .description('put back what a killed run left changed: sysctls of a host run, Vagrant boxes')
    .option('--list', 'show only what would be put back', false)
    .option('--json', 'with --list: print JSON', false)
    .addHelpText('after', '\nExample:\n  bindstorm restore --list')
    .action(async ({ list, json }: { list: boolean; json: boolean }) => {
      if (json && !list) throw new UserError('--json shows what --list finds; add --list');
      const [stale, boxes, damaged] = [staleSnapshots(), await leftBoxes(), damagedSnapshots()];
      if (json) {
        const sysctls = stale.map(({ takenAt, values }) => ({ takenAt, values }));
        print(`${JSON.stringify({ sysctls, boxes })}\n`);
        return refuseDamaged(damaged);
      }
      if (stale.length + boxes.length + damaged.length === 0) return void print('Nothing to restore.\n');
      if (list) {
        for (const { values, takenAt } of stale) {
          for (const [name, value] of Object.entries(values)) print(`${name} = ${value}   (as of ${takenAt})\n`);
        }
        for (const { box, since, after } of boxes) print(`Vagrant box ${box}: ${after}   (of a run of ${since})\n`);
        refuseDamaged(damaged);
        return;
      }
      for (const record of boxes) print(`Vagrant box ${record.box}: ${await putAway(record)}\n`);
      if (stale.length > 0) await restoreSysctls();
      refuseDamaged(damaged);
    });
}

/** @throws UserError that names them, when there are any */
function refuseDamaged(paths: readonly string[]): void {
  if (paths.length === 0) return;
  throw new UserError(
    `${paths.join(', ')}: the file was changed after a host run wrote it, so the values in it are not put back; sysctls may still be as that run left them`,
    { remedy: 'compare the values in it with sysctl(8) and set by hand what is wrong, then remove the file' },
  );
}

async function restoreSysctls(): Promise<void> {
  const { restored, failed } = await restoreHost();
  for (const [name, value] of Object.entries(restored)) print(`restored ${name} = ${value}\n`);
  if (failed.length > 0)
    throw new UserError(`could not restore ${failed.join(', ')}; write them by hand with sysctl -w`, {
      exitCode: EXIT.noLab,
    });
}
