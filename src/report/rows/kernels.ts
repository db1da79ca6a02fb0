/**
 * Results of several kernels: side by side, and cut into one part for each kernel, which the sections of a report show as they
 * show an experiment on one. Pure.
 */
import { engineName, mayCompare } from '../../analysis/engines.js';
import { parseMetric } from '../../domain/metric.js';
import { onNoKernel } from '../../plan/kernels.js';
import type { KernelResult, Results, Variant, VerdictWord } from '../../results/schema.js';
import { formatCompared, listed, metricLabel } from '../format.js';
import { metricText } from './medians.js';

export type Cell =
  /** The goal in the baseline; an en dash where it was not measured. */
  | { readonly kind: 'baseline'; readonly goal: string }
  /** `without`: what the kernel lacks of what the variant names, each with the reason. */
  | {
      readonly kind: 'verdict';
      readonly verdict: VerdictWord;
      readonly goal: string;
      readonly without: readonly string[];
    }
  | { readonly kind: 'absent'; readonly text: string };

export interface SideBySide {
  readonly kernels: readonly KernelResult[];
  readonly rows: readonly {
    readonly name: string;
    readonly changes: readonly string[];
    /** No kernel can run it. */
    readonly nowhere: boolean;
    /** One a kernel. */
    readonly cells: readonly Cell[];
  }[];
  /** What none of the kernels has, each with the reason. */
  readonly nowhere: readonly string[];
  /** How the table may be read across. */
  readonly note: string;
}

/** @returns null where the kernel is no factor of the experiment */
export function sideBySide(results: Results): SideBySide | null {
  const { kernels } = results;
  if (kernels === undefined) return null;
  const names = [...new Set(results.variants.map(({ name }) => name))];
  const nowhere = onNoKernel(results.variants);
  const rows = names.map((name) => {
    const variants = kernels.map((kernel) => find(results, name, kernel.name)!);
    const fullest = variants.reduce((a, b) => (missingCount(b) < missingCount(a) ? b : a));
    return {
      name,
      changes: fullest.changes,
      nowhere: nowhere.includes(name),
      cells: variants.map((variant) => cellOf(variant, results)),
    };
  });
  return { kernels, rows, nowhere: lackedByAll(results, kernels), note: readingAcross(results, kernels) };
}

function find(results: Results, name: string, kernel: string): Variant | undefined {
  return results.variants.find((variant) => variant.name === name && variant.kernel === kernel);
}

function missingCount({ missing = {} }: Variant): number {
  return Object.keys(missing).length;
}

function cellOf(variant: Variant, results: Results): Cell {
  const { verdict, absent } = variant;
  const { goal } = results.experiment;
  if (absent) return { kind: 'absent', text: `not on this kernel (${reason(variant)})` };
  if (verdict) {
    return {
      kind: 'verdict',
      verdict: verdict.verdict,
      goal: formatCompared(verdict.goal),
      without: missingNames(variant),
    };
  }
  return { kind: 'baseline', goal: metricText(variant, goal) };
}

/** `since Linux 6.14`, with the name where the row does not tell it. */
function reason(variant: Variant): string {
  const [entry, ...more] = Object.entries(variant.missing ?? {});
  if (entry === undefined) return 'the baseline cannot run';
  const [name, life] = entry;
  const told =
    variant.changes.length === 1 && variant.changes[0]!.startsWith(name.replace(/^strategy .*/, 'strategy '));
  return more.length === 0 && told ? life : missingNames(variant).join('; ');
}

/** `net.ipv4.tcp_tw_recycle (until Linux 4.11)` of each. */
function missingNames({ missing = {} }: Pick<Variant, 'missing'>): string[] {
  return Object.entries(missing).map(([name, life]) => `${name} (${life})`);
}

/** What is missing on every kernel. */
function lackedByAll(results: Results, kernels: readonly KernelResult[]): string[] {
  const lives = kernels.map(({ name }) => {
    const variants = results.variants.filter(({ kernel }) => kernel === name);
    return new Map(variants.flatMap(({ missing }) => Object.entries(missing ?? {})));
  });
  const [first, ...others] = lives;
  const names = [...(first?.keys() ?? [])].filter((name) => others.every((other) => other.has(name)));
  return names.map((name) => `${name} (${[...new Set(lives.map((life) => life.get(name)!))].join('; ')})`);
}

/** Counts may be read across; times of different engines may not. */
function readingAcross({ experiment }: Results, kernels: readonly KernelResult[]): string {
  const metric = parseMetric(experiment.goal);
  const engines = [...new Set(kernels.map(({ environment }) => environment.engine))];
  const across = engines.every((engine) => mayCompare(metric, engine, engines[0]));
  const verdicts = 'Each verdict compares a variant with the baseline of its own kernel.';
  if (across && engines.length > 1)
    return `${verdicts} What a kernel answers, and how often, may be read across; times may not, because the columns are of different engines (${listed(engines.map(engineName))}).`;
  if (across) return `${verdicts} What a kernel answers, and how often, may be read across.`;
  return `${verdicts} The goal, ${metricLabel(experiment.goal)}, is a matter of time, and the columns are of different engines (${listed(engines.map(engineName))}): read down, not across.`;
}

/** The results of one kernel, as of an experiment on it alone: only what ran there. */
export function resultsOn(results: Results, kernel: KernelResult): Results {
  const { kernels: _, ...rest } = results;
  return {
    ...rest,
    environment: kernel.environment,
    variants: results.variants.filter((variant) => variant.kernel === kernel.name && !variant.absent),
    // One table for all kernels stands by itself.
    thresholds: [],
    warnings: [],
    summary: kernel.summary,
  };
}

/** What was not run on a kernel, and why: `tw-recycle: net.ipv4.tcp_tw_recycle (until Linux 4.11)`. */
export function notRunOn(results: Results, kernel: string): string[] {
  return results.variants
    .filter((variant) => variant.kernel === kernel && variant.absent)
    .map((variant) => `${variant.name}: ${missingNames(variant).join(', ')}`);
}

/** `bookworm: Linux 6.1.176 under User-Mode Linux` */
export function kernelTitle({ name, environment }: KernelResult): string {
  return `${name}: Linux ${environment.kernel} under ${engineName(environment.engine)}`;
}

/** `bookworm (6.1.176, uml)` */
export function columnTitle({ name, environment }: KernelResult): string {
  return `${name} (${[environment.kernel, environment.engine].filter((part) => part !== undefined).join(', ')})`;
}

/** `Linux 6.1.176 and 6.12.101`, in the order of the kernels. */
export function releases({ kernels, environment }: Pick<Results, 'kernels' | 'environment'>): string {
  const all = kernels?.map((kernel) => kernel.environment.kernel) ?? [environment.kernel];
  return `Linux ${listed([...new Set(all)])}`;
}
