/**
 * How a program of the user's used its ports: medians over an arm's compared runs, and what of it was seen in its calls. Pure.
 */
import { comparedRuns, TIMES } from '../../analysis/usable.js';
import { parseMetric } from '../../domain/metric.js';
import { printable } from '../../domain/printable.js';
import { type RecognisedClient, recogniseClient } from '../../explain/clients.js';
import type { Results, Run, Variant } from '../../results/schema.js';
import { programOf } from '../../subjects/index.js';
import type { Syscalls } from '../../subjects/proxy-report.js';
import { type Counted, medianCounts, medianOf } from './medians.js';
import { isProgram, refusedCalls } from './proxy.js';

export interface ProgramRow {
  readonly name: string;
  readonly command: string;
  readonly requests: number | null;
  readonly connections: number | null;
  /** Ports per request. */
  readonly perRequest: number | null;
  /** UDP sockets for which the kernel chose a port, in all and at once; null: not counted. */
  readonly datagrams: { readonly sockets: number; readonly peak: number } | null;
  /** Share of the requests on a connection that had had one before, from 0 to 1. */
  readonly reused: number | null;
  /** Who closed first: connections. `open`: not closed by the program until its end. */
  readonly closed: readonly Counted[];
  /** How ports were chosen: `connect` → connections; empty where calls were not counted. */
  readonly strategies: readonly Counted[];
  /** To where: `203.0.113.7:443` → connections. */
  readonly destinations: readonly Counted[];
  /** `connect EADDRNOTAVAIL` → calls. */
  readonly refused: readonly Counted[];
  /** Ms that connections had lain idle when the program closed them, p50. */
  readonly idle: number | null;
  /** How it ended by itself, in each way once. */
  readonly ended: readonly string[];
  readonly cpuSeconds: number | null;
  readonly memory: number | null;
  /** Requests a second that the ports sustain; null: not limited by ports, or not known. */
  readonly sustained: number | null;
  readonly client: RecognisedClient | null;
  /** The last lines that it printed. */
  readonly tail: readonly string[];
}

/** One row an arm; none where the subject is no program of the user's. */
export function programRows({ variants }: Results): ProgramRow[] {
  return variants.filter(isProgram).map(rowOf);
}

const PER_REQUEST = parseMetric('ports.perRequest');

function rowOf(variant: Variant): ProgramRow {
  const runs = comparedRuns(variant);
  const { observed } = variant;
  const traced = [...runs, ...(observed?.status === 'ok' ? [observed] : [])].flatMap(
    ({ proxy }) => proxy?.syscalls ?? [],
  );
  const ways = (by: 'strategy' | 'to') =>
    medianCounts(
      traced.flatMap((calls) => (calls.ways ? [sums(calls.ways.map((way) => [way[by], way.connections]))] : [])),
    );
  const perRequest = medianOf(variant, PER_REQUEST.value);
  const { sustained } = variant.prediction;
  const { binary } = programOf(variant.proxy!);
  return {
    name: variant.name,
    command: printable('command' in variant.proxy! ? variant.proxy.command.join(' ') : binary),
    requests: medianOf(variant, ({ outcomes }) => outcomes.ok ?? 0),
    connections: medianOf(variant, ({ origin }) => origin?.accepted),
    perRequest,
    datagrams: datagramsOf(traced),
    reused: medianOf(variant, ({ origin }) =>
      origin?.seen && origin.seen.requests > 0 ? 1 - origin.seen.used / origin.seen.requests : null,
    ),
    closed: medianCounts(runs.flatMap(closedBy)).filter(([, count]) => count > 0),
    strategies: ways('strategy'),
    destinations: ways('to'),
    refused: medianCounts(traced.map(({ failures }) => Object.fromEntries(refusedCalls(failures)))),
    idle: medianOf(variant, ({ origin }) => origin?.seen?.idle?.p50),
    ended: [...new Set(runs.flatMap(({ proxy }) => proxy?.ended ?? []))],
    cpuSeconds: medianOf(variant, ({ proxy }) => proxy && proxy.cpu.user + proxy.cpu.system, TIMES),
    memory: medianOf(variant, ({ proxy }) => proxy?.memory.peak),
    sustained: sustained === null || !perRequest ? null : sustained / perRequest,
    client: recogniseClient(
      sums(runs.flatMap(({ origin }) => Object.entries(origin?.seen?.agents ?? {}))),
      lastPart(binary),
    ),
    tail: (runs[0]?.proxy?.tail ?? []).map(printable),
  };
}

/** The most of any run that was traced. */
function datagramsOf(traced: readonly Syscalls[]): ProgramRow['datagrams'] {
  const seen = traced.filter(({ by }) => by === 'strace').map(({ datagrams }) => datagrams ?? { sockets: 0, peak: 0 });
  if (seen.length === 0) return null;
  return {
    sockets: Math.max(...seen.map(({ sockets }) => sockets)),
    peak: Math.max(...seen.map(({ peak }) => peak)),
  };
}

/** A program that ends closes what it left open, which the other side cannot tell from a close. */
function closedBy({ origin, proxy }: Run): Record<string, number>[] {
  if (!origin?.seen) return [];
  const { client, server, reset, open } = origin.seen.closedFirst;
  const left = Math.min(proxy?.syscalls?.connections?.open ?? open, client + open);
  return [
    { 'the program': client + open - left, 'the other side': server, 'the program, by RST': reset, nobody: left },
  ];
}

function sums(entries: readonly (readonly [string, number])[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [key, count] of entries) found[key] = (found[key] ?? 0) + count;
  return found;
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
