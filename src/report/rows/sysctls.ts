/**
 * Sysctls as reports show them: what was asked beside what the kernel read back, and what a variant changes besides. Pure.
 */
import { normaliseSysctl } from '../../domain/sysctl-syntax.js';
import type { Results, Variant } from '../../results/schema.js';

/** Names and values that a variant asks for and the baseline does not. */
function changedSysctls(baseline: Variant | undefined, variant: Variant): [name: string, value: string][] {
  return Object.entries(variant.sysctls)
    .map(([name, value]): [string, string] => [name, normaliseSysctl(value)])
    .filter(
      ([name, value]) => baseline?.sysctls[name] === undefined || normaliseSysctl(baseline.sysctls[name]) !== value,
    );
}

/** What a variant changes besides sysctls, as its `changes` say it. */
export function otherChanges(variant: Variant): string[] {
  return variant.changes.filter((change) => {
    const name = /^([\w./-]+)\s*=/.exec(change)?.[1];
    return name === undefined || !(name in variant.sysctls);
  });
}

export interface SysctlRow {
  readonly name: string;
  /** In a fresh lab, before anything was written; null when it was not recorded. */
  readonly fresh: string | null;
  readonly variant: string;
  readonly asked: string;
  /** Distinct values read back in the runs of this variant; more than one, or another than asked, is worth a look. */
  readonly readBack: readonly string[];
  readonly asAsked: boolean;
}

/** The baseline's sysctls, and of each variant those that it changes. */
export function sysctlRows(results: Results): SysctlRow[] {
  const baseline = results.variants.find((variant) => variant.baseline);
  return results.variants.flatMap((variant) =>
    changedSysctls(variant.baseline ? undefined : baseline, variant).map(([name, asked]) => {
      const readBack = [...new Set(variant.runs.flatMap((run) => run.sysctls[name] ?? []).map(normaliseSysctl))];
      const fresh = results.environment.defaults[name];
      return {
        name,
        fresh: fresh === undefined ? null : normaliseSysctl(fresh),
        variant: variant.name,
        asked,
        readBack,
        asAsked: readBack.every((value) => value === asked),
      };
    }),
  );
}

/** Variants judged better, with at least one thing to change. */
export function betterVariants(results: Results): Variant[] {
  return results.variants.filter((variant) => variant.verdict?.verdict === 'better');
}
