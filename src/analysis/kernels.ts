/**
 * What several kernels' parts of an experiment come to together. Each part was compared and judged by itself; nothing here
 * compares a number of one with a number of another. Pure.
 */
import { onNoKernel } from '../plan/kernels.js';
import type { Experiment } from '../plan/plan.js';
import type { Results, ThresholdResult, Variant } from '../results/schema.js';
import { listed } from './format.js';

/** The results of one kernel; of the whole experiment where the kernel is no factor. */
export interface KernelPart extends Pick<Results, 'thresholds' | 'warnings' | 'summary'> {
  readonly kernel: string | undefined;
  readonly variants: Variant[];
  /** Runs that were planned and not made, because arms had been stopped. */
  readonly spared: number;
}

/** Equal warnings are said once, with the kernels that they are about. */
export function joinWarnings(parts: readonly KernelPart[]): string[] {
  if (parts.length === 1) return parts[0]!.warnings;
  return grouped(parts.flatMap(({ kernel, warnings }) => warnings.map((text) => ({ kernel, text })))).map(
    ({ kernels, text }) => `${listed(kernels)}: ${text}`,
  );
}

/** One sentence for each kernel that says something of its own, and the variants that none of them can run. */
export function joinSummaries(parts: readonly KernelPart[], experiment: Experiment): string {
  if (experiment.kernels === undefined) return parts[0]!.summary;
  const sentences = grouped(parts.map(({ kernel, summary }) => ({ kernel, text: summary }))).map(
    ({ kernels, text }) =>
      `On ${listed(kernels)}${kernels.length > 1 ? ' alike' : ''}, ${text.charAt(0).toLowerCase()}${text.slice(1)}`,
  );
  const nowhere = onNoKernel(experiment.arms);
  if (nowhere.length > 0) {
    const where = parts.length === 1 ? 'not on this kernel' : 'on none of these kernels';
    sentences.push(`${listed(nowhere)} ${nowhere.length === 1 ? 'is' : 'are'} ${where}.`);
  }
  return sentences.join(' ');
}

/** Thresholds on variants that no kernel can run, or that were left out: a limit that was not measured was not kept. */
export function unheldThresholds(experiment: Experiment): ThresholdResult[] {
  const nowhere = [...onNoKernel(experiment.arms), ...(experiment.leftOut ?? []).map(({ name }) => name)];
  return experiment.thresholds.flatMap(({ metric, text, variant }) =>
    variant !== null && nowhere.includes(variant) ? [{ metric, limit: text, variant, value: null, passed: false }] : [],
  );
}

interface Said {
  readonly kernel: string | undefined;
  readonly text: string;
}

/** Each text once, in the order in which they first come, with those who say it. */
function grouped(said: readonly Said[]): { text: string; kernels: string[] }[] {
  const texts = new Map<string, string[]>();
  for (const { kernel = '', text } of said) texts.set(text, [...(texts.get(text) ?? []), kernel]);
  return [...texts].map(([text, kernels]) => ({ text, kernels }));
}
