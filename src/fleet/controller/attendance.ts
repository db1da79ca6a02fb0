/**
 * Who is in a fleet, followed by ear: each agent says again and again that it is there, and one that is silent for some beats is gone. It costs
 * the server nothing but what it sends, and the controller a message for each sign.
 */
import type { Bus } from '../bus.js';
import type { AgentState } from '../protocol.js';
import { SUBJECTS } from '../subjects.js';
import { seenIn, whoIsThere } from './roster.js';

export interface Attendance {
  /** Who is there now. While the server is away nobody is missed. */
  there(): readonly AgentState[];
  /** Wait for the next sign of an agent from now on, whenever its last was. */
  expect(name: string): void;
  stop(): void;
}

/** Begin to follow. @param silentMs after which an agent is gone. Rejects with NoAnswer */
export async function followAgents(bus: Bus, silentMs: number): Promise<Attendance> {
  const known = new Map<string, { readonly state: AgentState; heardAt: number }>();
  let epoch = bus.epoch();
  const keep = (state: AgentState) => known.set(state.name, { state, heardAt: performance.now() });
  const stop = bus.hear(SUBJECTS.agent('*'), (data) => {
    const seen = seenIn(data, new Date());
    if (seen?.kind === 'agent') keep(seen.state);
  });
  try {
    for (const one of await whoIsThere(bus)) if (one.kind === 'agent' && !known.has(one.state.name)) keep(one.state);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    there() {
      const now = performance.now();
      if (bus.awayMs() === 0) {
        // Nothing could be heard while there was no server.
        if (epoch !== bus.epoch()) for (const one of known.values()) one.heardAt = now;
        epoch = bus.epoch();
        for (const [name, { heardAt }] of known) if (now - heardAt > silentMs) known.delete(name);
      }
      return [...known.values()].map(({ state }) => state);
    },
    expect(name) {
      const one = known.get(name);
      if (one) one.heardAt = performance.now();
    },
    stop,
  };
}

export interface Watch {
  /** What is asked of an agent; rejects when that is gone before it has answered. */
  orGone<T>(name: string, asked: Promise<T>): Promise<T>;
  stop(): void;
}

/** How often it is looked who is there. */
const LOOK_MS = 200;

/** Notices who is gone while something is asked of him. @param awayMs without a server for so long all are */
export function watchFor(bus: Bus, attendance: Attendance, awayMs: number): Watch {
  const waiting = new Map<string, (why: Error) => void>();
  const look = () => {
    const away = bus.awayMs();
    const there = new Set(attendance.there().map(({ name }) => name));
    for (const [name, gone] of waiting)
      if (away > awayMs) gone(new Error('the server of the fleet does not answer'));
      else if (away === 0 && !there.has(name)) gone(new Error('it gives no sign of life'));
  };
  const timer = setInterval(look, LOOK_MS);
  return {
    async orGone(name, asked) {
      attendance.expect(name);
      const gone = new Promise<never>((_, reject) => waiting.set(name, reject));
      try {
        return await Promise.race([asked, gone]);
      } finally {
        asked.catch(() => {});
        waiting.delete(name);
      }
    },
    stop: () => clearInterval(timer),
  };
}
