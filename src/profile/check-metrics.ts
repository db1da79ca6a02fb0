/**
 * The goal, the guardrails and the thresholds: metrics that exist, limits in their units, variants that exist. Pure.
 */

import { type Metric, type MetricNeed, parseLimit, parseMetric } from '../domain/metric.js';
import { orReport, quote, UnitError } from '../domain/units.js';
import { closest } from '../domain/words.js';
import { EXPERIMENT_SETTINGS } from '../plan/experiment-settings.js';
import type { Arrival, Threshold } from '../plan/plan.js';
import { FIRST_LOAD } from '../plan/scenario.js';
import type { Finding, Path } from './problem.js';
import type { ProfileInput } from './schema.js';

/** The metric that a fix must improve: a fill counts how much fits; for every other arrival the question is how much fails. */
export function checkGoal(input: ProfileInput, arrival: Arrival, findings: Finding[]): string {
  if (input.goal === undefined) return arrival.shape === 'fill' ? 'capacity' : EXPERIMENT_SETTINGS.goal.default;
  checkMetric(input.goal, ['goal'], input, findings);
  return input.goal;
}

/** The metrics that a fix must not worsen, none of which is the goal. */
export function checkGuardrails(input: ProfileInput, goal: string, findings: Finding[]): string[] {
  if (input.guardrails === undefined) return EXPERIMENT_SETTINGS.guardrails.default.filter((metric) => metric !== goal);
  for (const [i, metric] of input.guardrails.entries()) {
    const path = ['guardrails', i];
    if (metric === goal) {
      findings.push({ path, message: `${quote(metric)} is the goal already: remove it here` });
    } else if (input.guardrails.indexOf(metric) < i) {
      findings.push({ path, message: `${quote(metric)} is in the list twice: remove one` });
    } else {
      checkMetric(metric, path, input, findings);
    }
  }
  return input.guardrails;
}

/** The limits that decide the exit code, in the units of their metrics. */
export function checkThresholds(input: ProfileInput, findings: Finding[]): Threshold[] {
  const names = ['baseline', ...input.variants.map(({ name }) => name)];
  return (input.thresholds ?? []).map((threshold, i) => {
    const path = ['thresholds', i];
    const { max, min, variant } = threshold;
    const at = [...path, 'metric'];
    const metric = checkMetric(threshold.metric, at, input, findings);
    const limits = {
      max: checkLimit(metric, max, [...path, 'max'], findings),
      min: checkLimit(metric, min, [...path, 'min'], findings),
    };
    if (max === undefined && min === undefined) {
      findings.push({ path, message: 'a threshold needs max or min: add "max: 0"' });
    }
    if (limits.max !== null && limits.min !== null && limits.min > limits.max) {
      findings.push({
        path: [...path, 'min'],
        message: `min ${min} is above max ${max}, so that no run could pass: swap them`,
      });
    }
    if (variant !== undefined && !names.includes(variant)) {
      const near = closest(variant, names);
      findings.push({
        path: [...path, 'variant'],
        message: `there is no variant ${quote(variant)}; use one of ${names.join(', ')}${near ? ` (did you mean ${near}?)` : ''}`,
      });
    }
    const text = [...(max === undefined ? [] : [`max ${max}`]), ...(min === undefined ? [] : [`min ${min}`])].join(
      ', ',
    );
    return { metric: threshold.metric, ...limits, text, variant: variant ?? null };
  });
}

function checkMetric(text: string, path: Path, input: ProfileInput, findings: Finding[]): Metric | undefined {
  const parse = () => {
    const metric = parseMetric(text);
    const scenarios = names(input.scenarios);
    if (metric.needs !== null && !hasKey(input, metric.needs.key))
      throw new UnitError(`${text} is measured only with ${metric.needs.key}: add "${metric.needs.example}"`);
    oneOfThem('neighbour', metric.neighbour, names(input.neighbours));
    oneOfThem('scenario', metric.scenario, scenarios.length > 0 ? [FIRST_LOAD, ...scenarios] : []);
    return metric;
  };
  return orReport(parse, (message) => findings.push({ path, message }));
}

function hasKey({ addresses, load, neighbours }: ProfileInput, key: MetricNeed['key']): boolean {
  if (key === 'neighbours.listen') return neighbours?.some(({ listen }) => listen !== undefined) ?? false;
  if (key === 'load.recovery') return load.recovery !== undefined;
  return typeof addresses !== 'string' && addresses.unbound !== undefined;
}

function names(list: readonly { readonly name: string }[] = []): string[] {
  return list.map(({ name }) => name);
}

/** @throws UnitError when a profile does not have the part whose metric it names */
function oneOfThem(what: 'neighbour' | 'scenario', name: string | null, names: readonly string[]): void {
  if (name === null || names.includes(name)) return;
  throw new UnitError(
    `this profile has no ${what} ${quote(name)}; ${names.length > 0 ? `it has ${names.join(', ')}` : `add it to ${what}s`}`,
  );
}

function checkLimit(
  metric: Metric | undefined,
  limit: number | string | undefined,
  path: Path,
  findings: Finding[],
): number | null {
  if (metric === undefined || limit === undefined) return null;
  const report = (message: string) => findings.push({ path, message });
  return orReport(() => parseLimit(metric, limit), report) ?? null;
}
