/**
 * The agent's side of neighbours: where each is, its process, and when it begins.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PortRange } from '../../domain/units.js';
import { readLines, writeMessage } from '../../machine/ndjson.js';
import type { Neighbour } from '../../plan/plan.js';
import type { NeighbourRun } from '../../results/figures.js';
import { type NeighbourRoute, neighbourAddress, neighbourTarget } from '../place/network.js';
import type { NeighbourCommand, NeighbourEvent } from './neighbour-protocol.js';

/** A neighbour with the addresses that it has here, and the host of the lab's that it talks to. */
export interface PlacedNeighbour extends NeighbourRoute {
  readonly neighbour: Neighbour;
}

export function placeNeighbours(neighbours: readonly Neighbour[] = [], family: 4 | 6): PlacedNeighbour[] {
  return neighbours.map((neighbour, i) => ({
    neighbour,
    addresses: neighbour.addresses.length > 0 ? neighbour.addresses : [neighbourAddress(family, i)],
    target: neighbourTarget(family, i),
  }));
}

/** Those that are other programs in the namespace under test. */
export function beside(placed: readonly PlacedNeighbour[]): PlacedNeighbour[] {
  return placed.filter(({ neighbour }) => neighbour.where === 'beside');
}

/** What their hosts do, for the origin. */
export function hostsOf(placed: readonly PlacedNeighbour[]) {
  return placed.map(({ neighbour, target }) => ({ listen: [target], plan: neighbour.load }));
}

/** What a neighbour beside the subject is to do, in its own words. */
export function besideInput(
  { neighbour, addresses, target }: PlacedNeighbour,
  ports: PortRange,
  seed: number,
): NeighbourInput {
  return { plan: neighbour.load, addresses, targets: [target], ports, seed };
}

export type NeighbourInput = Extract<NeighbourCommand, { type: 'prepare' }>['input'];

/** The neighbours of a run, ready to begin. */
export interface Neighbours {
  /** The load begins so many microseconds from now: start those that begin by the clock. */
  begin(leadMicros: number): void;
  /** Every attempt of the load has its outcome: start those that have waited for it. @returns when all neighbours are through */
  afterLoad(): Promise<void>;
  /** End early. */
  stop(): void;
  finish(): Promise<NeighbourRun[]>;
  /** Rejects when one of them ends by itself. */
  readonly failure: Promise<never>;
  close(): void;
}

export interface NeighbourToOpen {
  readonly neighbour: Neighbour;
  readonly namespace: string | null;
  readonly input: NeighbourInput;
}

/** Start their processes; resolves when all are ready. Rejects when one cannot start. */
export async function openNeighbours(list: readonly NeighbourToOpen[]): Promise<Neighbours> {
  const opened = list.map(openNeighbour);
  const failure = Promise.race([new Promise<never>(() => {}), ...opened.map((each) => each.failure)]);
  failure.catch(() => {});
  const close = () => {
    for (const each of opened) each.close();
  };
  try {
    await Promise.all(opened.map((each) => each.prepared));
  } catch (error) {
    close();
    throw error;
  }
  return {
    begin(leadMicros) {
      for (const { neighbour, start } of opened)
        if (neighbour.afterMs !== null) start(leadMicros + neighbour.afterMs * 1000);
    },
    async afterLoad() {
      for (const { neighbour, start } of opened) if (neighbour.afterMs === null) start(0);
      await Promise.all(opened.map((each) => each.drained));
    },
    stop() {
      for (const each of opened) each.stop();
    },
    finish: () => Promise.all(opened.map((each) => each.finish())),
    failure,
    close,
  };
}

function openNeighbour({ neighbour, namespace, input }: NeighbourToOpen) {
  const { name } = neighbour;
  const program = fileURLToPath(new URL('./neighbour.js', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  // Writing to a process that has just died is not an error of its own: its end is reported by the next answer.
  child.stdin.on('error', () => {});
  let fail: (error: Error) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failure.catch(() => {});
  child.once('error', (error) => fail(new Error(`the neighbour ${name} could not be started: ${error.message}`)));
  const heard = new Map<NeighbourEvent['type'], (event: NeighbourEvent) => void>();
  const hear = <T extends NeighbourEvent['type']>(type: T) => {
    const event = new Promise<Extract<NeighbourEvent, { type: T }>>((resolve) => {
      heard.set(type, (found) => resolve(found as Extract<NeighbourEvent, { type: T }>));
    });
    const heardOrFailed = Promise.race([event, failure]);
    heardOrFailed.catch(() => {});
    return heardOrFailed;
  };
  const [prepared, drained, reported] = [hear('prepared'), hear('drained'), hear('report')];
  const tell = (command: NeighbourCommand) => writeMessage(child.stdin, command);
  void listen().catch(fail);
  tell({ type: 'prepare', namespace, input });

  async function listen(): Promise<void> {
    for await (const line of readLines(child.stdout)) {
      const event = JSON.parse(line) as NeighbourEvent;
      if (event.type === 'failed') fail(new Error(`the neighbour ${name} failed: ${event.message}`));
      else heard.get(event.type)?.(event);
    }
    fail(new Error(`the neighbour ${name} ended before it was told to${stderr ? `: ${stderr.trim()}` : ''}`));
  }

  return {
    neighbour,
    failure,
    prepared,
    drained,
    start: (leadMicros: number) => tell({ type: 'start', leadMicros }),
    stop: () => tell({ type: 'stop' }),
    async finish(): Promise<NeighbourRun> {
      tell({ type: 'finish' });
      return { name, ...(await reported).report };
    },
    close: () => void child.stdin.end(),
  };
}
