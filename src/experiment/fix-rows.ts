/**
 * What the catalogue of fixes is put to: the lab's own sockets with a strategy, or a real proxy. What a fix is for it, and the profile
 * of its table. Pure.
 */
import { stringify } from 'yaml';
import { DEBIAN_SUITES, type Engine } from '../domain/guest.js';
import { STRATEGY_NAMES, type StrategyName, strategyOf } from '../domain/strategy.js';
import { FILL_PAUSE_MS } from '../plan/arrival-settings.js';
import type { CatalogueName, Change, Fix } from '../profile/fix.js';
import { isRouterKind, type ProxyKind, proxySubjectOf, type RouterKind } from '../subjects/index.js';

/** The kernel of this machine, in a network namespace. */
export const HOST = 'host';

/** Twenty ports, two addresses, two destinations: 40 or 80 tuples, and more attempts than twice the most. */
const PER_WAVE = 200;
/** Of a NAT: twenty ports, or forty, and enough attempts for each of two rules that a hash chooses from. */
const PER_WAVE_OF_NAT = 100;
export const PAUSE_SECONDS = FILL_PAUSE_MS / 1000;

/** A program that runs out of ports. Of a proxy the strategy is that of the version that is here; of a NAT, that of its clients. */
export interface FixRow {
  readonly strategy: StrategyName;
  readonly subject?: { readonly kind: ProxyKind | RouterKind; readonly version: string | null };
}

/** Which catalogue is for a row. */
export function catalogueFor({ subject }: FixRow): CatalogueName {
  return subject && isRouterKind(subject.kind) ? 'router' : 'sockets';
}

/** Attempts of one wave. */
export function perWave(row: FixRow): number {
  return catalogueFor(row) === 'router' ? PER_WAVE_OF_NAT : PER_WAVE;
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
  if (isRouterKind(subject.kind)) return { kind: 'change', change: fix.change };
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

/**
 * How long an attempt waits for its answer. On this machine's kernel: shorter than a SYN takes to be sent again. In a guest, whose CPU may be
 * emulated, answers take seconds; a SYN that is sent again meanwhile is dropped again, since no port comes free before the wave is over.
 */
const NAT_TIMEOUT = { here: '500ms', guest: '5s' };
/** Of attempts at a pace: an emulated CPU begins them late. */
const NAT_LAG_BUDGET = { guest: '60s' };

/**
 * All at once, and open until all have their outcome: what finds no port waits in vain. All are closed between the waves.
 */
function behindNat(kernel: string): object {
  const isHere = kernel === HOST;
  return {
    subject: { kind: 'nat', rule: 'snat', natPorts: '40000-40019' },
    addresses: { list: ['10.50.0.1'] },
    load: {
      arrival: { shape: 'fill', attempts: PER_WAVE_OF_NAT, waves: 2, inFlight: PER_WAVE_OF_NAT },
      close: 'client',
      timeout: isHere ? NAT_TIMEOUT.here : NAT_TIMEOUT.guest,
      ...(isHere ? {} : { lagBudget: NAT_LAG_BUDGET.guest }),
    },
  };
}

/** What is the row's own in its profile. */
function partOf({ strategy, subject }: FixRow, kernel: string): object {
  const kind = subject?.kind;
  if (kind !== undefined && isRouterKind(kind)) return behindNat(kernel);
  const row = kind && proxySubjectOf(kind).fixRow;
  return {
    destinations: { ports: 2 },
    sysctls: RANGE,
    ...(kind ? { subject: { kind, ...row?.settings } } : {}),
    addresses: { cidr: '10.50.0.0/24', count: row?.addresses ?? 2 },
    load: { ...(kind ? {} : { strategy }), ...(row?.load === 'requests' ? REQUESTS : CONNECTIONS) },
    ...(row?.clientsShareRange ? { roles: { client: { sysctls: RANGE } } } : {}),
  };
}

/** Debian builds User-Mode Linux without NAT of nf_tables. */
function guestFor(row: FixRow, kernel: string): string | { readonly kernel: string; readonly engine: Engine } {
  const isSuite = DEBIAN_SUITES.some((suite) => suite === kernel);
  return isSuite && catalogueFor(row) === 'router' ? { kernel, engine: 'qemu' } : kernel;
}

/** A kernel in the name of a profile: of an image its file's name, as far as letters and length allow. */
function asName(kernel: string): string {
  const file = kernel.slice(kernel.lastIndexOf('/') + 1).toLowerCase();
  return file.replaceAll(/[^a-z0-9.-]/g, '-').slice(0, 30);
}

/** The profile of a table, which anybody can run by itself. */
export function fixProfile(fixes: readonly Fix[], row: FixRow, kernel: string): string {
  const variants = fixes.flatMap((fix) => {
    const what = fixFor(fix, row);
    return what.kind === 'change' ? [{ name: fix.name, ...what.change }] : [];
  });
  return stringify({
    name: `fixes-${rowFile(row)}-${asName(kernel)}`,
    description: `Each fix of the catalogue alone, for ${rowFile(row)}: two waves of connections ${catalogueFor(row) === 'router' ? 'through a NAT' : 'that are closed at once'}, ${PAUSE_SECONDS} s apart`,
    ...(kernel === HOST ? {} : { lab: { kind: 'vm' }, kernels: [guestFor(row, kernel)] }),
    ...partOf(row, kernel),
    // Where none of them is a change, the row without any is still wanted, and a profile has a variant.
    variants: variants.length > 0 ? variants : [{ name: 'without-any' }],
    repeat: 1,
    warmup: 0,
    goal: 'failures.share',
    guardrails: [],
  });
}
