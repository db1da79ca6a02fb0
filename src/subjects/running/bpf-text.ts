/**
 * What a program of bpftrace(8) prints for us, with `-f json`. Pure.
 */
import { unlessThrown } from '../../domain/error.js';

/** What a program prints when its probes are attached. */
export const BPF_READY = 'bindstorm-ready';
/** What it prints behind the maps that it was asked for. */
export const BPF_COUNTED = 'bindstorm-counted';

/** Maps by their names, and of each its values by keys, whose parts are joined by commas. */
type Maps = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** The maps of a line; none where it is another line. */
export function mapsOf(line: string): Maps {
  const value: { type?: unknown; data?: unknown } = unlessThrown(() => JSON.parse(line), {});
  return value.type === 'map' ? (value.data as Maps) : {};
}
