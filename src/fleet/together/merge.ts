/**
 * One run that several machines made at once: counts are sums, histograms of one configuration are added, and quantiles come from the sum
 * alone. Pure.
 */
import type { Measurement } from '../../agent/protocol.js';
import { LATENCY_PHASES } from '../../domain/metric.js';
import { encodeHistograms, mergeHistograms, summarise } from '../../load/histogram.js';
import { scheduledAttempts } from '../../plan/arrival.js';
import type { Arm } from '../../plan/plan.js';
import type { Run, Second } from '../../results/schema.js';

/** What one machine measured, with the addresses that were its own. */
export interface Part {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly measurement: Measurement;
}

/** @param arm the whole; the addresses of the parts are a partition of its own @param parts at least one */
export function mergeParts(arm: Arm, parts: readonly Part[]): Measurement {
  const all = parts.map(({ measurement }) => measurement);
  const [first] = all;
  const histograms = mergeHistograms(all.map((part) => part.histograms));
  const attempts = sum(all.map((part) => part.attempts));
  const outcomes = sumOf(all.map((part) => part.outcomes));
  const seconds = Math.max(...all.map((part) => part.attempts / part.rates.scheduled).filter(Number.isFinite), 0);
  const perSecond = (count: number) => (seconds > 0 ? count / seconds : 0);
  const ok = outcomes.ok ?? 0;
  const client = {
    user: sum(all.map(({ cpu }) => cpu.client.user)),
    system: sum(all.map(({ cpu }) => cpu.client.system)),
  };
  const inOrder = (of: (part: Part) => readonly number[] | null) => perAddress(arm, parts, of);
  return {
    ...first!,
    problems: [...named(parts, ({ problems }) => problems), ...identityProblems(arm, parts)],
    generatorLimited: all.some((part) => part.generatorLimited),
    warnings: named(parts, ({ warnings }) => warnings),
    attempts,
    outcomes,
    rates: { scheduled: perSecond(attempts), started: perSecond(attempts - (outcomes.shed ?? 0)), ok: perSecond(ok) },
    capacity: {
      tuples: sum(all.map(({ capacity }) => capacity.tuples)),
      peakOpen: sum(all.map(({ capacity }) => capacity.peakOpen)),
      // Of the machine that had the fewest: nobody knows how many the others had at that instant.
      openAtFirstFailure: least(all.map(({ capacity }) => capacity.openAtFirstFailure)),
      okBeforeFirstFailure: least(all.map(({ capacity }) => capacity.okBeforeFirstFailure)),
    },
    waves: (first?.waves ?? []).map((_, i) => ({
      attempts: sum(all.map(({ waves }) => waves[i]?.attempts ?? 0)),
      outcomes: sumOf(all.map(({ waves }) => waves[i]?.outcomes ?? {})),
      firstFailureAt: least(all.map(({ waves }) => waves[i]?.firstFailureAt ?? null)),
    })),
    latency: Object.fromEntries(
      LATENCY_PHASES.flatMap((phase) => {
        const found = summarise(histograms[phase]);
        return found ? [[phase, found]] : [];
      }),
    ),
    ports: {
      ...first!.ports,
      peak: total(all.map(({ ports }) => ports.peak)),
      ...(first!.ports.taken === undefined ? {} : { taken: total(all.map(({ ports }) => ports.taken ?? null)) }),
      peakPerAddress: inOrder(({ measurement }) => measurement.ports.peakPerAddress),
      finalStates: sumOf(all.map(({ ports }) => ports.finalStates ?? {})),
    },
    cpu: {
      perConnection: ok > 0 ? ((client.user + client.system) * 1e6) / ok : null,
      client,
      origin: null,
    },
    memory: { peak: Math.max(...all.map(({ memory }) => memory.peak)) },
    counters: sumOf(all.map(({ counters }) => counters)),
    timeline: mergeTimelines(parts, inOrder),
    interrupted: all.some((part) => part.interrupted),
    loadMs: Math.max(...all.map((part) => part.loadMs)),
    histograms: encodeHistograms(histograms),
  };
}

/** Why the sums are not those of the load that was asked for. */
function identityProblems({ load }: Arm, parts: readonly Part[]): string[] {
  const uneven = parts.filter(({ measurement: { attempts, outcomes } }) => attempts !== sum(Object.values(outcomes)));
  const wanted = scheduledAttempts(load.arrival);
  const made = sum(parts.map(({ measurement }) => measurement.attempts));
  return [
    ...uneven.map(({ name }) => `${name}: its outcomes do not add up to its attempts`),
    ...(wanted === null || wanted === made || parts.some(({ measurement }) => measurement.interrupted)
      ? []
      : [`the machines made ${made} attempts together, those that were shed included, and ${wanted} were scheduled`]),
  ];
}

type InOrder = (of: (part: Part) => readonly number[] | null) => number[] | null;

/** Seconds are told by how long after its own start each was, never by the clock of a machine. */
function mergeTimelines(parts: readonly Part[], inOrder: InOrder): Second[] {
  const length = Math.max(...parts.map(({ measurement }) => measurement.timeline.length));
  return Array.from({ length }, (_, i): Second => {
    const seconds = parts.flatMap(({ measurement }) => measurement.timeline[i] ?? []);
    const isWhole = seconds.length === parts.length;
    return mergeSeconds(
      seconds,
      isWhole ? inOrder(({ measurement }) => measurement.timeline[i]!.portsPerAddress) : null,
    );
  });
}

/** The same second of several machines. @param portsPerAddress of all of them; null: not of each is it known */
function mergeSeconds(seconds: readonly Second[], portsPerAddress: number[] | null): Second {
  return {
    t: Math.max(...seconds.map(({ t }) => t)),
    attempts: sum(seconds.map((second) => second.attempts)),
    outcomes: sumOf(seconds.map((second) => second.outcomes)),
    states: sumOf(seconds.map(({ states }) => states ?? {})),
    portsInUse: total(seconds.map(({ portsInUse }) => portsInUse)),
    portsPerAddress,
    counters: sumOf(seconds.map(({ counters }) => counters)),
    cpu: { client: sum(seconds.map(({ cpu }) => cpu.client)), origin: null, machine: null },
    load1: null,
    memory: greatest(seconds.map(({ memory }) => memory)),
  };
}

/** What machines say of a run while it goes on, put together: a second when all have said it. */
export function createMeeting(arm: Arm, machines: readonly Pick<Part, 'name' | 'addresses'>[]) {
  const said = new Map(machines.map(({ name }): [string, Second[]] => [name, []]));
  let met = 0;
  return {
    /** @returns the seconds that are whole by this */
    take(machine: string, second: Second): Second[] {
      said.get(machine)?.push(second);
      const whole = Math.min(...[...said.values()].map(({ length }) => length));
      const fresh = Array.from({ length: whole - met }, (_, i): Second => {
        const of = (name: string) => said.get(name)![met + i]!;
        const ports = perAddress(arm, machines, ({ name }) => of(name).portsPerAddress);
        return mergeSeconds(
          machines.map(({ name }) => of(name)),
          ports,
        );
      });
      met = whole;
      return fresh;
    },
  };
}

/** Numbers of each machine's addresses, in the order of the arm's; null where one has none. */
function perAddress<P extends Pick<Part, 'addresses'>>(
  arm: Arm,
  parts: readonly P[],
  of: (part: P) => readonly number[] | null,
): number[] | null {
  const found = new Map<string, number>();
  for (const part of parts) {
    const numbers = of(part);
    if (numbers === null) return null;
    for (const [i, address] of part.addresses.entries()) found.set(address, numbers[i] ?? 0);
  }
  return arm.addresses.map((address) => found.get(address) ?? 0);
}

function named(parts: readonly Part[], of: (measurement: Measurement) => readonly string[]): Run['problems'] {
  return parts.flatMap(({ name, measurement }) => of(measurement).map((text) => `${name}: ${text}`));
}

function sum(values: readonly number[]): number {
  return values.reduce((before, value) => before + value, 0);
}

/** null where one is not known. */
function total(values: readonly (number | null)[]): number | null {
  return values.includes(null) ? null : sum(values as number[]);
}

function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

function sumOf(records: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const all: Record<string, number> = {};
  for (const record of records) for (const [key, value] of Object.entries(record)) all[key] = (all[key] ?? 0) + value;
  return all;
}
