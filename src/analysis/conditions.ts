/**
 * In what state the machine was while a result was made, and whether two results were made in states that say nothing of each other. Pure.
 */
import type { Results, Run } from '../results/schema.js';
import { formatValue } from './format.js';
import { median } from './statistics.js';

interface Conditions {
  /** The one-minute load average while loads ran, for each CPU: median over the runs. Null: it was not read. */
  readonly load: number | null;
  /** Share of the runs whose generator fell behind its schedule. */
  readonly late: number;
  /** Share of the CPUs' time that the hypervisor gave to others: median over the runs. Null: it was not read. */
  readonly steal: number | null;
}

function conditionsOf({ variants, environment: { cpus } }: Results): Conditions {
  const runs = variants.flatMap((variant) => variant.runs.filter(({ warmup, status }) => !warmup && status === 'ok'));
  const perRun = (of: (second: Run['timeline'][number]) => number | null | undefined) =>
    median(runs.flatMap(({ timeline }) => median(timeline.flatMap((second) => of(second) ?? [])) ?? []));
  const each = (sum: number | null) => (sum === null ? null : sum / cpus);
  return {
    load: each(perRun(({ load1 }) => load1)),
    late: runs.length === 0 ? 0 : runs.filter(({ generatorLimited }) => generatorLimited).length / runs.length,
    steal: each(perRun(({ cpu }) => cpu.machine?.steal)),
  };
}

/** A state that was another in B than in A. */
export interface Unlike {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

interface Row {
  readonly what: string;
  readonly value: (conditions: Conditions) => number | null;
  /** Whether two values are so far apart that what varies may differ by them alone. */
  readonly apart: (low: number, high: number) => boolean;
  readonly text: (value: number) => string;
}

const percent = (value: number) => formatValue('share', value);

const ROWS: readonly Row[] = [
  {
    what: 'load average for each CPU (median)',
    value: ({ load }) => load,
    // Half a process more that waits for each CPU, and half as many again.
    apart: (low, high) => high - low > 0.5 && high > 1.5 * low,
    text: (value) => formatValue('count', Math.round(value * 10) / 10),
  },
  { what: 'generator-limited runs', value: ({ late }) => late, apart: (low, high) => high - low > 0.1, text: percent },
  { what: 'CPU steal (median)', value: ({ steal }) => steal, apart: (low, high) => high - low > 0.02, text: percent },
];

/** The states that differ so much that times, rates and random counts may differ by them alone; none: the two are alike. */
export function unlikeConditions(a: Results, b: Results): Unlike[] {
  const [here, there] = [conditionsOf(a), conditionsOf(b)];
  return ROWS.flatMap(({ what, value, apart, text }) => {
    const [first, second] = [value(here), value(there)];
    if (first === null || second === null || !apart(Math.min(first, second), Math.max(first, second))) return [];
    return [{ what, a: text(first), b: text(second) }];
  });
}
