/**
 * What `plan` says of an arm's capacity beyond its ceiling: the slow wall, when the load comes to each wall, what a simulation
 * expects where there is no closed form, and how all that is known. Pure.
 */
import type { Walls } from '../capacity/time-until.js';
import type { Prediction } from '../results/schema.js';
import { formatLeft } from './progress.js';

export interface ArmCapacity {
  readonly prediction: Prediction;
  readonly walls: Walls;
  /** The arrivals of one run last so long; null: as long as it takes. */
  readonly seconds: number | null;
}

/** Ports that a search walks in vain before anybody notices: at 50 to 220 ns each, a tenth of a millisecond. */
const NOTICEABLE = 500;

/** Sentences, without what the baseline's have said already. */
export function capacityLines(arm: ArmCapacity, baseline: ArmCapacity): string[] {
  const { known } = arm.prediction;
  const said = arm !== baseline && known?.why === baseline.prediction.known?.why;
  return [
    ...slowLines(arm, baseline),
    ...whenLines(arm),
    ...simulatedLines(arm),
    ...(known && !said ? [`known: ${known.why}`] : []),
  ];
}

function noticedWall({ prediction: { slowWall } }: ArmCapacity): Prediction['slowWall'] {
  return slowWall && slowWall.walked >= NOTICEABLE ? slowWall : null;
}

function slowLines(arm: ArmCapacity, baseline: ArmCapacity): string[] {
  const wall = noticedWall(arm);
  if (!wall) return [];
  const rate = wall.rate === null ? '' : `, which ${perSecond(wall.rate)} leads to`;
  const said = arm !== baseline && wall.why === noticedWall(baseline)?.why;
  return [`slow from ${number(wall.tuples)} at once${rate}${said ? '' : `: ${wall.why}`}`];
}

function whenLines(arm: ArmCapacity): string[] {
  const { walls, seconds } = arm;
  const after = (at: number) => {
    const past = seconds !== null && at > seconds ? ', past the end of the run' : '';
    return at === 0 ? 'at once' : `after ${duration(at)}${past}`;
  };
  const parts = [
    ...(noticedWall(arm) && walls.slow !== null ? [`slow ${after(walls.slow)}`] : []),
    ...(walls.hard === null ? [] : [`full ${after(walls.hard)}`]),
  ];
  return parts.length === 0 ? [] : [`at this rate: ${parts.join('; ')}`];
}

function simulatedLines({ prediction: { simulated } }: ArmCapacity): string[] {
  if (!simulated) return [];
  const { ok, beforeFirstFailure: first, runs, scaledTo, attempts } = simulated;
  const between = ok.low === ok.high ? number(ok.low) : `${number(ok.low)} to ${number(ok.high)}`;
  const failure = first === null ? '' : `; the first failure after ${number(first.low)} to ${number(first.high)}`;
  const scaled = scaledTo === null ? '' : ', scaled down';
  return [`simulated (${runs} runs${scaled}): ${between} of ${number(attempts)} ok${failure}`];
}

const number = (value: number) => Math.round(value).toLocaleString('en');

/** Connections per second, short. */
export function perSecond(rate: number): string {
  return rate < 10 ? `${Number(rate.toPrecision(2))}/s` : `${number(rate)}/s`;
}

function duration(seconds: number): string {
  return seconds < 100 ? `${Number(seconds.toPrecision(2))} s` : formatLeft(seconds * 1000);
}
