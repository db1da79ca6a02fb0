/**
 * Whether two results say anything about each other, and in what they differ. Pure.
 *
 * The question that two results answer is: does the same load, asked of the same arm, end otherwise there than here? So goal and arms
 * must be the same; machine, kernel, day and version may differ, and are told first, because they are what any difference comes from.
 */
import { isDeepStrictEqual } from 'node:util';
import { LABS } from '../domain/lab.js';
import { parseMetric } from '../domain/metric.js';
import { armId } from '../plan/kernels.js';
import type { Environment, Results, Variant } from '../results/schema.js';
import { unlikeConditions } from './conditions.js';
import { engineName } from './engines.js';
import { listed } from './format.js';

export interface Difference {
  readonly what: string;
  readonly a: string;
  readonly b: string;
}

/** Machine, kernel, lab and version first, then the sysctls of a fresh lab, then the experiment. Equal ones are left out. */
export function differencesOf(a: Results, b: Results): Difference[] {
  const [{ defaults: sysctlsA, ...machineA }, { defaults: sysctlsB, ...machineB }] = [a.environment, b.environment];
  const experiment = ({ experiment: { name, seed, repeat, profileHash, status, startedAt, leftOut } }: Results) => ({
    experiment: name,
    begun: startedAt,
    status,
    'left out': listed((leftOut ?? []).map((variant) => variant.name)),
    repeat,
    seed,
    'profile (SHA-256)': profileHash.slice(0, 12),
  });
  return [
    ...differing(machineA, machineB),
    ...unlikeConditions(a, b),
    ...differing(sysctlsA, sysctlsB),
    ...kernelsDiffering(a, b),
    ...differing(experiment(a), experiment(b)),
  ];
}

/** Of each kernel that both measured side by side, but for the first of a result, which is told with the machine. */
function kernelsDiffering(a: Results, b: Results): Difference[] {
  return (a.kernels ?? []).slice(1).flatMap(({ name, environment }) => {
    const other = b.kernels?.find((kernel) => kernel.name === name);
    if (!other) return [];
    const facts = ({ kernel, engine, lab }: Environment) => ({ kernel, engine, lab });
    return differing(facts(environment), facts(other.environment)).map(({ what, ...sides }) => ({
      what: `${what} (${name})`,
      ...sides,
    }));
  });
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

/** What to do where arms differ on purpose. */
export const CHANGE_HINT = 'if that is a change of your own, add --changed';

/**
 * Why the two cannot be compared at all, with what to do; undefined: they can.
 * @param changed B is A after a change of one's own, so that arms need not be the same question
 */
export function refusalOf(a: Results, b: Results, changed: boolean): string | undefined {
  if (a.experiment.goal !== b.experiment.goal)
    return `their goals differ: ${a.experiment.goal} and ${b.experiment.goal}; compare results of one profile`;
  const times = timesRefusal(a, b);
  if (times !== undefined && parseMetric(a.experiment.goal).time)
    return `their goal is ${a.experiment.goal}, and ${times}`;
  const shared = sharedArms(a, b);
  if (shared.length === 0)
    return `they have no arm in common: ${names(a.variants)} and ${names(b.variants)}; compare results of one profile`;
  const refused = shared.map((arm) => armRefusal(arm.a, arm.b, changed));
  return refused.every((reason) => reason !== undefined)
    ? `no arm had the same settings in both: ${shared.map((arm, i) => `${armId(arm.a)}: ${refused[i]}`).join('; ')}${changed ? '' : `; ${CHANGE_HINT}`}`
    : undefined;
}

function names(variants: readonly Variant[]): string {
  return listed(variants.map(armId));
}

/** The arms that both have, of the same name and, where the kernel is a factor, on the kernel of the same name; in the order of a. */
export function sharedArms(a: Results, b: Results): { readonly a: Variant; readonly b: Variant }[] {
  return a.variants.flatMap((arm) => {
    const other = b.variants.find((variant) => armId(variant) === armId(arm));
    return other ? [{ a: arm, b: other }] : [];
  });
}

/** Parts of a question that are no change of a system: with another load it is another test, and what was not run has no answer. */
const NEVER_CHANGED = ['load.arrival', 'absent', 'missing'];

/**
 * Why two arms of one name cannot be compared, as `load.arrival.rate is 100 and 200`; undefined: they can.
 * @param changed one's own change may lie between them
 */
export function armRefusal(a: Variant, b: Variant, changed: boolean): string | undefined {
  const found = armChanges(a, b).find(
    ({ what }) => !changed || NEVER_CHANGED.some((part) => what === part || what.startsWith(`${part}.`)),
  );
  return found && `${found.what} is ${found.a} and ${found.b}`;
}

/** In what two arms of one name are not the same question, each setting with both values. */
export function armChanges(a: Variant, b: Variant): Difference[] {
  return leavesApart(questionOf(a), questionOf(b), []);
}

/** Which parts of an arm are its question. Exhaustive, so that whoever adds a part has to say. */
const ASKED: Readonly<Record<keyof Variant, boolean>> = {
  sysctls: true,
  strategy: true,
  load: true,
  scenarios: true,
  proxy: true,
  addresses: true,
  destinations: true,
  missing: true,
  absent: true,
  // Two arms are looked up by these.
  name: false,
  kernel: false,
  // What is said of it, and what came of it.
  description: false,
  baseline: false,
  changes: false,
  prediction: false,
  foreseen: false,
  real: false,
  searched: false,
  agreement: false,
  deterministic: false,
  // How often a proxy's calls failed in a run apart, which is never compared.
  observed: false,
  runs: false,
  verdict: false,
};

/** Addresses count, their names do not. */
function questionOf(arm: Variant): Facts {
  const asked = Object.entries(arm).filter(([part]) => ASKED[part as keyof Variant]);
  return { ...Object.fromEntries(asked), addresses: arm.addresses.count };
}

function leavesApart(a: unknown, b: unknown, path: readonly string[]): Difference[] {
  if (isDeepStrictEqual(a, b)) return [];
  if (!isRecord(a) || !isRecord(b)) return [{ what: path.join('.'), a: factText(a), b: factText(b) }];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => leavesApart(a[key], b[key], [...path, key]));
}

function isRecord(value: unknown): value is Facts {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Why times, rates and CPU of the two are not of one kind; undefined: they are. Counts and shares of outcomes are the kernel's own
 * everywhere, but a system call in a guest takes several times as long as outside, and a veth pair is no loopback.
 */
export function timesRefusal(a: Results, b: Results): string | undefined {
  const [here, there] = [timesOf(a), timesOf(b)];
  return here === there ? undefined : `times were taken in another kind of lab: ${here} and ${there}`;
}

/**
 * What times depend on: what ran the virtual machine, where there is one, and how the roles are joined; not who owns a namespace.
 * @example `vm, User-Mode Linux, client and origin joined by veth`
 */
function timesOf({ experiment: { lab }, environment, kernels }: Results): string {
  if (!LABS[lab].ownNamespace) return lab;
  const environments = kernels?.map((kernel) => kernel.environment) ?? [environment];
  const engines = LABS[lab].machine === 'this' ? [] : environments.map(({ engine }) => engineName(engine));
  const networks = environments.flatMap((one) => /[^,]*(?:joined by veth|in one)/.exec(one.lab)?.[0].trim() ?? []);
  return [lab, listed(unique(engines)), listed(unique(networks))].filter((part) => part !== '').join(', ');
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
