/**
 * The streams of a fleet on its server: made once, by `fleet up`.
 */
import { messageOf } from '../../domain/error.js';
import { type Bus, FleetError, NoAnswer } from '../bus.js';
import { decode, encode } from '../messages.js';
import { type Settings, settingsSchema } from '../protocol.js';
import { STREAMS, SUBJECTS } from '../subjects.js';

const NANOS = 1_000_000;
const DAY_MS = 24 * 3600 * 1000;

/** Beats after which an agent that says nothing is gone, a unit is given to another, and a controller has lost its experiment. */
export const SILENT_BEATS = 4;

/** Make what is missing, and set what everybody is to know. Rejects with FleetError. */
export async function makeStreams(bus: Bus, settings: Settings): Promise<void> {
  const silentMs = settings.beatMs * SILENT_BEATS;
  const newest = { max_msgs_per_subject: 1, allow_direct: true };
  const streams = [
    { name: STREAMS.settings, subjects: [SUBJECTS.settings], storage: 'file', ...newest },
    { name: STREAMS.agents, subjects: [SUBJECTS.agent('*')], storage: 'memory', ...newest, ...lasting(silentMs) },
    { name: STREAMS.jobs, subjects: [SUBJECTS.job('*')], storage: 'file', ...newest, ...lasting(30 * DAY_MS) },
    { name: STREAMS.leases, subjects: [SUBJECTS.lease('*')], storage: 'memory', ...newest, ...lasting(silentMs) },
    {
      name: STREAMS.work,
      subjects: [SUBJECTS.work('*', '*', '*')],
      storage: 'file',
      retention: 'workqueue',
      allow_direct: true,
      ...lasting(30 * DAY_MS),
    },
    {
      name: STREAMS.journal,
      subjects: [SUBJECTS.piece('*', '*', '*', '*'), SUBJECTS.done('*', '*')],
      storage: 'file',
      allow_direct: true,
      deny_delete: true,
      deny_purge: true,
      ...lasting(30 * DAY_MS),
    },
  ] as const;
  try {
    for (const stream of streams) {
      const config = { ...stream, subjects: [...stream.subjects] };
      const there = await bus.manage.streams.info(stream.name).catch(() => null);
      await (there === null
        ? bus.manage.streams.add(config as Parameters<typeof bus.manage.streams.add>[0])
        : bus.manage.streams.update(stream.name, config as Parameters<typeof bus.manage.streams.update>[1]));
    }
    await bus.put(SUBJECTS.settings, encode(settings));
  } catch (error) {
    throw new FleetError(
      `the server does not take what a fleet needs (${messageOf(error)})`,
      'give it room for JetStream on its disk, and a key that may make streams',
    );
  }
}

/** Make the place for builds, when the first is to be given. Rejects where the server does not take it */
export async function makeBuildStream(bus: Bus): Promise<void> {
  const there = await bus.manage.streams.info(STREAMS.builds).catch(() => null);
  if (there !== null) return;
  await bus.manage.streams.add({
    name: STREAMS.builds,
    subjects: [SUBJECTS.buildPiece('*', '*')],
    storage: 'file',
    max_msgs_per_subject: 1,
    allow_direct: true,
    ...lasting(30 * DAY_MS),
  } as Parameters<typeof bus.manage.streams.add>[0]);
}

/** Messages are gone after a time; of those that come again within it, or within some minutes, each is stored once. */
function lasting(ms: number) {
  return { max_age: ms * NANOS, duplicate_window: Math.min(ms, 10 * 60 * 1000) * NANOS };
}

/** What everybody is to know. Rejects with FleetError where the server is of no fleet, with NoAnswer where it says nothing. */
export async function readSettings(bus: Bus): Promise<Settings> {
  const found = await bus.last(STREAMS.settings, SUBJECTS.settings).catch(async (error: unknown) => {
    if (error instanceof NoAnswer && (error.nobody || (await bus.lacks(STREAMS.settings)))) return null;
    throw error;
  });
  if (found === null)
    throw new FleetError(
      'this server is of no fleet yet',
      'make it one: bindstorm fleet up --nats URL, with a key that may make streams',
    );
  return decode(found.data, settingsSchema);
}
