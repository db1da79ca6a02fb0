/**
 * Whether two results say anything about each other, and in what they differ. Pure.
 *
 * The question that two results answer is: does the same load, asked of the same arm, end otherwise there than here? So goal and arms
 * must be the same; machine, kernel, day and version may differ, and are told first, because they are what any difference comes from.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Metric, parseMetric } from '../profile/metric.js';
import type { Results, Variant } from '../results/schema.js';
import { listed } from './format.js';

export interface Difference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

/** Machine, kernel, lab and version first, then the sysctls of a fresh lab, then the experiment. Equal ones are left out. */
export function differencesOf(a: Results, b: Results): Difference[] {
  const [{ defaults: sysctlsA, ...machineA }, { defaults: sysctlsB, ...machineB }] = [a.environment, b.environment];
  const experiment = ({ experiment: { name, seed, repeat, profileHash, status, startedAt } }: Results) => ({
    experiment: name,
    begun: startedAt,
    status,
    repeat,
    seed,
    'profile (SHA-256)': profileHash.slice(0, 12),
  });
  return [
    ...differing(machineA, machineB),
    ...differing(sysctlsA, sysctlsB),
    ...differing(experiment(a), experiment(b)),
  ];
}

type Facts = Readonly<Record<string, unknown>>;

function differing(a: Facts, b: Facts): Difference[] {
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return names
    .map((what) => ({ what, a: factText(a[what]), b: factText(b[what]) }))
    .filter((difference) => difference.a !== difference.b);
}

function factText(fact: unknown): string {
  if (fact === undefined || fact === '') return '–';
  return (typeof fact === 'object' ? JSON.stringify(fact) : String(fact)).replace(/\s+/g, ' ');
}

/** Why the two cannot be compared at all, with what to do; undefined: they can. */
export function refusalOf(a: Results, b: Results): string | undefined {
  if (a.experiment.goal !== b.experiment.goal)
    return `their goals differ: ${a.experiment.goal} and ${b.experiment.goal}; compare results of one profile`;
  const times = timesRefusal(a, b);
  if (times !== undefined && !isCount(parseMetric(a.experiment.goal)))
    return `their goal is ${a.experiment.goal}, and ${times}`;
  const shared = a.variants.filter(({ name }) => b.variants.some((variant) => variant.name === name));
  if (shared.length === 0)
    return `they have no arm in common: ${names(a.variants)} and ${names(b.variants)}; compare results of one profile`;
  const refused = shared.map(({ name }) => armRefusal(armOf(a, name), armOf(b, name)));
  return refused.every((reason) => reason !== undefined)
    ? `no arm was asked the same in both: ${shared.map(({ name }, i) => `${name}: ${refused[i]}`).join('; ')}`
    : undefined;
}

function names(variants: readonly Variant[]): string {
  return listed(variants.map(({ name }) => name));
}

/** @throws Error when there is no such arm */
export function armOf({ variants }: Results, name: string): Variant {
  const found = variants.find((variant) => variant.name === name);
  if (!found) throw new Error(`there is no arm ${name}`);
  return found;
}

/** Why two arms of one name are not the same question, as `load.arrival.rate is 100 and 200`; undefined: they are. */
export function armRefusal(a: Variant, b: Variant): string | undefined {
  const found = firstDifference(questionOf(a), questionOf(b), []);
  return found && `${found.path.join('.')} is ${factText(found.a)} and ${factText(found.b)}`;
}

/** What was asked: everything of an arm but its name, what is said of it, and what came of it. Addresses count, their names do not. */
function questionOf({
  runs,
  verdict,
  prediction,
  name,
  description,
  baseline,
  changes,
  addresses,
  ...asked
}: Variant): Facts {
  return { ...asked, addresses: addresses.count };
}

function firstDifference(
  a: unknown,
  b: unknown,
  path: readonly string[],
): { path: readonly string[]; a: unknown; b: unknown } | undefined {
  if (isDeepStrictEqual(a, b)) return undefined;
  if (!isRecord(a) || !isRecord(b)) return { path, a, b };
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const found = firstDifference(a[key], b[key], [...path, key]);
    if (found) return found;
  }
  return undefined;
}

function isRecord(value: unknown): value is Facts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Why times, rates, CPU and memory of the two are not of one kind; undefined: they are. Counts and shares of outcomes are the
 * kernel's own everywhere, but a system call in a guest takes several times as long as outside, and a veth pair is no loopback.
 */
export function timesRefusal(a: Results, b: Results): string | undefined {
  const [here, there] = [timesOf(a), timesOf(b)];
  return here === there ? undefined : `times were taken in another kind of lab: ${here} and ${there}`;
}

/** What the kernel's rules decide, wherever it runs; the others are times, rates, CPU and memory. */
export function isCount(metric: Metric): boolean {
  return (
    metric.kind === 'outcome' || metric.kind === 'failures' || metric.kind === 'capacity' || metric.kind === 'portsPeak'
  );
}

/** Of a namespace it matters how its roles are joined, not who owns it; of a guest everything. */
function timesOf({ experiment: { lab }, environment }: Results): string {
  return lab === 'netns' ? `netns, ${environment.lab.split(', ').at(-1)}` : `${lab}, ${environment.lab}`;
}
