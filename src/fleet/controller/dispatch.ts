/**
 * Units, from the queue to what came of them: the controller of an experiment puts them to work, and takes each result once, whatever was
 * made how often.
 */
import { hostname } from 'node:os';
import { messageOf } from '../../domain/error.js';
import type { JournalBegin } from '../../experiment/journal-entry.js';
import type { Note } from '../../lab/lab.js';
import { buildSum } from '../build.js';
import { type Bus, FleetError, NoAnswer } from '../bus.js';
import { decode, decoded, encode } from '../messages.js';
import { patiently } from '../patience.js';
import { type Files, fromPieces } from '../pieces.js';
import {
  type Done,
  doneSchema,
  type Job,
  type Live,
  liveSchema,
  type Queue,
  type Settings,
  type Unit,
} from '../protocol.js';
import { SILENT_BEATS } from '../server/streams.js';
import { consumerName, STREAMS, SUBJECTS } from '../subjects.js';
import { type Attendance, followAgents } from './attendance.js';
import { takeLease } from './lease.js';

/** What came of a unit. */
export type UnitEnd =
  | { readonly how: 'made'; readonly agent: string; readonly environment: MadeEnvironment; readonly files: Files }
  | { readonly how: 'gave-up'; readonly why: string };
type MadeEnvironment = Extract<Done['end'], { how: 'made' }>['environment'];

/** A unit, and the queue of those who can make it. */
export interface QueuedUnit {
  readonly unit: Unit;
  readonly queue: string;
}

export interface Dispatch {
  /**
   * Have units made. Each end is given once, in the order in which they come.
   * @returns why those that are missing will not be made; null: none is, or the signal was aborted
   */
  make(
    units: readonly QueuedUnit[],
    took: (unit: Unit, end: UnitEnd) => void,
    signal: AbortSignal,
  ): Promise<string | null>;
  /** @param heard told what agents begin with, and of a job that is looked at each second, as far as it comes through @returns ends it */
  hearLive(heard: (live: Live) => void): () => void;
  /** What is known of units from before, in their order. All that was made of them is in memory at once: ask for some, as AT_ONCE. */
  endsOf(units: readonly string[]): Promise<(UnitEnd | null)[]>;
  /** End the experiment, or interrupt it: every agent stops working on it. */
  close(): Promise<void>;
}

export interface DispatchInput {
  readonly bus: Bus;
  readonly settings: Settings;
  /** What the fleet calls it. */
  readonly experiment: string;
  readonly begin: JournalBegin;
  readonly queues: readonly Queue[];
  /** Milliseconds without any agent, or without the server, after which it gives up. */
  readonly patienceMs: number;
  readonly note: Note;
  /** Whether somebody looks at what goes on, second by second. */
  readonly live?: boolean;
}

/**
 * Units of which the server is asked together: one after the other, a thousand take three thousand times what an answer takes. So many may be in
 * memory, and so many may come to the folder late when the controller dies.
 */
export const AT_ONCE = 32;
/** How many units an agent may have at once is its own affair (one); all of them may have some. */
const MOST_UNDER_WAY = 5_000;
/** More agents than that may ask a queue for a unit at once. */
const MOST_WAITING = 5_000;

/** Open an experiment to the agents of a fleet. Rejects with FleetError where another controller has it. */
export async function openDispatch(input: DispatchInput): Promise<Dispatch> {
  const { bus, settings, experiment, begin, queues, live = false } = input;
  const patience = { ms: input.patienceMs, note: input.note };
  const job = (state: Job['state']): Uint8Array => {
    const { build, controller } = { build: buildSum(), controller: `${hostname()}:${process.pid}` };
    return encode({ experiment, state, build, controller, live, queues: [...queues], begin } satisfies Job);
  };
  const opened = job('open');
  if (opened.length > bus.maxPayload)
    throw new FleetError(
      `the experiment takes ${opened.length} bytes as a message, and the server takes ${bus.maxPayload}`,
      'raise max_payload of the server, or make the experiment smaller (fewer arms, fewer addresses)',
    );
  const lease = await patiently(patience, () => takeLease(bus, experiment, settings.beatMs));
  try {
    for (const { name } of queues) await patiently(patience, () => addQueue(input, name));
    await patiently(patience, () => bus.put(SUBJECTS.job(experiment), opened));
  } catch (error) {
    lease.release();
    throw error;
  }
  return {
    endsOf: (units) =>
      patiently(patience, () =>
        Promise.all(
          units.map(async (unit) => {
            const found = await bus.last(STREAMS.journal, SUBJECTS.done(experiment, unit));
            return found === null ? null : readEnd(bus, decode(found.data, doneSchema));
          }),
        ),
      ),
    hearLive: (heard) =>
      bus.hear(SUBJECTS.live(experiment), (data) => {
        const live = decoded(data, liveSchema);
        if (live) heard(live);
      }),
    async make(units, took, signal) {
      const why = await haveMade(input, units, took, AbortSignal.any([signal, lease.lost]));
      return lease.lost.aborted ? `another controller has taken the experiment ${experiment}` : why;
    },
    async close() {
      lease.release();
      // What goes on now is another's.
      if (lease.lost.aborted) return;
      // Where the server is away its agents see no experiment either, and end by themselves.
      await bus.put(SUBJECTS.job(experiment), job('ended')).catch(() => {});
      for (const { name } of queues) {
        const filter = SUBJECTS.work(experiment, name, '*');
        await bus.manage.streams.purge(STREAMS.work, { filter }).catch(() => {});
        await bus.manage.consumers.delete(STREAMS.work, consumerName(experiment, name)).catch(() => {});
      }
    },
  };
}

/** Made once; again it is the same. */
async function addQueue({ bus, settings, experiment }: DispatchInput, name: string): Promise<void> {
  try {
    await bus.manage.consumers.add(STREAMS.work, {
      durable_name: consumerName(experiment, name),
      filter_subject: SUBJECTS.work(experiment, name, '*'),
      ack_policy: 'explicit',
      ack_wait: settings.beatMs * SILENT_BEATS * 1_000_000,
      max_ack_pending: MOST_UNDER_WAY,
      max_waiting: MOST_WAITING,
    });
  } catch (error) {
    throw new NoAnswer(
      `the server does not make the queue of ${experiment} (${messageOf(error)})`,
      'see that it runs and has room, and repeat the command',
    );
  }
}

async function haveMade(
  { bus, settings, experiment, patienceMs, note }: DispatchInput,
  units: readonly QueuedUnit[],
  took: (unit: Unit, end: UnitEnd) => void,
  signal: AbortSignal,
): Promise<string | null> {
  const missing = new Map(units.map(({ unit }) => [unit.id, unit]));
  const attendance = await patiently({ ms: patienceMs, note, signal }, () =>
    followAgents(bus, SILENT_BEATS * settings.beatMs),
  ).catch(messageOf);
  if (typeof attendance === 'string') return signal.aborted ? null : attendance;
  const news = wakeUp();
  const unhear = bus.hear(SUBJECTS.done(experiment, '*'), news.wake);
  const trouble = createTrouble(bus, attendance, experiment, patienceMs, note);
  let [from, published, epoch] = [1, 0, bus.epoch()];
  try {
    while (missing.size > 0 && !signal.aborted) {
      // A server that was started anew may lack what it took last: units are put there again, and read from the first.
      if (epoch !== bus.epoch()) [from, published, epoch] = [1, 0, bus.epoch()];
      let some: Some = { ends: [], from, isAll: false };
      try {
        for (; published < units.length; published += AT_ONCE) {
          const next = units.slice(published, published + AT_ONCE).filter(({ unit }) => missing.has(unit.id));
          await Promise.all(next.map((unit) => publish(bus, unit)));
        }
        some = await readSome(bus, experiment, missing, from, signal);
        if (some.error !== undefined) throw some.error;
      } catch (error) {
        if (bus.awayMs() === 0) note(`${messageOf(error)}; asked again in a moment`);
      }
      from = some.from;
      // What goes wrong with the result folder is no trouble of the server, and ends it.
      for (const { unit, end } of some.ends) if (missing.delete(unit.id)) took(unit, end);
      const why = trouble.look();
      if (why !== null) return why;
      const isMore = some.error === undefined && !some.isAll && published >= units.length;
      if (missing.size > 0 && !signal.aborted && !isMore) await news.orAfter(settings.beatMs, signal);
    }
    return null;
  } finally {
    unhear();
    attendance.stop();
  }
}

interface Some {
  readonly ends: readonly { readonly unit: Unit; readonly end: UnitEnd }[];
  /** Where to go on reading. */
  readonly from: number;
  /** Nothing more is there at present. */
  readonly isAll: boolean;
  /** Why it was not read whole. */
  readonly error?: unknown;
}

/**
 * Read what came of some units that are missing. While one end is read the next is looked for. Where the server does not answer, what was read
 * counts, and reading begins again where it began.
 */
async function readSome(
  bus: Bus,
  experiment: string,
  missing: ReadonlyMap<string, Unit>,
  first: number,
  signal: AbortSignal,
): Promise<Some> {
  const reading: Promise<Some['ends'][number]>[] = [];
  let [from, isAll, failed]: [number, boolean, { readonly error: unknown } | null] = [first, false, null];
  try {
    while (reading.length < AT_ONCE && !signal.aborted) {
      const message = await bus.next(STREAMS.journal, SUBJECTS.done(experiment, '*'), from);
      isAll = message === null;
      if (message === null) break;
      const done = decoded(message.data, doneSchema);
      const unit = done && missing.get(done.unit);
      if (done && unit) {
        const end = readEnd(bus, done).then((end) => ({ unit, end }));
        // It is looked at below, after what may fail before.
        end.catch(() => {});
        reading.push(end);
      }
      from = message.seq + 1;
    }
  } catch (error) {
    failed = { error };
  }
  const settled = await Promise.allSettled(reading);
  const ends = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  for (const one of settled) if (one.status === 'rejected') failed ??= { error: one.reason };
  return failed === null ? { ends, from, isAll } : { ends, from: first, isAll: false, error: failed.error };
}

/** Put a unit into its queue, unless it is there already, or done. */
async function publish(bus: Bus, { unit, queue }: QueuedUnit): Promise<void> {
  const { experiment, id } = unit;
  const subject = SUBJECTS.work(experiment, queue, id);
  if ((await bus.last(STREAMS.journal, SUBJECTS.done(experiment, id))) !== null) return;
  // 0: a unit that was put there before its controller was killed is still in the queue, or with an agent.
  await bus.claim(subject, encode(unit), 0);
}

async function readEnd(bus: Bus, { experiment, unit, attempt, agent, end }: Done): Promise<UnitEnd> {
  if (end.how === 'gave-up') return end;
  const pieces: Uint8Array[] = [];
  while (pieces.length < end.pieces) {
    const subject = SUBJECTS.piece(experiment, unit, attempt, pieces.length);
    const message = await bus.last(STREAMS.journal, subject);
    if (message === null) return { how: 'gave-up', why: `what ${agent} made of ${unit} is not on the server any more` };
    pieces.push(message.data);
  }
  try {
    return { how: 'made', agent, environment: end.environment, files: fromPieces(pieces, end.sum) };
  } catch (error) {
    return { how: 'gave-up', why: `what ${agent} made of ${unit} cannot be used (${messageOf(error)})` };
  }
}

/** What keeps an experiment from going on: said once, and borne for so long. */
function createTrouble(bus: Bus, attendance: Attendance, experiment: string, patienceMs: number, note: Note) {
  let [since, said]: [number | null, string] = [null, ''];
  const refusals = new Set<string>();
  const inTheWay = (): string | null => {
    if (bus.awayMs() > 0) return 'the server of the fleet does not answer';
    const agents = attendance.there();
    for (const { name, refuses } of agents) {
      const why = refuses[experiment];
      if (why !== undefined && !refusals.has(name)) note(`${name} takes no part: ${why}`);
      if (why !== undefined) refusals.add(name);
    }
    const working = agents.filter(({ refuses }) => !(experiment in refuses));
    if (working.length > 0) return null;
    return agents.length === 0
      ? 'no agent is there any more'
      : `no agent that is there takes part: ${agents.map(({ name, refuses }) => `${name}: ${refuses[experiment]}`).join('; ')}`;
  };
  return {
    /** @returns why to give up; null: go on */
    look(): string | null {
      const why = inTheWay();
      if (why === null) {
        if (since !== null) note('the fleet goes on');
        [since, said] = [null, ''];
        return null;
      }
      since ??= performance.now();
      if (why !== said) note(`${why}; waiting up to ${Math.round(patienceMs / 1000)} s`);
      said = why;
      return performance.now() - since > patienceMs ? why : null;
    },
  };
}

/** Something to wait for that may come while nobody waits. */
function wakeUp() {
  let isNews = false;
  let wake: (() => void) | null = null;
  return {
    wake() {
      isNews = true;
      wake?.();
    },
    async orAfter(ms: number, signal: AbortSignal): Promise<void> {
      if (!isNews)
        await new Promise<void>((resolve) => {
          const end = () => {
            clearTimeout(timer);
            signal.removeEventListener('abort', end);
            resolve();
          };
          const timer = setTimeout(end, ms);
          signal.addEventListener('abort', end);
          wake = end;
        });
      [isNews, wake] = [false, null];
    },
  };
}
