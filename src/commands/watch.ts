/**
 * `bindstorm watch`: how full the local ports of a running system are. Reads only, and changes nothing. A health check starts it every
 * few seconds, so it imports no more than it needs.
 */
import { type Command, Option } from 'commander';
import { parseDuration, parsePortRange } from '../domain/units.js';
import { SLOW_SHARES, WALLS } from '../gauge/reading.js';
import { type WatchOptions, watch } from '../watch/watch.js';
import { integer, oneOf, parsed, parseInterval, share } from './parsers.js';
import { hasColour, note } from './terminal.js';

const HELP = `
Example:
  bindstorm watch
  bindstorm watch --once --json --pid "$(pidof -s squid)"
  bindstorm watch --all --failures
  bindstorm watch --metrics 9464
  bindstorm watch --nat --once

Exit codes with --once: 0 below the slow wall, 1 at the slow wall, 5 at the hard wall; 7 the process of --pid has ended; 8 with --failures: a port was refused; 2 bad input, 3 may not look there.`;

/** Adds the command. */
export function registerWatch(program: Command): void {
  const level = (name: 'slow' | 'hard', byDefault: number, words: string) =>
    new Option(`--${name} <share>`, `fill at which the ${name} wall counts as reached`)
      .argParser(share(`--${name}`, 1))
      .default(byDefault, words);
  program
    .command('watch')
    .description('show how full the local ports of a running system are, and when they run out; only reads')
    .option(
      '--pid <pid>',
      'look into the network namespace of this process, at all sockets there, also those of other processes',
      integer('--pid', 1, 4_194_304),
    )
    .option('--netns <name>', 'a network namespace: its name in /run/netns, or a path')
    .option('--udp', 'sockets of UDP instead of TCP', false)
    .option(
      '--all',
      'every network namespace of this machine, a row each, named by pod and container; needs root',
      false,
    )
    .option(
      '--failures',
      'count the calls that are refused, by program and errno, with eBPF; needs root and bpftrace',
      false,
    )
    .option('--once', 'look once, print a table, and end with an exit code that says how full it is', false)
    .option('--json', 'print one JSON object per look', false)
    .option('--metrics <[address:]port>', 'serve /metrics for Prometheus, on loopback unless an address is given')
    .addOption(
      new Option('--interval <duration>', 'between two looks; with --once: look twice, to see the growth')
        .argParser(parsed(parseInterval))
        .default(1000, '1s'),
    )
    .addOption(level('slow', SLOW_SHARES.tcp, '50%, with --udp 98%'))
    .addOption(level('hard', 1, '100%'))
    .option('--wall <kind>', `what counts: auto, ${WALLS.join(' or ')}`, oneOf(['auto', ...WALLS]), 'auto')
    .addOption(
      new Option('--idle <duration>', 'an open connection counts as idle when nothing was sent or received for so long')
        .argParser(parsed(parseDuration))
        .default(60_000, '60s'),
    )
    .addOption(
      new Option(
        '--nat [ports]',
        'the ports of a NAT instead, by NAT address and destination; those that its rule names. With --all, which tells NATs anyway: what they name',
      )
        .argParser(parsed(parsePortRange))
        .preset('1024-65535'),
    )
    .option('--no-owners', 'do not look for the processes that have the sockets open')
    .addHelpText('after', HELP)
    .action(async (given: WatchOptions, command: Command) => {
      const isDefault = command.getOptionValueSource('slow') === 'default';
      const options = given.udp && isDefault ? { ...given, slow: SLOW_SHARES.udp } : given;
      const twice = command.getOptionValueSource('interval') === 'cli';
      process.exitCode = await watch(options, { twice, colour: hasColour(), note });
    });
}
