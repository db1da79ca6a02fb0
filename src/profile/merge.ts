/**
 * First pass: what a profile names of an arm, and a variant laid over the baseline: it changes only what it names. Pure; says nothing
 * about whether the result makes sense.
 */
import { optionsOf, type SocketOption, type StrategyName, strategyOf } from '../domain/strategy.js';
import type { NamedLoad } from '../plan/load-settings.js';
import type { Arrival, RoleSysctls } from '../plan/plan.js';
import { SEARCH } from '../plan/search.js';
import type { FindInput, ProfileInput, VariantInput } from './schema.js';

export type AddressInput = Exclude<ProfileInput['addresses'], string>;
export type DestinationsInput = NonNullable<ProfileInput['destinations']>;
export type SubjectInput = NonNullable<VariantInput['subject']>;

/** What is named of a further load. */
interface NamedScenario {
  readonly name: string;
  readonly load: NamedLoad;
  readonly destinations: DestinationsInput | undefined;
}

/** What is named of an arm. `null`: nothing, so that the baseline's stays. */
export interface NamedArm {
  readonly addresses: AddressInput | null;
  readonly destinations: DestinationsInput;
  readonly load: NamedLoad;
  readonly scenarios: readonly NamedScenario[];
  readonly subject: SubjectInput;
  /** Of the role under test. */
  readonly sysctls: Readonly<Record<string, string>>;
  readonly roles: RoleSysctls;
}

/**
 * What the profile names of its baseline, or one of its variants of itself.
 * @param proxied whether the role under test is a proxy that the lab starts, and not the client
 */
export function namedArm(input: ProfileInput | VariantInput, proxied: boolean): NamedArm {
  const { addresses = null, destinations = {}, scenarios = [], roles, subject } = input;
  const pick = typeof addresses === 'string' ? undefined : addresses?.pick;
  const { kind: _, ...settings } = { kind: undefined, ...subject };
  const [client, proxy, origin, router] = [roles?.client, roles?.proxy, roles?.origin, roles?.router].map((role) =>
    asText(role?.sysctls),
  );
  return {
    addresses: typeof addresses === 'string' ? { cidr: addresses } : addresses,
    destinations,
    load: { ...withShape(input.load ?? {}), ...(pick === undefined ? {} : { pick }) },
    scenarios: scenarios.map((each) => ({
      name: each.name,
      load: withShape(each.load ?? {}),
      destinations: each.destinations,
    })),
    subject: settings,
    sysctls: { ...asText(input.sysctls), ...(proxied ? proxy : client) },
    roles: { client: proxied ? client! : {}, origin: origin!, ...(roles?.router ? { router: router! } : {}) },
  };
}

/** The values as text, as they were written. */
function asText(sysctls: ProfileInput['sysctls'] = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(sysctls).map(([name, value]) => [name, String(value)]));
}

/** A search has the arrivals of its first step, which stand for all in a plan. */
function withShape({
  arrival,
  ...load
}: Omit<NamedLoad, 'arrival'> & { arrival?: Arrival | FindInput | undefined }): NamedLoad {
  if (arrival === undefined) return load;
  if (!('find' in arrival)) return { ...load, arrival };
  const { from = SEARCH.from, stepMs = SEARCH.stepMs } = arrival;
  // Long enough for one attempt at the least.
  return { ...load, arrival: { shape: 'constant', rate: from, durationMs: Math.max(stepMs, Math.ceil(1001 / from)) } };
}

/** A variant over the baseline. */
export function mergeArm(base: NamedArm, own: NamedArm): NamedArm {
  return {
    addresses: own.addresses === null ? base.addresses : mergeAddresses(base.addresses ?? {}, own.addresses),
    destinations: mergeDestinations(base.destinations, own.destinations),
    load: mergeLoad(base.load, own.load),
    scenarios: base.scenarios.map((scenario) => mergeScenario(scenario, own.scenarios)),
    subject: mergeSubject(base.subject, own.subject),
    sysctls: { ...base.sysctls, ...own.sysctls },
    roles: {
      client: { ...base.roles.client, ...own.roles.client },
      origin: { ...base.roles.origin, ...own.roles.origin },
      ...(base.roles.router || own.roles.router ? { router: { ...base.roles.router, ...own.roles.router } } : {}),
    },
  };
}

/** Each key replaces its own; of a map of texts, as `env`, each of its keys does. */
function mergeSubject(base: SubjectInput, own: SubjectInput): SubjectInput {
  const isMap = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const entries = Object.entries(own).map(([key, value]) => {
    const before = base[key];
    return [key, isMap(value) && isMap(before) ? { ...(before as object), ...(value as object) } : value];
  });
  return { ...base, ...Object.fromEntries(entries) };
}

/**
 * A new cidr, range or list replaces the old one, whichever it was. `count` and `pick` stay unless named; only a range or list
 * drops the count of before, as it spells its own size.
 */
function mergeAddresses(base: AddressInput, own: AddressInput): AddressInput {
  const { cidr, range, list, ...rest } = base;
  const newSource = own.cidr !== undefined || own.range !== undefined || own.list !== undefined;
  if (!newSource) return { ...base, ...own };
  const { count, ...kept } = rest;
  return own.cidr !== undefined && count !== undefined ? { count, ...kept, ...own } : { ...kept, ...own };
}

/** Targets replace the lab's own origin, and the other way round; addresses and ports replace each their own. */
function mergeDestinations(base: DestinationsInput, own: DestinationsInput): DestinationsInput {
  const { targets, ...inLab } = base;
  if (own.targets !== undefined) return own;
  return own.addresses !== undefined || own.ports !== undefined ? { ...inLab, ...own } : { ...base, ...own };
}

/**
 * Each key of a load replaces its own, `arrival` as a whole. A port list that the baseline's strategy needs is dropped with a
 * strategy that has no use for it.
 */
export function mergeLoad(base: NamedLoad, own: NamedLoad): NamedLoad {
  const merged = { ...base, ...own };
  if (own.strategy === undefined || own.ports !== undefined || usesPorts(own.strategy, merged.socketOptions))
    return merged;
  const { ports, ...rest } = merged;
  return rest;
}

/** A scenario of the baseline, with what the variant's of that name changes. */
function mergeScenario(base: NamedScenario, variants: readonly NamedScenario[]): NamedScenario {
  const own = variants.find(({ name }) => name === base.name);
  if (own === undefined) return base;
  const destinations = own.destinations && mergeDestinations(base.destinations ?? {}, own.destinations);
  return { ...base, load: mergeLoad(base.load, own.load), destinations: destinations ?? base.destinations };
}

/** Whether a strategy picks from a port list that a profile may give. */
export function usesPorts(strategy: StrategyName, socketOptions: readonly SocketOption[] = []): boolean {
  return strategyOf(strategy).port === 'program' || optionsOf(strategy, socketOptions).includes('IP_LOCAL_PORT_RANGE');
}
