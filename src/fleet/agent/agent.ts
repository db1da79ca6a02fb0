/**
 * An agent of a fleet: says that it is there, takes one unit at a time, makes it, and hands in what came of it.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { describeEnvironment } from '../../agent/place/environment.js';
import { messageOf } from '../../domain/error.js';
import { withLockedFolder } from '../../experiment/folder-lock.js';
import type { Note } from '../../lab/lab.js';
import { makeFolder } from '../../machine/folders.js';
import type { Access } from '../access.js';
import { type Bus, openBus, type Pulled } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type Done, type Job, type Settings, type Unit, unitSchema } from '../protocol.js';
import { readSettings } from '../server/streams.js';
import { consumerName, STREAMS, SUBJECTS } from '../subjects.js';
import type { MachineState } from './abilities.js';
import { answerQuestions } from './answers.js';
import { followJobs } from './jobs.js';
import type { Leave } from './leave.js';
import { makeUnit } from './make-unit.js';
import { completed, handIn, leftFolders } from './outbox.js';
import { createParticipation } from './participation.js';
import { startPresence } from './presence.js';

export interface AgentOptions {
  readonly access: Access;
  readonly name: string;
  /** Where units are made, and kept until the server has them. */
  readonly state: string;
  readonly leave: Leave;
  readonly machine: MachineState;
  readonly note: Note;
  readonly signal: AbortSignal;
}

/** A unit that was given to so many is not given to one more: it ends whoever takes it. */
const MOST_DELIVERIES = 10;
/** Beats without a server after which a unit is ended: its experiment may have ended long ago. */
const ALONE_BEATS = 20;
/** How long an agent that starts waits for its server. */
const SERVER_MS = 60_000;
/** How long one of several queues is waited at. */
const TURN_MS = 250;

/** Serve a fleet until the signal is aborted. Rejects with FleetError where it cannot be reached, or has such an agent. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { name, note, state } = options;
  makeFolder(state, 0o700);
  await withLockedFolder(state, note, async () => {
    const bus = await connected(options);
    try {
      await serve(bus, await readSettings(bus), options);
      note(`agent ${name} has left the fleet`);
    } finally {
      await bus.close();
    }
  });
}

/** An agent may be started before its server, as where both begin with their machines. */
async function connected({ access, name, note, signal }: AgentOptions): Promise<Bus> {
  const deadline = performance.now() + SERVER_MS;
  for (let said = false; ; said = true) {
    try {
      return await openBus(access, name);
    } catch (error) {
      if (performance.now() > deadline || signal.aborted) throw error;
      if (!said) note(`${messageOf(error)}; tried again for ${SERVER_MS / 1000} s`);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 1_000)), ended(signal)]);
    }
  }
}

async function serve(bus: Bus, settings: Settings, options: AgentOptions): Promise<void> {
  const { access, name, machine, leave, note, signal, state } = options;
  const { beatMs } = settings;
  const presence = await startPresence(bus, { name, ...machine, allow: [...leave.allow] }, settings);
  note(`agent ${name} is in the fleet at ${access.url}`);
  /** The experiment whose unit is under way, and what ends that. */
  let underWay: { readonly experiment: string; readonly ending: AbortController } | null = null;
  const jobs = followJobs(bus, () => {
    if (underWay !== null && !jobs.isOpen(underWay.experiment)) underWay.ending.abort();
  });
  const answers = answerQuestions(bus, name, leave, (doing) => presence.change({ doing }), note);
  const participation = createParticipation(jobs, presence, answers, leave, note);

  const make = async (pulled: Pulled, job: Job, unit: Unit, ending: AbortSignal): Promise<void> => {
    const { experiment, id } = unit;
    const attempt = `${name}-${randomBytes(4).toString('hex')}`;
    const dir = join(state, `${experiment}.${id}.${attempt}`);
    const station = participation.stationOf(experiment);
    const onRun = (run: string) => bus.say(SUBJECTS.live(experiment), encode({ agent: name, unit: id, run }));
    try {
      const isMade = await answers.alone(() => makeUnit({ unit, job, station, dir, signal: ending, note, onRun }));
      if (!isMade) return pulled.giveBack(0);
      completed(dir, { experiment, unit: id, attempt, agent: name, environment: describeEnvironment('netns') });
    } catch (error) {
      // A disk that is full, a lab that is gone: another machine may do better.
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
    if (found === undefined) return Promise.race([jobs.news(beatMs), ended(signal)]);
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
        if (bus.awayMs() === 0) note(`the server did not do as asked (${messageOf(error)}); asked again in a moment`);
        await Promise.race([new Promise((resolve) => setTimeout(resolve, beatMs)), ended(signal)]);
      });
  } finally {
    presence.stop();
    answers.stop();
    jobs.stop();
    await participation.close();
  }
}

async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
