/**
 * What `plan` says: the runs, and of each arm its capacity, when the load comes to each wall, and how all that is known. Pure.
 */
import { counted, formatSustained, soonest } from '../analysis/format.js';
import { atOnceText, requiredText, sustainedText } from '../analysis/sustained.js';
import { NOTICEABLE } from '../capacity/slow-wall.js';
import { formatLeft, formatRate } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { printableLines } from '../domain/printable.js';
import { planRuns } from '../experiment/order.js';
import type { ArmPreview, Preview } from '../experiment/preview.js';
import type { Experiment } from '../plan/plan.js';
import { neighbourInWords, scenarioInWords } from '../profile/changes.js';
import { mostAtOnce } from '../results/prediction.js';
import type { Prediction } from '../results/schema.js';
import { proxySubjectOf } from '../subjects/index.js';
import { neededText, unlimitedText } from './sizing.js';
import { wrap } from './wrap.js';

/** A preview as text for a terminal. @param width in columns */
export function renderPreview(plan: Preview, experiment: Experiment, width: number): string {
  const size = planRuns({ ...experiment, warmup: 0, repeat: 1 }).length;
  const lines = [
    experiment.search
      ? `${plan.experiment}: a search for the highest rate of ${counted(plan.arms.length, 'arm')}, about fifteen steps each (bindstorm search)`
      : `${plan.experiment}: ${plan.runs} runs${isShortened(experiment) ? ' at most' : ''} (${experiment.warmup} warm-up and ${experiment.repeat} measured blocks of ${size}), ${formatTimes(plan.expectedWithin)}`,
  ];
  if (plan.busy.why !== null)
    lines.push(...wrap(`This machine is busy, which makes that longer: ${plan.busy.why}.`, width));
  if (plan.description) lines.push(...wrap(plan.description, width));
  if (plan.kernels) {
    lines.push('', `Goal: ${plan.goal}, on each of ${counted(plan.kernels.length, 'kernel')}.`);
    for (const kernel of plan.kernels) lines.push(...renderKernel(kernel, plan, width));
  } else {
    lines.push('', `Goal: ${plan.goal}. Expected on Linux ${plan.kernel}, by arithmetic:`, '');
    for (const arm of plan.arms) lines.push(...renderArm(arm, plan.arms[0]!, width));
  }
  const [{ proxy, scenarios } = { scenarios: undefined }] = experiment.arms;
  if (scenarios)
    lines.push(
      '',
      'Beside the first load, by the same program:',
      ...scenarios.map((each) => `  ${scenarioInWords(each, proxy !== undefined)}`),
    );
  if (experiment.neighbours)
    lines.push(
      '',
      'Neighbours, beside every arm:',
      ...experiment.neighbours.map((each) => `  ${neighbourInWords(each)}`),
    );
  if (plan.notes.length > 0) {
    lines.push('', 'Notes:');
    for (const note of plan.notes)
      lines.push(...wrap(note, width - 4).map((line, i) => `${i === 0 ? '  - ' : '    '}${line}`));
  }
  return printableLines(`${lines.join('\n')}\n`);
}

/** Whether arms may be stopped before all runs are made. */
function isShortened({ looks, repeat }: Experiment): boolean {
  return looks !== undefined && looks[0]! < repeat;
}

/** `12 to 40 s`, `50 s to 2 min`. */
function formatTimes({ least, most }: Preview['expectedWithin']): string {
  const [from, to] = [formatLeft(least * 1000), formatLeft(most * 1000)];
  if (from === to) return `about ${to}`;
  const unit = ` ${to.split(' ')[1]}`;
  return `${from.endsWith(unit) ? from.slice(0, -unit.length) : from} to ${to}`;
}

/** What the arithmetic says of one kernel. What is as on the first one is named only. */
function renderKernel({ name, release }: { name: string; release: string }, plan: Preview, width: number): string[] {
  const textsOn = (kernel: string) => {
    const arms = plan.arms.filter((arm) => arm.kernel === kernel);
    return arms.map((arm) => ({ arm, lines: renderArm(arm, arms[0]!, width) }));
  };
  const first = plan.kernels![0]!.name;
  const before = name === first ? [] : textsOn(first);
  const texts = textsOn(name);
  const isTheSame = ({ arm, lines }: (typeof texts)[number]) =>
    before.some((other) => other.arm.name === arm.name && other.lines.join() === lines.join());
  const same = texts.filter(isTheSame).map(({ arm }) => arm.name);
  return [
    '',
    `${name}: expected on Linux ${release}, by arithmetic:`,
    '',
    ...texts.filter((text) => !isTheSame(text)).flatMap(({ lines }) => lines),
    ...(same.length > 0
      ? wrap(`the same as on ${first}: ${same.join(', ')}`, width - 2).map((line) => `  ${line}`)
      : []),
  ];
}

function renderArm(arm: ArmPreview, baseline: ArmPreview, width: number): string[] {
  const { prediction, attempts, missing = {} } = arm;
  const lacking = Object.entries(missing).map(([name, life]) => `${name} (${life})`);
  if (arm.absent) {
    const reason = `not run: not on this kernel: ${lacking.join(', ')}`;
    return [`  ${arm.name}`, ...wrap(reason, width - 6).map((line) => `      ${line}`)];
  }
  const number = (value: number) => grouped(Math.round(value));
  const tried = attempts === null ? arm.arrival : counted(attempts, 'attempt');
  const most = mostAtOnce(prediction);
  const at = prediction.unbounded
    ? 'without a limit'
    : prediction.concurrent === null
      ? 'no closed form'
      : `${number(prediction.concurrent)} at once`;
  const sustained =
    most === null
      ? ''
      : prediction.sustained === null
        ? `; ${unlimitedText(prediction)}`
        : `, ${formatSustained(prediction.sustained)} sustained`;
  const facts = [
    ...(lacking.length > 0 ? [`without ${lacking.join(', ')}, missing in this kernel`] : []),
    `${tried} from ${counted(arm.addresses, 'address')} to ${counted(arm.destinations, 'destination')}`,
    `capacity ${at}${sustained} (${prediction.formula})${prediction.unbounded ? '' : `, then ${failsText(arm)}`}`,
    // What the baseline's lines have said already is not said again.
    ...(arm === baseline || prediction.rule !== baseline.prediction.rule ? [prediction.rule] : []),
    ...capacityLines(arm, baseline),
    ...expectedOutcomes(arm),
    ...onMachine(arm),
  ];
  const title = `  ${arm.name}${arm.changes.length > 0 ? `: ${arm.changes.join('; ')}` : ''}`;
  return [title, ...facts.flatMap((fact) => wrap(fact, width - 6).map((line) => `      ${line}`))];
}

/** What happens when no port is left. A program with ports of its own makes no call that could fail. */
function failsText({ prediction, proxy }: Pick<ArmPreview, 'prediction' | 'proxy'>): string {
  if (proxy === null) return prediction.fails;
  const told = proxySubjectOf(proxy).whenFull;
  return told === undefined ? `${prediction.fails} in ${proxy}` : `${told} from ${proxy}`;
}

/** What it comes to with the ports of a machine, and whether the rate that somebody needs holds there. */
function onMachine({ real, prediction, needed }: ArmPreview): string[] {
  const atOnce = atOnceText(real);
  const isSame = real.kind === 'scaled' && real.concurrent === prediction.concurrent;
  const ports = real.kind === 'scaled' ? ` (${counted(real.ports, 'port')} an address)` : '';
  const what =
    real.kind === 'none'
      ? `not predicted: ${real.reason}`
      : [...(atOnce === null ? [] : [atOnce]), sustainedText(real)].join(', ');
  return [
    ...(isSame
      ? []
      : [`on a machine${ports}: ${what}${real.kind === 'scaled' && real.sustained !== null ? ' sustained' : ''}`]),
    ...(needed ? [`${formatRate(needed.rate)} there: ${requiredText(real, needed.rate)}; ${neededTexts(needed)}`] : []),
  ];
}

/** How many addresses it takes never to be full, and never to be slow where that is more. */
function neededTexts({ full, slow }: NonNullable<ArmPreview['needed']>): string {
  if (slow.kind !== 'addresses' || (full.kind === 'addresses' && full.addresses === slow.addresses))
    return `it takes ${neededText(full)}`;
  return `never to be full it takes ${neededText(full)}; never to be slow, ${neededText(slow, 'slow')}`;
}

/** Where the kernel's rules alone decide: how the attempts of each run will end. */
function expectedOutcomes({ attempts, deterministic, prediction, proxy }: ArmPreview): string[] {
  const most = mostAtOnce(prediction);
  if (!deterministic || attempts === null || most === null) return [];
  const ok = Math.min(attempts, most);
  const failing = attempts - ok;
  const how = proxy === null ? prediction.fails : `failures (${failsText({ prediction, proxy })})`;
  return [`expected per run: ${grouped(ok)} ok${failing > 0 ? `, ${grouped(failing)} ${how}` : ''}`];
}

/** Sentences, without what the baseline's have said already. */
function capacityLines(arm: ArmPreview, baseline: ArmPreview): string[] {
  const { known } = arm.prediction;
  const said = arm !== baseline && known?.why === baseline.prediction.known?.why;
  return [
    ...slowLines(arm, baseline),
    ...whenLines(arm),
    ...simulatedLines(arm),
    ...(known && !said ? [`evidence: ${known.why}`] : []),
  ];
}

function noticedWall({ prediction: { slowWall } }: ArmPreview): Prediction['slowWall'] {
  return slowWall && slowWall.walked >= NOTICEABLE ? slowWall : null;
}

function slowLines(arm: ArmPreview, baseline: ArmPreview): string[] {
  const wall = noticedWall(arm);
  if (!wall) return [];
  const rate = wall.rate === null ? '' : `, reached at ${formatSustained(wall.rate)}`;
  const said = arm !== baseline && wall.why === noticedWall(baseline)?.why;
  return [`slow from ${number(wall.tuples)} at once${rate}${said ? '' : `: ${wall.why}`}`];
}

function whenLines(arm: ArmPreview): string[] {
  const { walls, seconds } = arm;
  const after = (at: number) => {
    const past = seconds !== null && at > seconds ? ', past the end of the run' : '';
    return at === 0 ? 'at once' : `after ${soonest(at)}${past}`;
  };
  const parts = [
    ...(noticedWall(arm) && walls.slow !== null ? [`slow ${after(walls.slow)}`] : []),
    ...(walls.hard === null ? [] : [`full ${after(walls.hard)}`]),
  ];
  return parts.length === 0 ? [] : [`at this rate: ${parts.join('; ')}`];
}

function simulatedLines({ prediction: { simulated } }: ArmPreview): string[] {
  if (!simulated) return [];
  const { ok, beforeFirstFailure: first, runs, scaledTo, attempts } = simulated;
  const between = ok.low === ok.high ? number(ok.low) : `${number(ok.low)} to ${number(ok.high)}`;
  const failure = first === null ? '' : `; the first failure after ${number(first.low)} to ${number(first.high)}`;
  const scaled = scaledTo === null ? '' : ', scaled down';
  return [`simulated (${runs} runs${scaled}): ${between} of ${number(attempts)} ok${failure}`];
}

const number = (value: number) => grouped(Math.round(value));
