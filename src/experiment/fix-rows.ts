/**
 * What the catalogue of fixes is put to: the lab's own sockets with a strategy, or a real proxy. What a fix is for it, and the profile
 * of its table. Pure.
 */
import { stringify } from 'yaml';
import { STRATEGY_NAMES, type StrategyName, strategyOf } from '../domain/strategy.js';
import { FILL_PAUSE_MS } from '../plan/arrival-settings.js';
import type { Change, Fix } from '../profile/fix.js';
import { type ProxyKind, proxySubjectOf } from '../subjects/index.js';

/** The kernel of this machine, in a network namespace. */
export const HOST = 'host';

/** Twenty ports, two addresses, two destinations: 40 or 80 tuples, and more attempts than twice the most. */
export const PER_WAVE = 200;
export const PAUSE_SECONDS = FILL_PAUSE_MS / 1000;

/** A program that runs out of ports. Of a proxy the strategy is that of the version that is here. */
export interface FixRow {
  readonly strategy: StrategyName;
  readonly subject?: { readonly kind: ProxyKind; readonly version: string | null };
}

/** As files are named by it, and its option. */
export function rowFile({ strategy, subject }: FixRow): string {
  return subject?.kind ?? strategy;
}

/** Strategies that the catalogue can be put to: those that bind, or connect, as a program does by itself. */
export const FIX_STRATEGIES: readonly StrategyName[] = STRATEGY_NAMES.filter(
  (name) => strategyOf(name).port !== 'program',
);

/** What a fix is for a program: a change, what it does already, or nothing that it could be told. */
export type FixFor =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'same' }
  | { readonly kind: 'cannot'; readonly why: string };

/** What a fix is for the program of a row. */
export function fixFor(fix: Fix, { strategy, subject }: FixRow): FixFor {
  if (subject === undefined) return isSame(fix, strategy) ? { kind: 'same' } : { kind: 'change', change: fix.change };
  const own = fix.subjects?.[subject.kind] ?? proxySubjectOf(subject.kind).fixRow?.cannot?.[fix.name];
  if (typeof own === 'string') return { kind: 'cannot', why: own };
  if (own !== undefined) return { kind: 'change', change: own };
  const { strategy: wanted, ...load } = (fix.change.load ?? {}) as { strategy?: StrategyName };
  if (wanted === undefined) return { kind: 'change', change: fix.change };
  // How it binds is the program's own affair; its sysctls are left.
  if (!does(strategy, wanted)) return { kind: 'cannot', why: 'the program cannot be told so' };
  const { load: _, ...rest } = fix.change;
  const left: Change = Object.keys(load).length > 0 ? { ...rest, load } : rest;
  return Object.keys(left).length === 0 ? { kind: 'same' } : { kind: 'change', change: left };
}

/** Fixes that would change nothing for a strategy, because it is what they make of it. */
function isSame({ change }: Fix, strategy: StrategyName): boolean {
  const other = change.load?.strategy;
  return other === strategy && change.sysctls === undefined && Object.keys(change.load ?? {}).length === 1;
}

/** Whether a strategy is another, perhaps with an option more that changes nothing of what the other does. */
function does(strategy: StrategyName, wanted: StrategyName): boolean {
  const [has, asks] = [strategyOf(strategy), strategyOf(wanted)];
  return has.port === asks.port && asks.options.every((option) => has.options.includes(option));
}

const RANGE = { 'net.ipv4.ip_local_port_range': '40000 40019' };
const FILLED = { shape: 'fill', attempts: PER_WAVE, waves: 2, inFlight: 1 };
const ONE_BY_ONE = { arrival: FILLED, close: 'client', timeout: '20s' };
const CONNECTIONS = { ...ONE_BY_ONE, hold: '0s', drain: true };
/** Requests to an origin that leaves it to the proxy to close. */
const REQUESTS = { ...ONE_BY_ONE, protocol: 'get', body: 512 };

/** What is the row's own in its profile. */
function partOf({ strategy, subject }: FixRow): object {
  const row = subject && proxySubjectOf(subject.kind).fixRow;
  return {
    ...(subject ? { subject: { kind: subject.kind, ...row?.settings } } : {}),
    addresses: { cidr: '10.50.0.0/24', count: row?.addresses ?? 2 },
    load: { ...(subject ? {} : { strategy }), ...(row?.load === 'requests' ? REQUESTS : CONNECTIONS) },
    ...(row?.clientsShareRange ? { roles: { client: { sysctls: RANGE } } } : {}),
  };
}

/** The profile of a table, which anybody can run by itself. */
export function fixProfile(fixes: readonly Fix[], row: FixRow, kernel: string): string {
  const variants = fixes.flatMap((fix) => {
    const what = fixFor(fix, row);
    return what.kind === 'change' ? [{ name: fix.name, ...what.change }] : [];
  });
  return stringify({
    name: `fixes-${rowFile(row)}-${kernel}`,
    description: `Each fix of the catalogue alone, for ${rowFile(row)}: two waves of connections that are closed at once, ${PAUSE_SECONDS} s apart`,
    ...(kernel === HOST ? {} : { lab: { kind: 'vm' }, kernels: [kernel] }),
    destinations: { ports: 2 },
    ...partOf(row),
    sysctls: RANGE,
    // Where none of them is a change, the row without any is still wanted, and a profile has a variant.
    variants: variants.length > 0 ? variants : [{ name: 'without-any' }],
    repeat: 1,
    warmup: 0,
    goal: 'failures.share',
    guardrails: [],
  });
}
