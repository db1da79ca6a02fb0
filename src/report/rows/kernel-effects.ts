/** What the charts about several kernels show: the goal of each variant on each kernel against the baseline there. Pure. */
import type { KernelResult, Results } from '../../results/schema.js';
import type { EffectRow } from '../charts/effect.js';
import type { KernelGrid } from '../charts/kernels.js';
import { formatDifference, formatInterval, NONE, type Unit } from '../format.js';
import { type Effect, effectFrame, effectRows, effectsOf, printable } from './effects.js';
import { columnTitle, resultsOn } from './kernels.js';

interface KernelEffect {
  readonly kernel: KernelResult;
  /** Of the variants that were compared there; maybe none. */
  readonly effect: Effect;
}

/** One for each kernel; empty where no kernel has a difference to show. */
export function kernelEffects(results: Results): KernelEffect[] {
  const { goal } = results.experiment;
  const effects = (results.kernels ?? []).map((kernel) => ({
    kernel,
    effect: effectsOf(resultsOn(results, kernel)).find(({ metric }) => metric === goal) ?? {
      metric: goal,
      comparisons: [],
    },
  }));
  const shown = effects.some(({ effect }) =>
    effect.comparisons.some(({ comparison }) => comparison.difference !== null),
  );
  return shown ? effects : [];
}

/** The rows of one forest plot: each kernel's name, and its variants below. */
export function kernelEffectRows(effects: readonly KernelEffect[]): EffectRow[] {
  return effects.flatMap(({ kernel, effect }) => [
    {
      name: printable(kernel.name),
      heading: true,
      difference: null,
      ci: null,
      verdict: 'not enough evidence' as const,
    },
    ...effectRows(effect),
  ]);
}

/** Their unit, and the smallest margin within which a difference counts as none. */
export function kernelFrame(effects: readonly KernelEffect[]): { unit: Unit; margin: number } {
  const frames = effects.filter(({ effect }) => effect.comparisons.length > 0).map(({ effect }) => effectFrame(effect));
  return { unit: frames[0]!.unit, margin: Math.min(...frames.map(({ margin }) => margin)) };
}

/** Variants against kernels, in the order of the experiment. */
export function kernelGrid(effects: readonly KernelEffect[], results: Results): KernelGrid {
  return {
    kernels: effects.map(({ kernel }) => printable(kernel.name)),
    rows: variantNames(effects, results).map((name) => ({
      name: printable(name),
      cells: effects.map(({ effect }) => {
        const found = effect.comparisons.find((each) => each.name === name)?.comparison;
        return found
          ? {
              verdict: found.verdict,
              text:
                found.difference === null ? '' : formatDifference(found.unit, found.difference).replace(/ points$/, ''),
            }
          : { verdict: null, text: '' };
      }),
    })),
  };
}

/** The same as a table: a row a variant, a column a kernel. */
export function kernelTable(effects: readonly KernelEffect[], results: Results): { head: string[]; rows: string[][] } {
  return {
    head: ['variant', ...effects.map(({ kernel }) => columnTitle(kernel))],
    rows: variantNames(effects, results).map((name) => [
      name,
      ...effects.map(({ effect }) => {
        const found = effect.comparisons.find((each) => each.name === name)?.comparison;
        if (!found) return 'not on this kernel';
        const interval = formatInterval(found.unit, found.ci);
        if (found.difference === null) return NONE;
        return `${formatDifference(found.unit, found.difference)} (${interval ?? (found.kind === 'exact' ? 'exact' : 'no interval')}), ${found.verdict}`;
      }),
    ]),
  };
}

/** Of those that were compared on a kernel, in the order of the profile. */
function variantNames(effects: readonly KernelEffect[], { variants }: Results): string[] {
  const compared = new Set(effects.flatMap(({ effect }) => effect.comparisons.map(({ name }) => name)));
  return [...new Set(variants.map(({ name }) => name))].filter((name) => compared.has(name));
}
