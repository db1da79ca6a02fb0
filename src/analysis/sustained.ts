/**
 * What each arm can sustain: «no attempt failed» is about so many attempts in so many seconds, and a reader has a rate that never ends. By the
 * model at the scale of a machine, and as measured. Pure.
 */
import { judgeRate } from '../capacity/at-scale.js';
import { formatDuration, formatRate } from '../domain/format.js';
import { grouped } from '../domain/grouped.js';
import { failureCount } from '../domain/outcome.js';
import type { RealCapacity, Run, Variant } from '../results/schema.js';
import { counted, formatSustained, formatUnsustained, listed, soonest } from './format.js';
import { median } from './statistics.js';
import { comparedRuns, TIMES } from './usable.js';

/** `141,160 at once`; null where there is no closed form. */
export function atOnceText(real: RealCapacity | undefined): string | null {
  return real?.kind === 'scaled' && real.concurrent !== null ? `${grouped(real.concurrent)} at once` : null;
}

/** `2,274/s`; `not limited by ports`, `not modelled`; the reason where the lab's values are none of a machine. */
export function sustainedText(real: RealCapacity): string {
  if (real.kind === 'none') return 'not at the scale of a machine';
  if (real.sustained !== null) return formatSustained(real.sustained);
  return real.limited === 'not by ports' ? 'not limited by ports' : 'not modelled';
}

/** So many times as much to spare is no margin to be given in percent. */
const MANY_TIMES = 2;

/** `holds, with 10 % to spare until slow, 120 % until full`, without a slow wall `holds, with 10 % to spare`, `holds 75 times over`; `holds, but beyond the slow wall of 262/s`; `fails after 19 s`; `not modelled`. */
export function requiredText(real: RealCapacity, rate: number): string {
  if (real.kind === 'none') return sustainedText(real);
  const judged = judgeRate(real, rate);
  switch (judged.kind) {
    case 'not modelled':
      return judged.kind;
    case 'fails':
      return `fails after ${soonest(judged.afterSeconds)}`;
    case 'holds': {
      if (judged.slow !== null) return `holds, but beyond the slow wall of ${formatSustained(judged.slow)}`;
      if (judged.spare === null) return 'holds: ports do not limit it';
      return judged.fastSpare === null ? spareText(judged.spare) : twoSparesText(judged.fastSpare, judged.spare);
    }
  }
}

/** What is to spare as few words, for a column; null: the rate does not hold while it is fast, or has no slow wall. */
export function sparesShort(real: RealCapacity, rate: number): string | null {
  const judged = real.kind === 'none' ? null : judgeRate(real, rate);
  if (judged?.kind !== 'holds' || judged.spare === null || judged.fastSpare === null) return null;
  if (judged.fastSpare >= MANY_TIMES) return `${times(judged.fastSpare)}× to slow`;
  return `${percent(judged.fastSpare)} to slow, ${percent(judged.spare)} to full`;
}

function spareText(spare: number): string {
  return spare >= MANY_TIMES ? `holds ${times(spare)} times over` : `holds, with ${percent(spare)} to spare`;
}

/** To the wall from which on it is slow, which comes first, and to the one at which it fails. */
function twoSparesText(slow: number, full: number): string {
  if (slow >= MANY_TIMES) return `holds ${times(full)} times over, ${times(slow)} times until slow`;
  const most = full >= MANY_TIMES ? `${times(full)} times over` : percent(full);
  return `holds, with ${percent(slow)} to spare until slow, ${most} until full`;
}

function times(spare: number): string {
  return grouped(Math.floor(spare + 1 + 1e-6));
}

function percent(spare: number): string {
  const whole = Math.floor(spare * 100 + 1e-6);
  return whole === 0 ? 'nothing' : `${whole} %`;
}

/**
 * What a rate costs that holds only beyond the slow wall, and what makes it fast, as a sentence without a full stop; null: it is fast, fails, or
 * nobody knows.
 * @param required connections per second that somebody needs; undefined: nobody said
 */
export function slowText(
  { real, addresses }: Pick<Variant, 'real' | 'addresses'>,
  required: number | undefined,
): string | null {
  if (required === undefined || real?.kind !== 'scaled') return null;
  const judged = judgeRate(real, required);
  if (judged.kind !== 'holds' || judged.slow === null) return null;
  // Ports of one address are no use to another, so the wall moves with their number.
  const enough = Math.ceil((addresses.count * required) / judged.slow - 1e-9);
  return `at ${formatRate(required)} nothing fails, but it is slow: so many ports of an address are in use that each call first searches used ones in vain, and a program may not reach that rate; fast up to ${formatSustained(judged.slow)}, or at ${formatRate(required)} with ${grouped(enough)} addresses instead of ${grouped(addresses.count)}`;
}

/**
 * That a change is not the one to ask for first, as a sentence without a full stop: the rate is slow with it; and with which it is fast. Null: it is fast, fails, or
 * nobody knows.
 * @param change undefined: there is none
 * @param others changes that were judged better too
 * @param required connections per second that somebody needs; undefined: nobody said
 * @example '300/s is slow with wider-range, and fast with three-addresses'
 */
export function notFirstText(
  change: Variant | undefined,
  others: readonly Variant[],
  required: number | undefined,
): string | null {
  if (change === undefined || required === undefined || slowText(change, required) === null) return null;
  const fast = others.filter(({ real }) => {
    const judged = real?.kind === 'scaled' ? judgeRate(real, required) : null;
    return judged?.kind === 'holds' && judged.slow === null;
  });
  const names = listed(fast.map(({ name }) => name));
  const better = fast.length === 0 ? '' : `, and fast with ${fast.length === 1 ? '' : 'each of '}${names}`;
  return `${formatRate(required)} is slow with ${change.name}${better}`;
}

/**
 * What lasts, as a sentence for the top of a report.
 * @param required the rate that somebody needs; undefined: nobody said, and where no arm follows to a machine there is nothing to say of one
 */
export function sustainedSentence(variants: readonly Variant[], required: number | undefined): string {
  const known = onMachines(variants);
  if (known.length === 0 || (required === undefined && known.every(({ real }) => real.kind === 'none'))) return '';
  const lasts = ({ real }: OnMachine) => [sustainedText(real), atOnceText(real) ?? []].flat().join(' and ');
  return `Sustained and at once, by the model, with the ports of a machine${heldOpenText(known, ' and ')}${timerText(known)}: ${byText(known, lasts)}.`;
}

/** Whether the rate that somebody needs lasts, as a sentence; empty where nobody said. */
export function requiredSentence(variants: readonly Variant[], required: number | undefined): string {
  const known = onMachines(variants);
  if (known.length === 0 || required === undefined) return '';
  const judged = byText(known, ({ real }) => requiredText(real, required));
  return `${formatRate(required)} on a machine${heldOpenText(known, ' ')}, by the model: ${judged}.`;
}

type OnMachine = Variant & { readonly real: RealCapacity };

function onMachines(variants: readonly Variant[]): OnMachine[] {
  return variants.flatMap((variant) =>
    variant.real === undefined || variant.absent ? [] : [{ ...variant, real: variant.real }],
  );
}

/** What is said of each, once for those of whom it is the same: `fails after 31 min (baseline and tw-reuse); holds (no-port)`. */
function byText(known: readonly OnMachine[], text: (variant: OnMachine) => string): string {
  const found = new Map<string, string[]>();
  for (const variant of known) {
    const words = text(variant);
    found.set(words, [...(found.get(words) ?? []), variant.name]);
  }
  return [...found].map(([words, names]) => `${words} (${listed(names)})`).join('; ');
}

/** Which timer is taken for the machine, where the guest's is its engine's own; empty where it is the lab's. */
export function timerText(variants: readonly Pick<Variant, 'real'>[]): string {
  const hz = variants.flatMap(({ real }) => (real?.kind === 'scaled' ? (real.hz ?? []) : []))[0];
  return hz === undefined ? '' : `, its timer taken as HZ=${hz} (Debian’s; the guest has another)`;
}

/**
 * How long the profile says that each connection stays open, on which all that the model says of a rate rests: ` and connections open for 40 min,
 * as assumed`. Empty where connections are closed at once, or stay to the end of a run.
 * @param before what joins it to the words before it
 */
export function heldOpenText(variants: readonly Pick<Variant, 'load'>[], before: string): string {
  const holds = [
    ...new Set(variants.flatMap(({ load: { holdMs } }) => (holdMs === null || holdMs === 0 ? [] : holdMs))),
  ];
  if (holds.length === 0) return '';
  const same = holds.length === 1 && variants.every(({ load }) => load.holdMs === holds[0]);
  const times = holds.sort((a, b) => a - b).map(openFor);
  const long = same ? times[0] : `${times.join(' or ')} (by the variant)`;
  return `${before}${before.trim() === '' ? 'with ' : ''}connections open for ${long}, as assumed`;
}

/** `400 ms`, `90 s`, `40 min`: the largest unit in which it is whole. */
function openFor(ms: number): string {
  const [, count, unit] = /^([\d.]+)(\w+)$/.exec(formatDuration(ms))!;
  return `${count} ${unit === 'm' ? 'min' : unit}`;
}

/** A rate that was measured in the lab, not its attempts in a second but what lasts. */
export interface MeasuredRate {
  readonly text: string;
  /** `measured`; of a search that filled the ports before each step, what was put in. */
  readonly how: string;
  readonly low: number;
  /** null: not seen to fail. */
  readonly high: number | null;
}

/** A run that lasts so many times as long as a tuple is in use shows what is sustained. */
const LONG_ENOUGH = 1.2;

/**
 * What a search has found; else what runs that were long enough say: at a constant rate that lasted longer than a tuple is in use, either nothing failed, or what was ok from then
 * on is what comes back.
 * @returns null where runs are shorter, or their rate was not constant
 */
export function measuredRate({
  load,
  prediction,
  runs,
  searched,
}: Pick<Variant, 'load' | 'prediction' | 'runs' | 'searched'>): MeasuredRate | null {
  if (searched && searched.low > 0) {
    const { low, high, held, limit, filled } = searched;
    const before =
      filled === undefined ? '' : `, ports filled beforehand as ${filled === 'model' ? 'the model says' : 'assumed'}`;
    // Where the generator was the limit, nothing is known of more.
    const end = high === null || limit === 'generator' ? ' and more' : ` to ${formatUnsustained(high)}`;
    return {
      low,
      high,
      how: before === '' ? 'measured' : `found${before}`,
      text: `${formatSustained(low)}${end} (searched, held ${held === 1 ? 'once' : `${held} times`}${before})`,
    };
  }
  const { arrival } = load;
  const { again } = prediction;
  if (arrival.shape !== 'constant' || again === null || again === undefined || load.holdMs === null) return null;
  const seconds = arrival.durationMs / 1000;
  const usable = comparedRuns({ runs }, TIMES);
  if (usable.length === 0 || seconds < Math.max(again * LONG_ENOUGH, 1)) return null;
  const what = `${counted(usable.length, 'run')} of ${soonest(seconds)}`;
  if (usable.every(({ outcomes }) => failureCount(outcomes) === 0))
    return {
      low: arrival.rate,
      high: null,
      how: 'measured',
      text: `${formatSustained(arrival.rate)} and more (${what})`,
    };
  const lasting = usable.flatMap((run) => rateAfter(run, again, seconds) ?? []);
  const rate = median(lasting);
  if (rate === null) return null;
  return {
    low: rate,
    high: arrival.rate,
    how: 'measured',
    text: `${formatSustained(rate)}, and ${formatUnsustained(arrival.rate)} fails (${what})`,
  };
}

/** What was ok in a second, once as much comes back as is taken. */
function rateAfter({ timeline }: Run, from: number, to: number): number | null {
  const after = timeline.filter(({ t }) => t > from && t <= to + 0.05);
  const start = timeline.findLast(({ t }) => t <= from)?.t ?? 0;
  const end = after.at(-1)?.t;
  if (end === undefined || end <= start) return null;
  return after.reduce((sum, { outcomes }) => sum + (outcomes.ok ?? 0), 0) / (end - start);
}
