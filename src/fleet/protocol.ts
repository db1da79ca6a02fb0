/**
 * What controllers and agents of a fleet say to each other. Every message is validated on arrival: an agent does nothing that is not one of
 * these jobs. A change that an older version would misread raises FLEET_PROTOCOL.
 */
import { z } from 'zod';
import { measurementSchema, runSpecSchema } from '../agent/protocol.js';
import { targetSchema } from '../domain/target.js';
import { entrySchema } from '../experiment/journal-entry.js';
import { experimentSchema } from '../plan/plan.js';
import { environmentSchema, type Second, secondSchema } from '../results/schema.js';
import { searchTrySchema } from '../results/search.js';
import { isWord } from './subjects.js';

export const word = z.string().refine(isWord, 'not a word');

/** Of the whole fleet, written by `fleet up`. */
export const settingsSchema = z.object({
  /** Milliseconds between two signs of life. All that is waited for is a multiple of it. */
  beatMs: z.int().min(50).max(60_000),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What every version can read of an agent. */
export const strangerSchema = z.object({
  name: word,
  /** Of the process: another number for one that was started again. */
  instance: z.string(),
  host: z.string(),
  /** FLEET_PROTOCOL, and the version and the checksum of its programs. */
  protocol: z.number(),
  tool: z.string(),
  build: z.string(),
  /** Whether it was started to take the build of a controller. */
  takes: z.boolean().optional(),
});
export type Stranger = z.infer<typeof strangerSchema>;

const agentSchema = strangerSchema.extend({
  kernel: z.string(),
  machine: z.string(),
  cpus: z.number(),
  /** Bytes. */
  memory: z.number(),
  /** What `doctor` finds in order here, by its words, and `kernel:RELEASE`; what a queue needs is among them. */
  abilities: z.array(z.string()),
  /** What may be loaded from here, as address:port; nothing else outside of a lab ever is. */
  allow: z.array(targetSchema),
  doing: z.object({ experiment: word, unit: word }).nullable(),
  /** Experiment → why this agent takes no part in it. */
  refuses: z.record(z.string(), z.string()),
  /** Its own clock as it says this, ISO 8601. Only told to a reader: nothing compares clocks of two machines. */
  clock: z.string(),
});
export type AgentState = z.infer<typeof agentSchema>;
export { agentSchema };

/** The units of a job that the same agents can make. */
const queueSchema = z.object({
  name: word,
  /** Abilities that an agent must have. */
  needs: z.array(z.string()),
});
export type Queue = z.infer<typeof queueSchema>;

/** An experiment, as agents know it. */
export const jobSchema = z.object({
  experiment: word,
  state: z.enum(['open', 'ended']),
  /** The checksum of the controller's programs: counts of two versions are not one experiment. */
  build: z.string(),
  /** How messages call the controller. */
  controller: z.string(),
  /** Somebody looks: agents say each second what goes on. */
  live: z.boolean().optional(),
  queues: z.array(queueSchema),
  /** The first record of its journal. */
  begin: entrySchema.refine((entry) => entry.type === 'begin', 'not the begin of a journal'),
});
export type Job = z.infer<typeof jobSchema>;

/** One piece of work, of one agent. */
export const unitSchema = z.object({
  experiment: word,
  id: word,
  work: z.discriminatedUnion('kind', [
    /** Runs of one block: all that are compared in pairs are made on one machine. */
    z.object({ kind: z.literal('block'), runs: z.array(z.string()).min(1) }),
    /** A table of `fixes`: a strategy, or a proxy, on one kernel. */
    z.object({ kind: z.literal('table'), kernel: z.string(), row: z.string() }),
    /** The search for the rate of one arm, by its id, from the steps that there are. */
    z.object({ kind: z.literal('arm'), arm: z.string(), before: z.array(searchTrySchema) }),
  ]),
});
export type Unit = z.infer<typeof unitSchema>;

/** The end of a unit. */
export const doneSchema = z.object({
  experiment: word,
  unit: word,
  attempt: word,
  agent: word,
  end: z.discriminatedUnion('how', [
    /** Its folder is in so many pieces; `sum` is the SHA-256 of all of them. */
    z.object({ how: z.literal('made'), pieces: z.int().min(1), sum: z.string(), environment: environmentSchema }),
    /** No agent can make it. */
    z.object({ how: z.literal('gave-up'), why: z.string() }),
  ]),
});
export type Done = z.infer<typeof doneSchema>;

/** A build that is offered to an agent of another; every version can read it. */
export const takeBuildSchema = z.object({
  build: z.string(),
  /** SHA-256 of the archive, in hexadecimal digits. */
  sum: z.string().regex(/^[0-9a-f]{64}$/),
  pieces: z.int().min(1),
  /** process.arch. */
  machine: z.string(),
});
export type TakeBuild = z.infer<typeof takeBuildSchema>;
export const takeAnswerSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('taken') }),
  z.object({ type: z.literal('refused'), why: z.string() }),
]);
export type TakeAnswer = z.infer<typeof takeAnswerSchema>;

export const liveSchema = z.object({
  agent: word,
  unit: word,
  run: z.string(),
  /** Of a run that goes on, where somebody wants to see it: what ended in this second. Absent: it begins. */
  second: secondSchema.optional(),
});
export type Live = z.infer<typeof liveSchema>;

/** Addresses of which a page shows each: more are a message of their own size, every second. */
const MOST_ADDRESSES = 256;

/** A second as it is said to whoever looks. */
export function slim({ portsPerAddress, timeWaitPerAddress: _, ...second }: Second): Second {
  const isFew = portsPerAddress !== null && portsPerAddress.length <= MOST_ADDRESSES;
  return { ...second, portsPerAddress: isFew ? portsPerAddress : null };
}

/** What one agent is asked. */
export const questionSchema = z.discriminatedUnion('type', [
  /** Try in the labs of this machine what an experiment needs. */
  z.object({ type: z.literal('rehearse'), experiment: experimentSchema }),
  /** Which of these are this machine's. */
  z.object({ type: z.literal('addresses'), addresses: z.array(z.string()) }),
  /** What time it is there. */
  z.object({ type: z.literal('clock') }),
  /** Set up a run that several machines make at once, and wait. `experiment` has the one arm, as it is for this machine. */
  z.object({
    type: z.literal('prepare'),
    name: word,
    key: word,
    experiment: experimentSchema,
    spec: runSpecSchema,
    /** The run, as messages call it, where somebody looks: each second is said. */
    live: z.string().optional(),
  }),
  /** Begin at this instant of the agent's own clock; answered when it is over. */
  z.object({ type: z.literal('go'), key: word, atMicros: z.number() }),
  /** End it. */
  z.object({ type: z.literal('end'), key: word }),
]);
export type Question = z.infer<typeof questionSchema>;

const findingSchema = z.object({
  arm: z.string().optional(),
  path: z.array(z.union([z.string(), z.number()])),
  or: z.array(z.array(z.union([z.string(), z.number()]))).optional(),
  message: z.string(),
  lack: z.literal(true).optional(),
  at: z.enum(['key', 'value']).optional(),
});

export const answerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('rehearsed'),
    experiment: experimentSchema,
    places: z.array(z.object({ name: z.string().optional(), environment: environmentSchema })).min(1),
    findings: z.array(findingSchema),
    warnings: z.array(z.string()),
  }),
  z.object({ type: z.literal('addresses'), local: z.array(z.string()) }),
  /** CLOCK_MONOTONIC µs. */
  z.object({ type: z.literal('clock'), micros: z.number() }),
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('measured'), measurement: measurementSchema }),
  z.object({ type: z.literal('ended') }),
  z.object({ type: z.literal('failed'), message: z.string() }),
]);
export type Answer = z.infer<typeof answerSchema>;
