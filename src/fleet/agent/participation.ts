/**
 * In which experiments an agent takes part: those of its build that its machine can make, as the machine that began them would.
 */
import { messageOf } from '../../domain/error.js';
import type { Note } from '../../lab/lab.js';
import { buildSum } from '../build.js';
import type { Job, Queue } from '../protocol.js';
import type { Answers } from './answers.js';
import type { Jobs } from './jobs.js';
import { type Leave, refusalOf } from './leave.js';
import type { Presence } from './presence.js';
import { type Station, whyNotHere } from './station.js';
import type { Workshop } from './workshop.js';

export interface Participation {
  /** The queues from which this agent can take a unit now. */
  queues(): Promise<{ readonly job: Job; readonly queue: Queue }[]>;
  /** The labs of an experiment of runs. */
  stationOf(experiment: string): Station | null;
  /** Take no more units of an experiment, and say why. */
  refuse(experiment: string, why: string): void;
  /** Release what experiments that have ended had. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** @param answers for what the machine does alone */
export function createParticipation(
  jobs: Jobs,
  presence: Presence,
  answers: Answers,
  leave: Leave,
  { openStation }: Workshop,
  note: Note,
): Participation {
  /** null: a job that needs none. */
  const stations = new Map<string, Station | null>();
  const release = (station: Station | null | undefined) =>
    station?.close().catch((error: unknown) => note(messageOf(error)));
  const refuse = (experiment: string, why: string) => {
    note(`takes no part in ${experiment}: ${why}`);
    presence.change({ refuses: { ...presence.state().refuses, [experiment]: why } });
  };
  /** @returns why not; null: it does, and its labs are there */
  const join = async ({ experiment, begin, build }: Job): Promise<string | null> => {
    if (build !== buildSum()) return `its controller is of another build (${build}) than this agent (${buildSum()})`;
    if (begin.type !== 'begin') return 'it is not work for a fleet';
    if (begin.kind === 'fixes') {
      stations.set(experiment, null);
      return null;
    }
    const refusal = refusalOf(begin.experiment, leave);
    if (refusal !== null) return refusal;
    try {
      const station = await answers.alone(() => openStation(begin.experiment, note));
      const why = whyNotHere(begin, station.places);
      if (why === null) stations.set(experiment, station);
      else await release(station);
      return why;
    } catch (error) {
      return messageOf(error);
    }
  };
  const takesPart = async (job: Job): Promise<boolean> => {
    if (job.experiment in presence.state().refuses) return false;
    if (stations.has(job.experiment)) return true;
    const why = await join(job);
    if (why !== null) refuse(job.experiment, why);
    return why === null;
  };
  return {
    async queues() {
      const { abilities } = presence.state();
      const found: { job: Job; queue: Queue }[] = [];
      for (const job of jobs.open()) {
        const able = job.queues.filter(({ needs }) => needs.every((need) => abilities.includes(need)));
        if (able.length > 0 && (await takesPart(job))) found.push(...able.map((queue) => ({ job, queue })));
      }
      return found;
    },
    stationOf: (experiment) => stations.get(experiment) ?? null,
    refuse,
    async tidy() {
      for (const [experiment, station] of stations)
        if (!jobs.isOpen(experiment)) {
          stations.delete(experiment);
          await release(station);
        }
      const refuses = Object.entries(presence.state().refuses);
      const left = refuses.filter(([experiment]) => jobs.isOpen(experiment));
      if (left.length < refuses.length) presence.change({ refuses: Object.fromEntries(left) });
    },
    async close() {
      for (const station of stations.values()) await release(station);
    },
  };
}
