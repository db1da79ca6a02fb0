/**
 * The ports that the neighbours of a load have when it needs them: those of other programs beside the subject, and those that a proxy takes for
 * its other clients. Pure.
 */
import { transportOf } from '../domain/protocol.js';
import { strategyOf } from '../domain/strategy.js';
import type { PortRange } from '../domain/units.js';
import { scheduledAttempts } from '../plan/arrival.js';
import type { Arm, Neighbour } from '../plan/plan.js';
import type { KernelVersion } from './kernel-version.js';
import { limitOf } from './limit.js';
import { inputOf, type PredictInput, searchedRange } from './predict-input.js';

/**
 * The most ports that they have at once during the load, TIME_WAIT included. One that begins when the load has its outcomes has none of them.
 * @param defaults sysctls as read in a fresh lab, name → value
 */
export function heldByNeighbours(
  neighbours: readonly Neighbour[],
  arm: Arm,
  kernel: KernelVersion,
  defaults: Readonly<Record<string, string>>,
): Pick<PredictInput, 'heldHere' | 'heldElsewhere'> {
  const { address, port } = strategyOf(arm.load.strategy);
  let [here, elsewhere] = [0, 0];
  for (const neighbour of neighbours) {
    if (neighbour.service) {
      if (transportOf(arm.load.protocol) === 'tcp')
        here += overlap(neighbour.service.ports, searchedRange(inputOf(arm, kernel, defaults)));
      continue;
    }
    if (neighbour.afterMs === null) continue;
    // TCP and UDP have ports of their own.
    const transport = transportOf(neighbour.load.protocol);
    if (neighbour.where === 'beside' && transport !== transportOf(arm.load.protocol)) continue;
    const held = heldBy(neighbour, arm, kernel, defaults);
    // For them the proxy goes to another host: where connect() chooses the port, that is another pool.
    if (neighbour.where === 'through')
      here += port === 'bind' ? held / (address === 'chosen' ? arm.addresses.length : 1) : 0;
    else if (transport === 'udp') {
      // One that names its peer in each datagram stays without an address, and bars its port on all of them.
      if (neighbour.load.peer !== 'connect' && strategyOf(neighbour.load.strategy).address !== 'chosen') here += held;
      else elsewhere += held;
    }
    // It has an address of its own.
    else if (strategyOf(neighbour.load.strategy).port === 'bind' || address === 'any') elsewhere += held;
  }
  return { heldHere: Math.ceil(here), heldElsewhere: elsewhere };
}

/** A service listens from the beginning, on all addresses. */
function overlap(a: PortRange, b: PortRange): number {
  return Math.max(0, Math.min(a.high, b.high) - Math.max(a.low, b.low) + 1);
}

function heldBy(
  { where, load }: Neighbour,
  arm: Arm,
  kernel: KernelVersion,
  defaults: Readonly<Record<string, string>>,
): number {
  const { proxy: _, via: __, ...beside } = arm;
  const own = where === 'through' ? { ...arm, load: { ...load, strategy: arm.load.strategy } } : { ...beside, load };
  const { after } = limitOf(inputOf(own, kernel, defaults));
  const attempts = scheduledAttempts(load.arrival) ?? Number.POSITIVE_INFINITY;
  if (load.holdMs === null || after.latest === null || load.arrival.shape !== 'constant') return attempts;
  return Math.min(attempts, Math.max(1, Math.ceil(load.arrival.rate * (load.holdMs / 1000 + after.latest))));
}
