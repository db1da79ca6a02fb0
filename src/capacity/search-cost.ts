/**
 * What the kernel's search for a port costs an arm: past the slow wall each attempt walks many ports in vain, and each that fails walks
 * them all. Below the wall it is microseconds, and left out. Pure.
 */
import { transportOf } from '../domain/protocol.js';
import { strategyOf } from '../domain/strategy.js';
import { arrivalDurationMs, scheduledAttempts } from '../plan/arrival.js';
import type { Arm } from '../plan/plan.js';
import type { Prediction } from '../results/schema.js';
import { TIME_WAIT_SECONDS } from './time-wait.js';

/**
 * Nanoseconds for a port that is taken, measured on 6.18 with ranges of 9,000 and 16,000 ports: bind() 200 (half full) to 281 (full), with
 * SO_REUSEADDR 278, connect() 51 to 69, and so sendto() of UDP. A list of the program's own is walked by the program.
 */
const PORT_NS = { bind: 200, connect: 51, sendto: 51, program: 0 } as const;
/** A search for a UDP port that fails looks into each of the slots of the kernel's table, 65,536 of them here, however few ports there are. */
const DATAGRAM_IN_VAIN_S = 1.4e-3;
/** A search that fails costs so much more a port. */
const IN_VAIN = 1.4;

/**
 * Seconds of CPU that the searches of one run take, all together.
 * @param ports of one address
 */
export function searchSeconds({ load }: Arm, { slowWall, concurrent, sustained }: Prediction, ports: number): number {
  if (!slowWall) return 0;
  const { arrival } = load;
  const seconds = (arrivalDurationMs(arrival) ?? 0) / 1000;
  const waves = arrival.shape === 'fill' ? arrival.waves : 1;
  const attempts = (scheduledAttempts(arrival) ?? openEnded(arrival, concurrent)) / waves;
  if (seconds > 0 && slowWall.rate !== null && attempts / seconds <= slowWall.rate) return 0;
  // What is closed comes back after TIME_WAIT, as fast as it can be sustained.
  const back = (sustained ?? 0) * Math.max(0, seconds - TIME_WAIT_SECONDS);
  const failed = concurrent === null ? 0 : Math.max(0, attempts - concurrent - back);
  const slow = Math.max(0, attempts - failed - slowWall.tuples);
  if (transportOf(load.protocol) === 'udp') return waves * (slow + failed) * DATAGRAM_IN_VAIN_S;
  const walked = slow * slowWall.walked + failed * ports * IN_VAIN;
  return (waves * walked * PORT_NS[strategyOf(load.strategy).port]) / 1e9;
}

/** Attempts of arrivals that end when they fail, or are held. */
function openEnded(arrival: Arm['load']['arrival'], concurrent: number | null): number {
  if (arrival.shape === 'hold') return arrival.connections;
  return arrival.shape === 'fill' ? ((concurrent ?? 0) + (arrival.failures ?? 0)) * arrival.waves : 0;
}
