/**
 * `bindstorm lab [PROFILE] -- CMD`: a command, or a shell, in a fresh lab, for those who want to look around.
 */
import type { Command } from 'commander';
import { enterLab } from '../experiment/enter-lab.js';
import { loadProfile } from '../profile/load.js';
import { profileOf } from '../profile/try.js';
import { plural } from '../report/format.js';
import { failureName } from '../report/rows/proxy.js';
import { EXIT_HELP, UserError } from './exit.js';
import { readProfile } from './profile-file.js';
import { note } from './terminal.js';

/** Of a lab without a profile. */
const PORTS = 32;

/** Adds the command. */
export function registerLab(program: Command): void {
  program
    .command('lab')
    .description(
      'run a command or a shell in a fresh lab, with the addresses and sysctls of a profile and the internet of the lab, and count the calls that were refused',
    )
    .argument('[words...]', 'a profile, and after -- the command; without a command, a shell')
    .addHelpText(
      'after',
      `\nExample:\n  bindstorm lab quickstart -- curl http://example.com/\n  bindstorm lab\n\nIt ends with the exit code of the command.\n${EXIT_HELP}`,
    )
    .action(async (words: string[]) => {
      process.exitCode = await visitLab(words, process.argv.slice(2));
    });
}

async function visitLab(words: readonly string[], argv: readonly string[]): Promise<number> {
  // Commander takes the two dashes away.
  const at = argv.indexOf('--');
  const typed = at < 0 ? [] : argv.slice(at + 1);
  const [profile, ...more] = words.slice(0, words.length - typed.length);
  if (more.length > 0)
    throw new UserError(
      `give at most one profile, not ${more.length + 1}; a command comes after --, for example: bindstorm lab -- ${words.join(' ')}`,
    );
  const command = typed.length > 0 ? typed : [process.env.SHELL ?? '/bin/sh'];
  const folder = process.cwd();
  const usual = { command, workdir: folder, ports: PORTS, forMs: 1000, forward: false, origin: {}, env: {} };
  const loaded =
    profile === undefined ? loadProfile(profileOf(usual, null), 'the lab', { folder }) : readProfile(profile, {});
  const { measurement, code } = await enterLab(loaded, command, note);
  const { origin, proxy, ports } = measurement;
  const seen = origin?.seen;
  note(
    `\n${plural(origin?.accepted ?? 0, 'connection')} with ${plural(seen?.requests ?? 0, 'request')}; at most ${ports.peak ?? 0} of ${ports.high - ports.low + 1 - ports.reserved} ports in use, ${ports.finalStates?.TIME_WAIT ?? 0} in TIME_WAIT at the end`,
  );
  const refused = proxy?.syscalls?.failures ?? [];
  if (refused.length === 0) note('no bind(), connect() or sendto() was refused');
  for (const { call, errno, count, pid } of refused)
    note(`refused: ${failureName(call, errno)} × ${count} (thread ${pid})`);
  for (const text of measurement.warnings) note(`note: ${text}`);
  return code;
}
