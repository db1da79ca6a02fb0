/**
 * Where the messages of a fleet are: its streams and their subjects. What an agent of any version says of itself is beneath `bs`, so that
 * one of another version is refused by name; all else is beneath `bs1`, the number being that of the protocol (protocol.ts). Pure.
 */

/** Raised when controllers and agents of two versions would misunderstand each other. */
export const FLEET_PROTOCOL = 1;

const OWN = `bs${FLEET_PROTOCOL}`;

/** Names of the streams. */
export const STREAMS = {
  /** What everybody is to know of the fleet (settings.ts). */
  settings: 'bs_settings',
  /** Who is there: the newest of each agent, gone when it has said nothing for some beats. */
  agents: 'bs_agents',
  /** Builds that agents take, in pieces. Of every version. */
  builds: 'bs_builds',
  /** The experiments: the newest state of each. */
  jobs: `${OWN}_jobs`,
  /** Which controller has an experiment. */
  leases: `${OWN}_leases`,
  /** Units that wait for an agent: a work queue. */
  work: `${OWN}_work`,
  /** What came of them: nothing in it is ever deleted by anybody but by age. */
  journal: `${OWN}_journal`,
} as const;

/** The subjects, by the names of what they are about. */
export const SUBJECTS = {
  settings: 'bs.settings',
  agent: (name: string) => `bs.agent.${name}`,
  /** A piece of a build, by the SHA-256 of all of it. */
  buildPiece: (sum: string, n: number | '*') => `bs.build.${sum}.${n}`,
  /** A build is offered to one agent, which answers. In no stream. */
  take: (agent: string) => `bs.take.${agent}`,
  job: (experiment: string) => `${OWN}.job.${experiment}`,
  lease: (experiment: string) => `${OWN}.lease.${experiment}`,
  work: (experiment: string, queue: string, unit: string) => `${OWN}.work.${experiment}.${queue}.${unit}`,
  /** A piece of what an attempt at a unit has made. */
  piece: (experiment: string, unit: string, attempt: string, n: number | '*') =>
    `${OWN}.piece.${experiment}.${unit}.${attempt}.${n}`,
  /** The first attempt that is said here is the unit's. */
  done: (experiment: string, unit: string) => `${OWN}.done.${experiment}.${unit}`,
  /** What goes on now; in no stream, and lost where nobody listens. */
  live: (experiment: string) => `${OWN}.live.${experiment}`,
  /** The controller of a load that several machines make at once is there: without it they end. In no stream. */
  beat: (experiment: string) => `${OWN}.beat.${experiment}`,
  /** A question to one agent, which it answers. */
  ask: (agent: string) => `${OWN}.ask.${agent}`,
} as const;

/** All that is of this version. */
export const ALL_OWN = `${OWN}.>`;

/** The durable consumer of a queue. Their filters are disjoint: nats-server 2.9.10 gives one job to two whose filters overlap. */
export function consumerName(experiment: string, queue: string): string {
  return `${experiment}_${queue}`;
}

const WORD = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a text can be a part of a subject, and of the name of a consumer. */
export function isWord(text: string): boolean {
  return WORD.test(text);
}

/** A text as a part of a subject: what cannot be in one becomes a hyphen. @example wordOf('web-1.example.org') // 'web-1-example-org' */
export function wordOf(text: string): string {
  return text.replace(/[^A-Za-z0-9_-]+/g, '-').slice(0, 48) || 'x';
}
