/**
 * The options that several commands have, each once: how it is written, what it does, and what it takes.
 */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ENGINES, type Engine, kernelNameProblem, MAX_KERNELS } from '../domain/guest.js';
import { LAB_KINDS, type LabKind } from '../domain/lab.js';
import { parseDuration } from '../domain/units.js';
import { boxNameProblem } from '../plan/box.js';
import { UserError } from './exit.js';
import { integer, oneOf, parsed, rateOption } from './parsers.js';

/** An option in one line. @param byDefault its value, and @param words how the help writes that */
export function option<T>(
  flags: string,
  help: string,
  parse: (text: string, before: T) => T,
  byDefault?: T,
  words?: string,
): Option {
  const made = new Option(flags, help).argParser(parse);
  return byDefault === undefined ? made : made.default(byDefault, words);
}

/** Name of an option → makes it. */
export const OPTIONS = {
  lab: () => new Option('--lab <kind>', 'netns (the default), vm, vagrant or host').argParser(oneOf(LAB_KINDS)),
  kernel: () =>
    new Option(
      '--kernel <names>',
      'with the VM lab: a Debian suite such as bookworm, "running", or the path of a kernel; several, such as bookworm,trixie, are compared',
    ).argParser(kernelNames),
  engine: () =>
    new Option(
      '--engine <name>',
      'with the VM lab: uml (User-Mode Linux) or qemu; otherwise whichever boots the kernel',
    ).argParser(oneOf(ENGINES)),
  box: () =>
    new Option('--box <name>', 'with the Vagrant lab: a machine of the Vagrantfile, such as bookworm').argParser(
      boxName,
    ),
  repeat: () =>
    new Option(
      '--repeat <n>',
      'maximum number of pairs of runs per variant, instead of that of the profile; with run --resume: their new total',
    ).argParser(integer('--repeat', 1, 1000)),
  fixed: () =>
    new Option('--fixed', 'make all pairs and judge once at the end, by the sign-flip test; no arm is stopped early'),
  seed: () =>
    new Option('--seed <n>', 'seed of the order of runs, of arrivals and of picks').argParser(
      integer('--seed', 0, 4_294_967_295),
    ),
  rate: () =>
    new Option(
      '--rate <rate>',
      'the rate that you need to sustain, such as 300/s, instead of requiredRate in the profile; the answer is given for each arm',
    ).argParser(rateOption),
  out: () => new Option('--out <folder>', 'parent of the result folders').default('reports'),
  resume: () => new Option('--resume <folder>', 'resume what was interrupted; finished work is kept'),
  force: () =>
    new Option('--force', 'make the runs even where it is known beforehand that they cannot decide anything').default(
      false,
    ),
  fleet: () =>
    new Option(
      '--fleet <where>',
      'other machines make the runs: the controller.json of `bindstorm fleet up`, or the URL of its server',
    ),
  agents: () =>
    new Option('--agents <n>', 'with --fleet: begin when so many agents are there (default: 1)').argParser(
      integer('--agents', 1, 10_000),
    ),
  together: () =>
    new Option(
      '--together',
      'with --fleet: all agents load one target outside at once, each with a part of the load, instead of a block each',
    ),
  wait: () =>
    new Option(
      '--wait <duration>',
      'with --fleet: how long agents, or the server, are waited for before it is refused or given up',
    )
      .argParser(parsed(parseDuration))
      .default(60_000, '60s'),
  json: () => new Option('--json', 'print the results as JSON on standard output').default(false),
  quiet: () => new Option('--quiet', 'show no progress').default(false),
} as const satisfies Readonly<Record<string, () => Option>>;

/** Those of `run`. */
export const RUN_OPTIONS = [
  ...(['lab', 'kernel', 'engine', 'box', 'repeat', 'fixed', 'seed', 'rate', 'out', 'resume', 'force'] as const),
  ...(['fleet', 'agents', 'together', 'wait', 'json', 'quiet'] as const),
] as const;

/** What {@link OPTIONS} give. */
export interface RunOptions {
  readonly lab?: LabKind;
  readonly kernel?: string[];
  readonly engine?: Engine;
  readonly box?: string;
  readonly repeat?: number;
  readonly fixed?: boolean;
  readonly seed?: number;
  readonly rate?: number;
  readonly out: string;
  readonly resume?: string;
  readonly force?: boolean;
  readonly fleet?: string;
  readonly agents?: number;
  readonly together?: boolean;
  /** Milliseconds. */
  readonly wait?: number;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** How results are shown. */
export type Shown = Pick<RunOptions, 'json' | 'quiet'>;

/** The machines of a fleet instead of this one. */
export type FleetOptions = Pick<RunOptions, 'agents' | 'wait'> & { readonly fleet: string };

/** Whether a fleet is to do it. */
export function onFleet<T extends RunOptions>(options: T): options is T & FleetOptions {
  return options.fleet !== undefined;
}

/** Give a command some of the shared options, in this order. @returns the command */
export function withOptions(command: Command, names: readonly (keyof typeof OPTIONS)[]): Command {
  for (const name of names) command.addOption(OPTIONS[name]());
  return command;
}

/** What the command line may say instead of the profile, as `readProfile` takes it. */
export function overrides({ lab, kernel, engine, box, repeat, seed, rate }: Partial<RunOptions>) {
  return { lab, kernels: kernel, engine, box, repeat, seed, rate };
}

/** How results are shown; whatever else is given makes another experiment. */
const ON_RESUME = ['out', 'resume', 'force', 'json', 'quiet', 'live', 'fleet', 'agents', 'wait'];

/** @param also names of what this command can change @throws UserError for what a command that resumes cannot change */
export function refuseChanges(command: Command, also: readonly string[] = []): void {
  if (command.args.length > 0)
    throw new UserError('--resume uses the profile that is in the folder; leave the profile out');
  for (const option of command.options) {
    const name = option.attributeName();
    if (![...ON_RESUME, ...also].includes(name) && command.getOptionValueSource(name) === 'cli')
      throw new UserError(
        `${option.long} cannot be changed on --resume; leave it out, or start again without --resume`,
      );
  }
}

/** The command that repeats this one: what was typed, without where and how the results are shown. */
export function commandLine(argv: readonly string[] = process.argv.slice(2)): string {
  const shown = argv.filter((word, i) => {
    const before = argv[i - 1];
    return !(
      /^--(?:json|quiet|live|out|force)(?:=|$)/.test(word) ||
      before === '--out' ||
      (before === '--live' && /^\d+$/.test(word))
    );
  });
  return ['bindstorm', ...shown.map((word) => (/^[\w./,:@%=+-]+$/.test(word) ? word : JSON.stringify(word)))].join(' ');
}

function boxName(text: string): string {
  const problem = boxNameProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  return text;
}

/** Debian suites, `running`, or paths, separated by commas. */
export function kernelNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  const problem = names.map(kernelNameProblem).find((found) => found !== undefined);
  if (problem !== undefined) throw new InvalidArgumentError(`${problem}.`);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) throw new InvalidArgumentError(`${twice} is named twice; name each kernel once.`);
  if (names.length > MAX_KERNELS)
    throw new InvalidArgumentError(`${names.length} kernels are too many; at most ${MAX_KERNELS} are compared.`);
  return names;
}
