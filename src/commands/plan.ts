/**
 * `bindstorm plan`: what a profile would do here, without load.
 */
import type { Command } from 'commander';
import { preview, tryPlaces } from '../experiment/preview.js';
import { renderPreview } from '../report/preview.js';
import { EXIT } from './exit.js';
import { option, overrides, type RunOptions, withOptions } from './options.js';
import { rateOption } from './parsers.js';
import { readProfile } from './profile-file.js';
import { note, textWidth } from './terminal.js';

interface PlanOptions extends RunOptions {
  readonly rate?: number;
}

/** Adds the command. */
export function registerPlan(program: Command): void {
  const command = program
    .command('plan')
    .description('what would run, for how long, the predicted capacity, and what this machine lacks; no load')
    .argument('<profile>', 'a shipped profile such as quickstart, or a path');
  withOptions(command, ['lab', 'kernel', 'engine', 'box', 'repeat', 'json'])
    .addOption(
      option(
        '--rate <rate>',
        'also: how many addresses each arm needs to sustain this rate, such as 50000/s',
        rateOption,
      ),
    )
    .addHelpText('after', '\nExample:\n  bindstorm plan squid-2014\n  bindstorm plan squid-2014 --rate 5000/s')
    .action(async (name: string, options: PlanOptions) => {
      const loaded = readProfile(name, overrides(options));
      const places = await tryPlaces(loaded.experiment, note);
      if (places.ok && places.value.findings.length > 0) throw loaded.refuse(places.value.findings);
      const experiment = places.ok ? places.value.experiment : loaded.experiment;
      const plan = preview(experiment, places, options.rate);
      process.stdout.write(options.json ? `${JSON.stringify(plan)}\n` : renderPreview(plan, experiment, textWidth()));
      process.exitCode = places.ok ? EXIT.ok : EXIT.noLab;
    });
}
