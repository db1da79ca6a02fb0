/**
 * Whether a fill that ends at so many failures will ever have one. Pure.
 */
import type { Arm } from '../plan/plan.js';
import { limitOf } from './limit.js';
import type { PredictInput } from './predict-input.js';

/**
 * Why no attempt of a fill can fail for want of a port, so that one which waits for failures goes on to its bound.
 * @returns a clause; undefined: some fail, or it is not known, or the fill ends by attempts or by a time that the profile names
 */
export function neverFails({ load, proxy, via, destinations }: Arm, input: PredictInput): string | undefined {
  const { arrival } = load;
  if (arrival.shape !== 'fill' || arrival.attempts !== null || arrival.withinMs !== undefined) return undefined;
  // What stands in between, or in the accept queue, has reasons of its own to fail.
  if (proxy || via || destinations.kind !== 'lab' || load.sink === 'listen-only') return undefined;
  const { top, after, parked } = limitOf(input);
  const atOnce = arrival.inFlight * load.workers;
  // One port less: of an odd range a search misses one.
  if (top.concurrent === null || atOnce + parked >= top.ports) return undefined;
  if (load.keepAlive)
    return `connections are used again, so no more than ${atOnce} of ${top.ports} ports are ever in use`;
  // A socket that does not wait for the FIN of the other side may still be open when its port is asked for.
  const closedAtOnce = load.close === 'reset' || (load.close === 'client' && load.drain);
  if (!closedAtOnce || load.holdMs !== 0 || after.seconds !== 0 || top.takesOver === 'random') return undefined;
  return `${after.why}, so no more than ${atOnce + parked} of ${top.ports} ports are ever in use`;
}
