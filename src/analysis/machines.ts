/**
 * What the machines of a fleet say beside each other: a block, and so a pair, is of one machine, so that a machine that is faster is so in
 * both runs of a pair. Pure.
 */
import { parseMetric } from '../domain/metric.js';
import { armId } from '../plan/kernels.js';
import type { Results, Run, Variant } from '../results/schema.js';
import { listed } from './format.js';
import { median } from './statistics.js';
import { COUNTS, isUsable } from './usable.js';

/** What one machine says of one variant. */
interface MachineEffect {
  readonly machine: string;
  readonly pairs: number;
  /** Medians of the goal over its runs, and over its pairs of variant − baseline; null: it has none. */
  readonly baseline: number | null;
  readonly difference: number | null;
}

/** One variant on all machines. */
export interface AcrossMachines {
  /** As `armId`. */
  readonly variant: string;
  readonly machines: readonly MachineEffect[];
  /** The lowest and the highest of the differences; null where fewer than two machines have pairs. */
  readonly spread: readonly [number, number] | null;
}

/** The goal of each variant, machine by machine; empty where one machine made all. */
export function acrossMachines({ experiment, variants }: Pick<Results, 'experiment' | 'variants'>): AcrossMachines[] {
  const machines = [...new Set(variants.flatMap(({ runs }) => runs.flatMap(({ machine }) => machine ?? [])))].sort();
  if (machines.length === 0) return [];
  const metric = parseMetric(experiment.goal);
  return variants
    .filter(({ baseline, absent }) => !baseline && !absent)
    .map((variant): AcrossMachines => {
      const { baseline } = { baseline: variants.find((arm) => arm.baseline && arm.kernel === variant.kernel) };
      const effects = machines.map((machine): MachineEffect => {
        const before = valuesOf(baseline, machine, metric.value);
        const after = valuesOf(variant, machine, metric.value);
        const pairs = [...after].flatMap(([block, value]) => {
          const other = before.get(block);
          return other === undefined ? [] : [value - other];
        });
        return { machine, pairs: pairs.length, baseline: median([...before.values()]), difference: median(pairs) };
      });
      const found = effects.flatMap(({ difference }) => difference ?? []);
      return {
        variant: armId(variant),
        machines: effects,
        spread: found.length < 2 ? null : [Math.min(...found), Math.max(...found)],
      };
    });
}

function valuesOf(
  variant: Variant | undefined,
  machine: string,
  value: (run: Run) => number | null,
): ReadonlyMap<number, number> {
  const runs = (variant?.runs ?? []).filter((run) => run.machine === machine && isCounted(run, variant!));
  return new Map(
    runs.flatMap((run) => {
      const found = value(run);
      return found === null ? [] : [[run.block, found] as const];
    }),
  );
}

function isCounted(run: Run, { deterministic = false }: Variant): boolean {
  return !run.warmup && isUsable(run, COUNTS, deterministic);
}

/**
 * Arms whose counts the kernel's rules alone decide, and that differ from machine to machine all the same: then the machines differ in
 * something that nobody knew of. A sentence each, without a full stop.
 */
export function machineDisagreements({ variants }: Pick<Results, 'variants'>): string[] {
  return variants.flatMap((variant) => {
    if (!variant.deterministic) return [];
    const found = new Map<string, Set<string>>();
    for (const run of variant.runs)
      if (run.machine !== undefined && isCounted(run, variant)) {
        const counts = countsOf(run);
        found.set(counts, (found.get(counts) ?? new Set()).add(run.machine));
      }
    const machines = new Set([...found.values()].flatMap((names) => [...names]));
    if (found.size < 2 || machines.size < 2) return [];
    const said = [...found].map(([counts, names]) => `${counts} on ${listed([...names].sort())}`);
    return [
      `the machines disagree on ${armId(variant)}, whose counts the kernel's rules alone decide: ${said.join('; ')}. That is a finding: they differ in something that was not known`,
    ];
  });
}

function countsOf({ outcomes }: Run): string {
  return Object.entries(outcomes)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
