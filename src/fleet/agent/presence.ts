/**
 * The signs of life of an agent: what it says of itself, again and again.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { toolVersion } from '../../results/version.js';
import { buildSum } from '../build.js';
import { type Bus, FleetError } from '../bus.js';
import { takeSubject } from '../claim.js';
import { decoded, encode } from '../messages.js';
import { type AgentState, type Settings, strangerSchema } from '../protocol.js';
import { FLEET_PROTOCOL, STREAMS, SUBJECTS } from '../subjects.js';

/** Between the signs of an agent whose load others wait for. */
const HURRY_MS = 400;

export interface Presence {
  readonly state: () => AgentState;
  /** Say something new at once. */
  change(change: Partial<Pick<AgentState, 'doing' | 'refuses'>>): void;
  /** Give signs often. @returns as before, when all who asked for it have said so */
  hurry(): () => void;
  /** No more signs; others see it after some beats. */
  stop(): void;
}

/**
 * Begin with the signs. Rejects with FleetError where another agent of that name gives some.
 * @param own what is the agent's; the rest is the same for each process
 */
export async function startPresence(
  bus: Bus,
  own: Omit<AgentState, 'instance' | 'host' | 'protocol' | 'tool' | 'build' | 'doing' | 'refuses' | 'clock'>,
  { beatMs }: Settings,
): Promise<Presence> {
  const subject = SUBJECTS.agent(own.name);
  let state: AgentState = {
    ...own,
    instance: randomUUID(),
    host: hostname(),
    protocol: FLEET_PROTOCOL,
    tool: toolVersion(),
    build: buildSum(),
    doing: null,
    refuses: {},
    clock: '',
  };
  const message = () => encode({ ...state, clock: new Date().toISOString() });
  if ((await takeSubject(bus, STREAMS.agents, subject, message, beatMs)) === null) {
    const there = await bus.last(STREAMS.agents, subject);
    const { host = 'another host' } = (there && decoded(there.data, strangerSchema)) || {};
    throw new FleetError(
      `an agent with the name ${own.name} is in this fleet already, on ${host}`,
      'give this one another name: --name NAME',
    );
  }
  // One that is lost is followed by another.
  const beat = () => void bus.put(subject, message()).catch(() => {});
  let timer = setInterval(beat, beatMs);
  let [hurries, stopped] = [0, false];
  const pace = (change: 1 | -1) => {
    hurries += change;
    clearInterval(timer);
    if (!stopped) timer = setInterval(beat, hurries > 0 ? Math.min(HURRY_MS, beatMs) : beatMs);
  };
  return {
    state: () => state,
    change(change) {
      state = { ...state, ...change };
      beat();
    },
    hurry() {
      pace(1);
      beat();
      return () => pace(-1);
    },
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
