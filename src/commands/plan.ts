/**
 * `bindstorm plan`: what a profile would do here, without load.
 */
import type { Command } from 'commander';
import { busyNow } from '../experiment/busy.js';
import { chooseDesign } from '../experiment/design.js';
import { preview, tryPlaces } from '../experiment/preview.js';
import { designed } from '../experiment/session.js';
import { renderPreview } from '../report/preview.js';
import { EXIT } from './exit.js';
import { overrides, type RunOptions, withOptions } from './options.js';
import { readProfile } from './profile-file.js';
import { note, print, textWidth } from './terminal.js';

/** Adds the command. */
export function registerPlan(program: Command): void {
  const command = program
    .command('plan')
    .description(
      'show what would run, how long it would take, the predicted capacity, and what this machine lacks; makes no load',
    )
    .argument('<profile>', 'a shipped profile such as quickstart, or a path');
  withOptions(command, ['lab', 'kernel', 'engine', 'box', 'repeat', 'fixed', 'rate', 'json'])
    .addHelpText('after', '\nExample:\n  bindstorm plan squid-2014\n  bindstorm plan squid-2014-full --rate 5000/s')
    .action(async (name: string, options: RunOptions) => {
      const busy = busyNow();
      const loaded = readProfile(name, overrides(options));
      const places = await tryPlaces(loaded.experiment, note);
      // What this machine lacks is a note: the arithmetic holds without it.
      const findings = places.ok ? places.value.findings : [];
      const faults = findings.filter(({ lack }) => !lack);
      if (faults.length > 0) throw loaded.refuse(faults);
      const { unsaid } = loaded;
      const how = options.fixed ? 'fixed' : 'looks';
      const experiment = places.ok
        ? designed(places.value, unsaid, how).experiment
        : chooseDesign(loaded.experiment, unsaid, () => undefined, how);
      const plan = preview(experiment, places, busy);
      print(options.json ? `${JSON.stringify(plan)}\n` : renderPreview(plan, experiment, textWidth()));
      process.exitCode = places.ok && findings.length === 0 ? EXIT.ok : EXIT.noLab;
    });
}
