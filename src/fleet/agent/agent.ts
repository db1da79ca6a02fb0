/**
 * An agent of a fleet: says that it is there, takes one unit at a time, makes it, and hands in what came of it.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeEnvironment } from '../../agent/place/environment.js';
import { messageOf } from '../../domain/error.js';
import { withLockedFolder } from '../../experiment/folder-lock.js';
import type { Note } from '../../lab/lab.js';
import { makeFolder } from '../../machine/folders.js';
import type { Second } from '../../results/schema.js';
import type { Access } from '../access.js';
import { type Bus, openBus, type Pulled } from '../bus.js';
import { decode, encode } from '../messages.js';
import { patiently, pause } from '../patience.js';
import { type Done, type Job, type Live, slim, type Unit, unitSchema } from '../protocol.js';
import { readSettings } from '../server/streams.js';
import { consumerName, STREAMS, SUBJECTS } from '../subjects.js';
import type { MachineState } from './abilities.js';
import { answerQuestions } from './answers.js';
import { followJobs } from './jobs.js';
import type { Leave } from './leave.js';
import { completed, handIn, leftFolders } from './outbox.js';
import { createParticipation } from './participation.js';
import { startPresence } from './presence.js';
import { type TakesBuild, takeBuilds } from './take-build.js';
import { HERE, type Workshop } from './workshop.js';

export interface AgentOptions {
  readonly access: Access;
  readonly name: string;
  /** Where units are made, and kept until the server has them. */
  readonly state: string;
  readonly leave: Leave;
  readonly machine: MachineState;
  readonly takes: TakesBuild;
  readonly note: Note;
  readonly signal: AbortSignal;
  /** Where units are made; absent: in this machine's labs. */
  readonly workshop?: Workshop;
}

/** A unit that was given to so many is not given to one more: it ends whoever takes it. */
const MOST_DELIVERIES = 10;
/** Beats without a server after which a unit is ended: its experiment may have ended long ago. */
const ALONE_BEATS = 20;
/** How long an agent that starts waits for its server. */
const SERVER_MS = 60_000;
/** How long one of several queues is waited at. */
const TURN_MS = 250;

/**
 * Serve a fleet until the signal is aborted, or until another build is to go on in this one's place.
 * @returns the command line of that build; null: it was aborted. Rejects with FleetError where it cannot be reached, or has such an agent
 */
export async function runAgent(options: AgentOptions): Promise<string | null> {
  const { name, note, state } = options;
  makeFolder(state, 0o700);
  return withLockedFolder(state, note, async () => {
    const bus = await fromStart(options, () => openBus(options.access, name));
    try {
      const next = await serve(bus, options);
      if (next === null) note(`agent ${name} has left the fleet`);
      return next;
    } finally {
      await bus.close();
    }
  });
}

/** An agent may be started before its server, as where both begin with their machines, and while that is started anew. */
function fromStart<T>({ note, signal }: AgentOptions, work: () => Promise<T>): Promise<T> {
  return patiently({ ms: SERVER_MS, note, signal }, work);
}

async function serve(bus: Bus, options: AgentOptions): Promise<string | null> {
  const { access, name, machine, leave, note, state, takes, workshop = HERE } = options;
  const leaving = new AbortController();
  const signal = AbortSignal.any([options.signal, leaving.signal]);
  const settings = await fromStart(options, () => readSettings(bus));
  const { beatMs } = settings;
  const own = { name, ...machine, allow: [...leave.allow], takes: takes !== null };
  const presence = await fromStart(options, () => startPresence(bus, own, settings));
  note(`agent ${name} is in the fleet at ${access.url}`);
  /** The experiment whose unit is under way, and what ends that. */
  let underWay: { readonly experiment: string; readonly ending: AbortController } | null = null;
  const jobs = followJobs(bus, () => {
    if (underWay !== null && !jobs.isOpen(underWay.experiment)) underWay.ending.abort();
  });
  const answers = answerQuestions(bus, name, leave, workshop, presence, note);
  const participation = createParticipation(jobs, presence, answers, leave, workshop, note);
  const busyWith = () => presence.state().doing?.experiment ?? null;
  const taking = takeBuilds(bus, name, takes, busyWith, answers.alone, note);
  let next: string | null = null;
  void taking.next.then((main) => {
    next = main;
    leaving.abort();
  });

  const make = async (pulled: Pulled, job: Job, unit: Unit, ending: AbortSignal): Promise<void> => {
    const { experiment, id } = unit;
    const attempt = `${name}-${randomBytes(4).toString('hex')}`;
    const dir = join(state, `${experiment}.${id}.${attempt}`);
    const station = participation.stationOf(experiment);
    const say = (run: string, second?: Second) =>
      bus.say(SUBJECTS.live(experiment), encode({ agent: name, unit: id, run, second } satisfies Live));
    const onRun = (run: string) => say(run);
    const onSecond = (run: string, second: Second) => job.live && say(run, slim(second));
    try {
      const isMade = await answers.alone(() =>
        workshop.makeUnit({ unit, job, station, dir, signal: ending, note, onRun, onSecond }),
      );
      if (!isMade) {
        rmSync(dir, { recursive: true, force: true });
        return pulled.giveBack(0);
      }
      completed(dir, { experiment, unit: id, attempt, agent: name, environment: describeEnvironment('netns') });
    } catch (error) {
      // A disk that is full, a lab that is gone: another machine may do better.
      rmSync(dir, { recursive: true, force: true });
      participation.refuse(experiment, messageOf(error));
      return pulled.giveBack(0);
    }
    const taken = await handIn(bus, dir, signal, note);
    if (taken === null) return;
    pulled.done();
    note(`${id} of ${experiment}: ${taken ? 'made' : 'made, but another agent was faster'}`);
  };

  const take = async (pulled: Pulled, job: Job): Promise<void> => {
    const unit = decode(pulled.data, unitSchema);
    const { experiment, id } = unit;
    const subject = SUBJECTS.done(experiment, id);
    if ((await bus.last(STREAMS.journal, subject)) !== null) return pulled.done();
    if (pulled.deliveries > MOST_DELIVERIES) {
      const why = `${id} was given to agents ${MOST_DELIVERIES} times, and none has finished it`;
      const done: Done = { experiment, unit: id, attempt: name, agent: name, end: { how: 'gave-up', why } };
      await bus.claim(subject, encode(done), 0);
      return pulled.done();
    }
    const ending = new AbortController();
    underWay = { experiment, ending };
    presence.change({ doing: { experiment, unit: id } });
    const timer = setInterval(() => {
      pulled.working();
      if (bus.awayMs() > ALONE_BEATS * beatMs) ending.abort();
      jobs.refresh().catch(() => {});
    }, beatMs);
    try {
      await make(pulled, job, unit, AbortSignal.any([signal, ending.signal]));
    } finally {
      clearInterval(timer);
      underWay = null;
      presence.change({ doing: null });
    }
  };

  const takeOne = async (turn: number): Promise<void> => {
    await jobs.refresh();
    await participation.tidy();
    const queues = await participation.queues();
    const found = queues[turn % Math.max(queues.length, 1)];
    if (found === undefined) return jobs.news(beatMs, signal);
    const { job, queue } = found;
    const ms = queues.length === 1 ? beatMs : Math.min(TURN_MS, beatMs);
    const pulled = await bus.pull(STREAMS.work, consumerName(job.experiment, queue.name), ms);
    if (pulled !== null) await take(pulled, job);
  };

  try {
    for (const dir of leftFolders(state)) await handIn(bus, dir, signal, note);
    for (let turn = 0; !signal.aborted; turn++)
      await takeOne(turn).catch(async (error: unknown) => {
        // Nothing is answered while there is no server; the connection is made again when there is one.
        if (bus.awayMs() === 0) note(`${messageOf(error)}; asked again in a moment`);
        await pause(beatMs, signal);
      });
  } finally {
    presence.stop();
    taking.stop();
    answers.stop();
    jobs.stop();
    await participation.close();
  }
  return next;
}
