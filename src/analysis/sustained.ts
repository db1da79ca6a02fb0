/**
 * What each arm can sustain: «no attempt failed» is about so many attempts in so many seconds, and a reader has a rate that never ends. By the
 * model at the scale of a machine, and as measured. Pure.
 */
import { judgeRate } from '../capacity/at-scale.js';
import { formatRate } from '../domain/format.js';
import { failureCount } from '../domain/outcome.js';
import type { RealCapacity, Run, Variant } from '../results/schema.js';
import { counted, formatSustained, formatUnsustained, listed, soonest } from './format.js';
import { median } from './statistics.js';
import { comparedRuns, TIMES } from './usable.js';

/** `141,160 at once`; null where there is no closed form. */
export function atOnceText(real: RealCapacity | undefined): string | null {
  return real?.kind === 'scaled' && real.concurrent !== null ? `${real.concurrent.toLocaleString('en')} at once` : null;
}

/** `2,274/s`; `not limited by ports`, `not modelled`; the reason where the lab's values are none of a machine. */
export function sustainedText(real: RealCapacity): string {
  if (real.kind === 'none') return 'not at the scale of a machine';
  if (real.sustained !== null) return formatSustained(real.sustained);
  return real.limited === 'not by ports' ? 'not limited by ports' : 'not modelled';
}

/** So many times as much to spare is no margin to be given in percent. */
const MANY_TIMES = 2;

/** `holds, with 10 % to spare`, `holds 75 times over`; `holds, but beyond the slow wall`; `fails after 19 s`; `not modelled`. */
export function requiredText(real: RealCapacity, rate: number): string {
  if (real.kind === 'none') return sustainedText(real);
  const judged = judgeRate(real, rate);
  switch (judged.kind) {
    case 'not modelled':
      return judged.kind;
    case 'fails':
      return `fails after ${soonest(judged.afterSeconds)}`;
    case 'holds': {
      if (judged.slow) return 'holds, but beyond the slow wall';
      if (judged.spare === null) return 'holds: ports do not limit it';
      if (judged.spare >= MANY_TIMES)
        return `holds ${Math.floor(judged.spare + 1 + 1e-6).toLocaleString('en')} times over`;
      const percent = Math.floor(judged.spare * 100 + 1e-6);
      return `holds, with ${percent === 0 ? 'nothing' : `${percent} %`} to spare`;
    }
  }
}

/**
 * What lasts, as a sentence or two for the top of a report.
 * @param scale what the lab's ports stood for; null: they are as many as a machine has
 * @param required the rate that somebody needs; undefined: nobody said
 */
export function sustainedSentence(variants: readonly Variant[], required: number | undefined): string {
  const known = variants.filter(({ real, absent }) => real !== undefined && !absent);
  if (known.length === 0) return '';
  // Where no arm follows to a machine there is nothing to say of one.
  if (known.every(({ real }) => real?.kind === 'none') && required === undefined) return '';
  const groups = (text: (variant: Variant & { real: RealCapacity }) => string) => {
    const found = new Map<string, string[]>();
    for (const variant of known) {
      const words = text({ ...variant, real: variant.real! });
      found.set(words, [...(found.get(words) ?? []), variant.name]);
    }
    return [...found].map(([words, names]) => `${words} (${listed(names)})`).join('; ');
  };
  const lasting = `Sustained and at once, by the model, with the ports of a machine: ${groups(({ real }) => [sustainedText(real), atOnceText(real) ?? []].flat().join(' and '))}.`;
  return required === undefined
    ? lasting
    : `${formatRate(required)} on a machine: ${groups(({ real }) => requiredText(real, required))}. ${lasting}`;
}

/** A rate that was measured in the lab, not its attempts in a second but what lasts. */
export interface MeasuredRate {
  readonly text: string;
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
    const { low, high, held, limit } = searched;
    // Where the generator was the limit, nothing is known of more.
    const end = high === null || limit === 'generator' ? ' and more' : ` to ${formatUnsustained(high)}`;
    return {
      low,
      high,
      text: `${formatSustained(low)}${end} (searched, held ${held === 1 ? 'once' : `${held} times`})`,
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
    return { low: arrival.rate, high: null, text: `${formatSustained(arrival.rate)} and more (${what})` };
  const lasting = usable.flatMap((run) => rateAfter(run, again, seconds) ?? []);
  const rate = median(lasting);
  if (rate === null) return null;
  return {
    low: rate,
    high: arrival.rate,
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
