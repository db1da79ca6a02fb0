/**
 * Outcomes (domain/outcome.ts) as counters. In the hot loop an outcome is a slot in an array that the worker writes and the agent's
 * sampler reads; here is how slots and names translate.
 */
import { constants } from 'node:os';
import { type LostAnswer, OTHER_ANSWER, PHASES, type Phase } from '../domain/outcome.js';
import { errnoName } from '../kernel/errno.js';
import type { Outcomes } from '../results/schema.js';
import { NAME_SLOTS } from './names.js';

/** Slots of a phase's errnos; Linux errnos end at 133 (include/uapi/asm-generic/errno.h). */
const ERRNOS = 256;
/** The peer closed before the exchange was complete: no errno, but a failure of its own. */
export const EOF = ERRNOS - 1;
/** Of the phase `answer`: likewise no errnos. */
const NO_ANSWER = ERRNOS - 2;
const STOLEN = ERRNOS - 3;
const LOST: Readonly<Record<number, LostAnswer>> = { [NO_ANSWER]: 'none', [STOLEN]: 'stolen' };

export const SLOT_OK = 0;
export const SLOT_SHED = 1;
const FIRST = 2;
/** Those of outcomes whose names only come with them (names.ts). */
export const FIRST_NAMED = FIRST + PHASES.length * ERRNOS;
export const OUTCOME_SLOTS = FIRST_NAMED + NAME_SLOTS;

const phaseIndex = Object.fromEntries(PHASES.map((phase, i) => [phase, i])) as Record<Phase, number>;

/** The slot of a failure. An errno outside the table (none is known) shares the slot of errno 0. */
export function failureSlot(phase: Phase, errno: number): number {
  return FIRST + phaseIndex[phase] * ERRNOS + (errno > 0 && errno < ERRNOS ? errno : 0);
}

/** An attempt that took longer than the plan's timeout. */
export const SLOT_TIMEOUT = failureSlot('timeout', constants.errno.ETIMEDOUT);

/** No answer to a datagram came in time. */
export const SLOT_NO_ANSWER = failureSlot('answer', NO_ANSWER);
/** The answer to a datagram came to another socket. */
export const SLOT_STOLEN = failureSlot('answer', STOLEN);

/** The name of a slot. @param named the names of the slots from FIRST_NAMED on */
export function outcomeName(slot: number, named: readonly string[] = []): string {
  if (slot === SLOT_OK) return 'ok';
  if (slot === SLOT_SHED) return 'shed';
  if (slot >= FIRST_NAMED) return named[slot - FIRST_NAMED] ?? OTHER_ANSWER;
  const phase = PHASES[Math.floor((slot - FIRST) / ERRNOS)]!;
  const errno = (slot - FIRST) % ERRNOS;
  const lost = phase === 'answer' ? LOST[errno] : undefined;
  return `${phase}:${errno === EOF ? 'EOF' : (lost ?? errnoName(errno))}`;
}

/** Counters → named counts, zeros left out; the sum over several workers. */
export function outcomesOf(counters: readonly Int32Array[], named: readonly string[] = []): Outcomes {
  const outcomes: Outcomes = {};
  for (const counter of counters) {
    for (let slot = 0; slot < OUTCOME_SLOTS; slot++) {
      const n = counter[slot]!;
      if (n === 0) continue;
      const name = outcomeName(slot, named);
      outcomes[name] = (outcomes[name] ?? 0) + n;
    }
  }
  return outcomes;
}

/** later − earlier, zeros left out. */
export function outcomesSince(later: Outcomes, earlier: Outcomes): Outcomes {
  return Object.fromEntries(
    Object.entries(later)
      .map(([name, n]) => [name, n - (earlier[name] ?? 0)] as const)
      .filter(([, n]) => n !== 0),
  );
}

/** The number of attempts, of all outcomes. */
export function totalOf(outcomes: Outcomes): number {
  return Object.values(outcomes).reduce((sum, n) => sum + n, 0);
}
