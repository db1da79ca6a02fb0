/**
 * Which variant, if any, is worth carrying to a real machine as a change of sysctls. Pure.
 *
 * A drop-in is a recommendation in a form that people apply without reading, so everything must speak for it: the experiment is
 * whole, the variant is better by its verdict, no guardrail got worse, no threshold on it failed, the kernel had the values that
 * were asked for, nothing but sysctls was changed, no other variant without a price did clearly more, and the values are those of a
 * machine and not of a scaled-down model of one.
 */
import { sideEffectOf } from '../capacity/side-effects.js';
import { parseMetric } from '../domain/metric.js';
import {
  checkSysctlName,
  checkSysctlValue,
  LOCAL_PORT_RANGE,
  normaliseSysctl,
  parseLocalPortRange,
} from '../domain/sysctl-syntax.js';
import { portCount } from '../domain/units.js';
import type { Results, Variant } from '../results/schema.js';
import { listed } from './format.js';
import { isUsableForCounts } from './pairs.js';

export interface SysctlChange {
  readonly name: string;
  readonly value: string;
  /** In force in the baseline; null where that was not recorded. */
  readonly before: string | null;
}

/** The variant to apply and its changes, or why there is none. */
type Recommendation =
  | { readonly kind: 'sysctls'; readonly variant: Variant; readonly changes: readonly SysctlChange[] }
  | { readonly kind: 'none'; readonly reason: string };

/** The variant to apply, or one sentence that says why there is none. */
export function recommend(results: Results): Recommendation {
  const { experiment } = results;
  const baseline = results.variants.find((variant) => variant.baseline);
  if ((results.kernels?.length ?? 1) > 1)
    return none('several kernels were measured, and a machine has one: repeat it on that one alone');
  if (experiment.status !== 'complete' || !baseline) return none('the experiment is not complete');
  const better = results.variants.filter((variant) => variant.verdict?.verdict === 'better');
  if (better.length === 0) return none('no variant was judged better than the baseline');
  const unpriced = better.filter((variant) => pricesOf(variant, results).length === 0);
  if (unpriced.length === 0)
    return none(
      better.map((variant) => `${variant.name} has a price: ${listed(pricesOf(variant, results))}`).join('; '),
    );
  const best = unpriced.reduce((a, b) => (gainOf(b, experiment.goal) > gainOf(a, experiment.goal) ? b : a));
  // As good as the best: apart by no more than the differences that count as none.
  const equals = unpriced.filter(
    (variant) =>
      gainOf(best, experiment.goal) - gainOf(variant, experiment.goal) <= (best.verdict?.goal.margin ?? 0) + ROUNDING,
  );
  const judged = equals.map((variant) => {
    const changes = changedSysctls(baseline, variant, results);
    return { variant, changes, obstacle: obstacleOf(baseline, variant, changes, results) };
  });
  const applicable = judged
    .filter(({ obstacle }) => obstacle === undefined)
    .sort(
      (a, b) =>
        a.changes.length - b.changes.length || gainOf(b.variant, experiment.goal) - gainOf(a.variant, experiment.goal),
    );
  const [first] = applicable;
  if (first) return { kind: 'sysctls', variant: first.variant, changes: first.changes };
  return none(judged.map(({ variant, obstacle }) => `${variant.name} ${obstacle}`).join('; '));
}

function none(reason: string): Recommendation {
  return { kind: 'none', reason };
}

/** How far the goal moved the good way, in its own unit. */
function gainOf({ verdict }: Variant, goal: string): number {
  const difference = verdict?.goal.difference ?? 0;
  return parseMetric(goal).better === 'higher' ? difference : -difference;
}

function pricesOf({ name, verdict }: Variant, { thresholds }: Results): string[] {
  return [
    ...(verdict?.guardrails ?? [])
      .filter((guardrail) => guardrail.verdict === 'worse')
      .map(({ metric }) => `${metric} got worse`),
    ...thresholds
      .filter((threshold) => threshold.variant === name && !threshold.passed)
      .map(({ metric, limit }) => `its threshold on ${metric} (${limit}) failed`),
  ];
}

function changedSysctls(baseline: Variant, variant: Variant, { environment }: Results): SysctlChange[] {
  return Object.entries(variant.sysctls)
    .map(([name, value]) => ({
      name,
      value: normaliseSysctl(value),
      before: before(name, baseline, environment.defaults),
    }))
    .filter(
      ({ name, value }) => baseline.sysctls[name] === undefined || normaliseSysctl(baseline.sysctls[name]) !== value,
    );
}

/** What the kernel said in the baseline's runs; else what the profile asked for; else what a fresh lab has. */
function before(name: string, baseline: Variant, defaults: Readonly<Record<string, string>>): string | null {
  const readBack = baseline.runs.map((run) => run.sysctls[name]).find((value) => value !== undefined);
  const value = readBack ?? baseline.sysctls[name] ?? defaults[name];
  return value === undefined ? null : normaliseSysctl(value);
}

/** What floating point leaves of equal differences. */
const ROUNDING = 1e-9;
/** 32768 to 60999, the kernel's own since 4.2. */
const DEFAULT_PORTS = 28_232;

/** Why a variant is not to be carried over as sysctls, as the end of a sentence that begins with its name; undefined: it is. */
function obstacleOf(
  baseline: Variant,
  variant: Variant,
  changes: readonly SysctlChange[],
  results: Results,
): string | undefined {
  if (changes.length === 0 || !onlySysctls(baseline, variant)) return 'is not a change of sysctls alone';
  for (const { name, value } of changes) {
    if ((checkSysctlName(name) ?? checkSysctlValue(name, value)) !== undefined)
      return `has a sysctl that cannot be written to a file (${JSON.stringify(name)})`;
    const readBack = variant.runs.filter(isUsableForCounts).map((run) => run.sysctls[name]);
    if (!readBack.every((found) => found !== undefined && normaliseSysctl(found) === value))
      return `did not have ${name} = ${value} in every run`;
  }
  // A lab without losses never shows the harm.
  for (const change of changes) {
    const givesUp = sideEffectOf(change)?.givesUp;
    if (givesUp) return `gives up ${givesUp} (${change.name}), which no guardrail sees`;
  }
  const range = changes.find(({ name }) => name === LOCAL_PORT_RANGE);
  if (range === undefined) return undefined;
  const ports = portCount(parseLocalPortRange(range.value));
  const usual = portsOf(results.environment.defaults[LOCAL_PORT_RANGE]);
  return ports < usual
    ? `has a range of ${ports} ports, a scaled-down model of the ${usual.toLocaleString('en')} that a machine has: repeat it with ranges of a real size`
    : undefined;
}

function portsOf(range: string | undefined): number {
  return range === undefined ? DEFAULT_PORTS : portCount(parseLocalPortRange(range));
}

function onlySysctls(baseline: Variant, variant: Variant): boolean {
  const rest = ({ load, addresses, destinations, strategy, proxy }: Variant) =>
    JSON.stringify([load, addresses, destinations, strategy, proxy]);
  return rest(baseline) === rest(variant);
}
