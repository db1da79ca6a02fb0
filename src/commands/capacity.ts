/**
 * `bindstorm capacity`: what a set-up can hold and bear, and what a rate needs, by arithmetic; no profile, no lab, no load.
 */
import { release } from 'node:os';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { counted } from '../analysis/format.js';
import { type KernelVersion, parseKernelVersion } from '../capacity/kernel-version.js';
import { type CapacityAnswer, type CapacityQuestion, capacityOf } from '../capacity/question.js';
import type { Needed } from '../capacity/sizing.js';
import type { FirstFull } from '../capacity/spread.js';
import { STRATEGY_NAMES, type StrategyName, strategyOf } from '../domain/strategy.js';
import { type PortRange, parseDuration, parsePortRange } from '../domain/units.js';
import { timerFrequency } from '../kernel/timer-frequency.js';
import type { Prediction } from '../results/schema.js';
import { UserError } from './exit.js';
import { integer, rateOption } from './parsers.js';
import { wrap } from './wrap.js';

interface CapacityOptions {
  readonly strategy: StrategyName;
  readonly kernel: KernelVersion;
  readonly hz?: number;
  readonly addresses: number;
  readonly destinations: number;
  readonly hosts: number;
  readonly range?: PortRange;
  readonly reserved: number;
  readonly heldByOthers: number;
  readonly rate?: number;
  readonly hold: number;
  readonly close: 'client' | 'server' | 'reset';
  readonly pick: 'round-robin' | 'random';
  readonly loss: number;
  readonly sysctl: Readonly<Record<string, string>>;
  readonly json: boolean;
}

export function registerCapacity(program: Command): void {
  program
    .command('capacity')
    .description(
      'how many connections a set-up can have, at which rate it becomes slow and at which it fails, and how many addresses a rate needs; by arithmetic, without a profile',
    )
    .addOption(
      new Option('--strategy <name>', 'how the program gets its local port').choices(STRATEGY_NAMES).default('bind'),
    )
    .option(
      '--kernel <release>',
      "a release, as 6.1 or 2.6.32-642.el6; this machine's where none is given",
      kernelRelease,
      parseKernelVersion(release(), timerFrequency()),
    )
    .option(
      '--hz <n>',
      'timer interrupts per second of that kernel (CONFIG_HZ), as 250 or 1000, which decide how late TIME_WAIT ends; where they are not known, the latest',
      integer('--hz', 24, 1200),
    )
    .option('--addresses <n>', 'local addresses of each host', integer('--addresses', 1, 16_777_216), 1)
    .option(
      '--destinations <n>',
      'pairs of address and port that are connected to',
      integer('--destinations', 1, 1e9),
      1,
    )
    .option('--hosts <n>', 'machines, or network namespaces, that share the load evenly', integer('--hosts', 1, 1e6), 1)
    .option(
      '--range <ports>',
      'ip_local_port_range, as 1024-65535; the default of the kernel where none is given',
      option(parsePortRange),
    )
    .option('--reserved <n>', 'ports of the range in ip_local_reserved_ports', integer('--reserved', 0, 65_535), 0)
    .option(
      '--held-by-others <n>',
      'ports that other programs hold by bind()',
      integer('--held-by-others', 0, 65_535),
      0,
    )
    .option(
      '--rate <rate>',
      'connections per second of all hosts together, as 50000/s: when is it slow, when full, and how many addresses does it need?',
      rateOption,
    )
    .addOption(
      new Option('--hold <duration>', 'how long a connection is open')
        .argParser(option(parseDuration))
        .default(0, '0s'),
    )
    .addOption(new Option('--close <who>', 'who closes first').choices(['client', 'server', 'reset']).default('client'))
    .addOption(
      new Option('--pick <how>', 'how connections are spread over addresses')
        .choices(['round-robin', 'random'])
        .default('round-robin'),
    )
    .addOption(
      new Option('--loss <share>', 'with --pick random: the share of connections that may be refused')
        .argParser(share)
        .default(1e-4, '0.01%'),
    )
    .option('--sysctl <name=value>', 'as tcp_tw_reuse=1; may be repeated', collectSysctl, {})
    .option('--json', 'as JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  bindstorm capacity --strategy bind-no-port --kernel 6.1 --destinations 20 --rate 50000/s
  bindstorm capacity --strategy bind --addresses 50 --kernel 3.2 --rate 1000/s --sysctl tcp_tw_recycle=1
  bindstorm capacity --strategy connect --held-by-others 20000

Strategies:
${STRATEGY_NAMES.map((name) => `  ${name.padEnd(30)}${strategyOf(name).usedBy}`).join('\n')}`,
    )
    .action((options: CapacityOptions) => {
      const question = questionOf(options);
      const answer = capacityOf(question);
      process.stdout.write(options.json ? `${JSON.stringify(answer)}\n` : render(question, answer));
    });
}

function questionOf({ hold, range, rate, sysctl, kernel, hz, ...rest }: CapacityOptions): CapacityQuestion {
  return {
    ...rest,
    kernel: hz === undefined ? kernel : { ...kernel, hz },
    holdMs: hold,
    range: range ?? null,
    rate: rate ?? null,
    sysctls: sysctl,
  };
}

/** A parser of units as commander wants it. */
function option<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UserError) throw new InvalidArgumentError(`${error.message}.`);
      throw error;
    }
  };
}

const kernelRelease = option(parseKernelVersion);

function share(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text);
  if (!/^\d/.test(text) || !(value > 0 && value < 0.5))
    throw new InvalidArgumentError('--loss takes a share above 0 and below 50 %, as 0.01% or 0.0001.');
  return value;
}

function collectSysctl(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const match = /^(?:net\.ipv4\.)?([a-z_]+)=(\d+)$/.exec(text.trim());
  if (!match || !KNOWN_SYSCTLS.includes(match[1]!)) {
    throw new InvalidArgumentError(
      `Allowed are ${KNOWN_SYSCTLS.join(', ')}, each as name=number; the range has --range.`,
    );
  }
  return { ...before, [`net.ipv4.${match[1]}`]: match[2]! };
}

/** Those that decide, apart from the range and the reserved ports. */
const KNOWN_SYSCTLS = [
  'tcp_tw_reuse',
  'tcp_tw_reuse_delay',
  'tcp_tw_recycle',
  'tcp_timestamps',
  'tcp_max_tw_buckets',
  'ip_autobind_reuse',
];

function render(question: CapacityQuestion, answer: CapacityAnswer): string {
  const width = Math.min(process.stdout.columns ?? 100, 120);
  const paragraph = (title: string, text: string) =>
    wrap(text, width - 12).map((line, i) => `${i === 0 ? `${title}:`.padEnd(12) : ' '.repeat(12)}${line}`);
  const { prediction, ports } = answer;
  const hosts = question.hosts > 1 ? `${counted(question.hosts, 'host')} with ` : '';
  const each = question.hosts > 1 ? ' each' : '';
  const lines = [
    `${question.strategy} on Linux ${question.kernel.release}: ${hosts}${number(ports)} ports, ${counted(question.addresses, 'address')}${each}, ${counted(question.destinations, 'destination')}`,
    `  full   ${wall(answer.full.tuples, answer.full.rate)}${answer.full.tuples === null ? '' : `, then ${prediction.fails}`}`,
    `  slow   ${answer.slow === null ? 'no such wall' : wall(answer.slow.tuples, answer.slow.rate)}`,
    '',
    ...paragraph('Arithmetic', `${prediction.formula}.`),
    ...paragraph('Rule', prediction.rule),
    ...(prediction.slowWall ? paragraph('Slow', `${prediction.slowWall.why}.`) : []),
    ...(prediction.simulated ? paragraph('Simulated', simulatedText(prediction.simulated)) : []),
    ...(answer.firstFull ? paragraph('Random', firstFullText(answer.firstFull)) : []),
    ...paragraph('Source', `${prediction.source}.`),
    ...paragraph('Known', `${prediction.known?.why ?? 'not known'}.`),
  ];
  if (answer.atRate !== null && question.rate !== null) {
    const { slow, full, needed } = answer.atRate;
    lines.push(
      '',
      `At ${number(question.rate)}/s:`,
      `  slow   ${prediction.slowWall ? when(slow) : 'no such wall'}`,
      `  full   ${answer.full.tuples === null ? 'no closed form' : when(full)}`,
      ...needLines(`addresses${each} so that it is never full`, needed.full, width),
      // Where there is no such wall, or the ceiling has no closed form, there is nothing more to say.
      ...(needed.slow.kind === 'unknown' || !prediction.slowWall
        ? []
        : needLines(`addresses${each} so that it is never slow`, needed.slow, width)),
    );
  }
  return `${lines.join('\n')}\n`;
}

const number = (value: number) =>
  value < 10 ? String(Math.floor(value * 100 + 1e-6) / 100) : Math.floor(value + 1e-6).toLocaleString('en');

function wall(tuples: number | null, rate: number | null): string {
  if (tuples === null) return 'no closed form';
  const at = `${number(tuples)} at once`;
  return `${at}${rate === null ? '; no rate leads there for good' : `, ${number(rate)}/s for ever`}`;
}

function when(seconds: number | null): string {
  if (seconds === null) return 'never';
  return seconds < 90 ? `after ${number(seconds)} s` : `after ${number(seconds / 60)} min`;
}

function need(needed: Needed): string {
  switch (needed.kind) {
    case 'addresses':
      return `${number(needed.addresses)} (each bears ${number(needed.perAddress)}/s)`;
    case 'useless':
      return `no number is enough: ${needed.why}`;
    case 'unlimited':
      return `one is enough: ${needed.why}`;
    case 'unknown':
      return `there is no closed form: ${needed.why}`;
  }
}

function needLines(title: string, needed: Needed, width: number): string[] {
  return wrap(`${title}: ${need(needed)}`, width - 2).map((line) => `  ${line}`);
}

function simulatedText({ attempts, ok, scaledTo }: NonNullable<Prediction['simulated']>): string {
  const scaled = scaledTo === null ? '' : `, with ${scaledTo} ports for all of them`;
  return `${number(ok.low)} to ${number(ok.high)} at once, after ${number(attempts)} attempts${scaled}.`;
}

function firstFullText({ low, median, high }: FirstFull): string {
  return `connections that are held and spread at random meet their first refusal when about ${number(median)} are open (${number(low)} to ${number(high)}).`;
}
