/**
 * What may be compared across engines. A kernel answers the same in User-Mode Linux, under emulation and on hardware, and as
 * often; but each engine runs it at a speed of its own, by which times would differ where the kernels do not. Pure.
 */
import { type Metric, parseMetric } from '../domain/metric.js';
import type { LoadPlan } from '../plan/plan.js';
import type { Comparison, Environment } from '../results/schema.js';

/** What ran the guests; undefined where there were none. */
export type Engine = Environment['engine'];

/** What makes the connections of an arm. */
type LoadEngine = LoadPlan['engine'];

/** Whether values of a metric that were measured under two engines may be compared. */
export function mayCompare(metric: Metric, a: Engine, b: Engine): boolean {
  return a === b || !metric.time;
}

/** The comparison, or its refusal where it would set a time of one engine against one of another. */
export function withinEngine(comparison: Comparison, baseline: Engine, variant: Engine): Comparison {
  const metric = parseMetric(comparison.metric);
  if (mayCompare(metric, baseline, variant)) return comparison;
  return refused(
    comparison,
    `${metric.label} was measured under ${engineName(baseline)} and under ${engineName(variant)}, whose times are not compared.`,
  );
}

/** The comparison, or its refusal where it would set a time of one engine of the load against one of the other (docs/internals/load.md). */
export function withinLoadEngine(comparison: Comparison, baseline: LoadEngine, variant: LoadEngine): Comparison {
  const metric = parseMetric(comparison.metric);
  // A neighbour's load is the same in every arm.
  if (baseline === variant || !metric.time || metric.neighbour !== null) return comparison;
  return refused(
    comparison,
    `${metric.label} was measured with the ${LOAD_ENGINE_NAMES[baseline]} in the baseline and with the ${LOAD_ENGINE_NAMES[variant]} here, whose times are not alike: compare arms of one engine.`,
  );
}

const LOAD_ENGINE_NAMES: Readonly<Record<LoadEngine, string>> = { socket: 'socket engine', http: 'HTTP engine' };

function refused(comparison: Comparison, why: string): Comparison {
  return {
    ...comparison,
    difference: null,
    ci: null,
    p: null,
    pHolm: null,
    detectable: null,
    verdict: 'not enough evidence',
    why,
  };
}

/** What ran a virtual machine, in words; `no engine` where there was none. */
export function engineName(engine: Engine): string {
  return engine === undefined ? 'no engine' : (ENGINE_NAMES[engine] ?? engine.replace('vagrant-', 'Vagrant with '));
}

const ENGINE_NAMES: Readonly<Partial<Record<NonNullable<Engine>, string>>> = {
  uml: 'User-Mode Linux',
  'qemu-kvm': 'QEMU with KVM',
  'qemu-tcg': 'QEMU with an emulated CPU',
};
