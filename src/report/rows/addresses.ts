/**
 * Ports in use per local address: how full the fullest and the emptiest were, and which filled up when. Pure.
 */
import { median } from '../../analysis/statistics.js';
import { comparedRuns } from '../../analysis/usable.js';
import { remembered } from '../../domain/remembered.js';
import { strategyOf } from '../../domain/strategy.js';
import type { Run, Second, Variant } from '../../results/schema.js';
import { MAX_SLICES, portsAvailable } from './medians.js';

/** One interval: ports in use on one address, medians over the compared runs. */
export interface AddressSlice {
  /** Seconds since the load started, at the end of the interval. */
  readonly t: number;
  /** Of the emptiest address, of the one in the middle, and of the fullest. */
  readonly least: number;
  readonly middle: number;
  readonly fullest: number;
}

/** Where searches become long, and where nothing is left: ports of one address. */
export interface AddressWalls {
  /** Null: the kernel's search has no such place. */
  readonly slow: number | null;
  /** Null: no run says which range was in force. */
  readonly hard: number | null;
}

/** The walls of one address of a variant, by its prediction and the port range that was in force. */
export function addressWalls(variant: Variant): AddressWalls {
  const available = portsAvailable(variant);
  const addresses = strategyOf(variant.load.strategy).address === 'chosen' ? variant.addresses.count : 1;
  const walked = variant.prediction.slowWall?.walked ?? 0;
  return { slow: walked > 0 ? walked : null, hard: available === null ? null : available / addresses };
}

/** What of a second these functions read. */
type AddressSecond = Pick<Second, 't' | 'portsPerAddress'>;

/** Empty where no run was looked into address by address. Long timelines are merged by their maximum. */
export const addressTimeline = remembered((variant: Variant): AddressSlice[] =>
  addressSlices(comparedRuns(variant).map(({ timeline }) => timeline)),
);

/** The same of the timelines of some runs, interval by interval. */
export function addressSlices(seconds: readonly (readonly AddressSecond[])[]): AddressSlice[] {
  const timelines = seconds.map((timeline) => slicesOf(timeline, MAX_SLICES));
  const length = Math.max(0, ...timelines.map((slices) => slices.length));
  return Array.from({ length }, (_, i) => {
    const slices = timelines.flatMap((slicesOfRun) => slicesOfRun[i] ?? []);
    const of = (pick: (ports: readonly number[]) => number) => median(slices.map(({ ports }) => pick(ports)))!;
    return {
      t: median(slices.map(({ t }) => t))!,
      least: of((ports) => Math.min(...ports)),
      middle: of((ports) => median(ports)!),
      fullest: of((ports) => Math.max(...ports)),
    };
  });
}

/** The addresses of one run against time. */
export interface AddressHeat {
  /** The run that is shown. */
  readonly run: string;
  /** The end of each interval, seconds since the load started. */
  readonly ends: readonly number[];
  readonly rows: readonly AddressRow[];
  /** As many as there are; more than rows where neighbours share one. */
  readonly addresses: number;
}

interface AddressRow {
  /** `10.50.0.7`, or `7 to 8` of more addresses than there are rows. */
  readonly name: string;
  /** Most ports in use on any of these addresses, interval by interval. */
  readonly ports: readonly number[];
}

/** A strip that is as wide as a phone shows no more. */
const HEAT_SLICES = 40;
/** More addresses than this share rows: a row needs some pixels. */
export const HEAT_ROWS = 100;

/**
 * One run of the arm, the one whose number of failures is in the middle: which address was full at one moment is a fact of a run, and
 * a median over runs with other draws would blur it.
 * @returns null where no compared run was looked into address by address
 */
export function addressHeat(variant: Variant): AddressHeat | null {
  const runs = comparedRuns(variant).filter((run) => run.timeline.some(isObserved));
  const failures = (run: Run) => run.attempts - (run.outcomes.ok ?? 0);
  const run = [...runs].sort((a, b) => failures(a) - failures(b) || a.order - b.order)[(runs.length - 1) >> 1];
  return run ? heatOf(run.id, run.timeline, variant.addresses) : null;
}

/** @returns null where no second was looked into address by address */
export function heatOf(
  run: string,
  timeline: readonly AddressSecond[],
  addresses: Variant['addresses'],
): AddressHeat | null {
  const slices = slicesOf(timeline, HEAT_SLICES);
  if (slices.length === 0) return null;
  const count = slices[0]!.ports.length;
  const group = Math.max(1, Math.ceil(count / HEAT_ROWS));
  const rows: AddressRow[] = [];
  for (let from = 0; from < count; from += group) {
    const to = Math.min(from + group, count);
    rows.push({
      name: to - from === 1 ? addressName(addresses, from) : `${from + 1} to ${to}`,
      ports: slices.map(({ ports }) => Math.max(...ports.slice(from, to))),
    });
  }
  return { run, ends: slices.map(({ t }) => t), rows, addresses: count };
}

function isObserved({ portsPerAddress }: AddressSecond): boolean {
  return portsPerAddress !== null && portsPerAddress.length > 0;
}

/** Intervals in which addresses were counted, merged by their maximum to at most so many. */
function slicesOf(timeline: readonly AddressSecond[], most: number): { t: number; ports: readonly number[] }[] {
  const seconds = timeline.filter(isObserved);
  const group = Math.max(1, Math.ceil(seconds.length / most));
  const slices: { t: number; ports: readonly number[] }[] = [];
  for (let from = 0; from < seconds.length; from += group) {
    const merged = seconds.slice(from, from + group);
    const ports = merged[0]!.portsPerAddress!.map((_, i) =>
      Math.max(...merged.map((second) => second.portsPerAddress![i] ?? 0)),
    );
    slices.push({ t: merged.at(-1)!.t, ports });
  }
  return slices;
}

/** The address itself where the set is a row of IPv4 addresses without a gap, else its number in the set. */
export function addressName({ count, first, last }: Variant['addresses'], index: number): string {
  const [from, to] = [ipv4(first), ipv4(last)];
  if (from === null || to === null || to - from + 1 !== count) return `address ${index + 1}`;
  const value = from + index;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

function ipv4(text: string): number | null {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  return match ? match.slice(1).reduce((sum, part) => sum * 256 + Number(part), 0) : null;
}
