/**
 * The connection of a command to its fleet.
 */
import { hostname } from 'node:os';
import { accessOf } from '../fleet/access.js';
import { type Bus, openBus } from '../fleet/bus.js';
import { type Dispatch, type DispatchInput, openDispatch } from '../fleet/controller/dispatch.js';
import { patiently } from '../fleet/patience.js';
import type { Settings } from '../fleet/protocol.js';
import { readSettings } from '../fleet/server/streams.js';
import type { FleetOptions } from './options.js';
import { note } from './terminal.js';

export interface Fleet {
  readonly bus: Bus;
  readonly settings: Settings;
  /** Agents that are waited for, and how long. */
  readonly agents: number;
  readonly waitMs: number;
}

/** How long agents, or the server, are waited for. */
const PATIENCE_MS = 60_000;

/** Do something with a fleet. Rejects with UserError, and with FleetError where it cannot be reached */
export async function withFleet<T>(options: FleetOptions, work: (fleet: Fleet) => Promise<T>): Promise<T> {
  const { agents = 1, wait: waitMs = PATIENCE_MS } = options;
  const access = accessOf(options.fleet, 'controller');
  const patience = { ms: waitMs, note };
  const bus = await patiently(patience, () => openBus(access, hostname()));
  try {
    const settings = await patiently(patience, () => readSettings(bus));
    return await work({ bus, settings, agents, waitMs });
  } finally {
    await bus.close();
  }
}

/** Have agents make units of an experiment. Every agent stops working on it when this ends, with or without an error. Rejects as the work does. */
export async function withDispatch<T>(
  { bus, settings, waitMs }: Fleet,
  of: Pick<DispatchInput, 'begin' | 'experiment' | 'queues' | 'live'>,
  work: (dispatch: Dispatch) => Promise<T>,
): Promise<T> {
  const dispatch = await openDispatch({ bus, settings, ...of, patienceMs: waitMs, note });
  try {
    return await work(dispatch);
  } finally {
    await dispatch.close();
  }
}
