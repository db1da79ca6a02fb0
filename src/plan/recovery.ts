/**
 * Whether a program works again once there are ports: what a profile has for it.
 */
import { z } from 'zod';
import { formatDuration } from '../domain/format.js';
import { complete, keptShape, named, needed, setting, type ValueKind, writtenShape } from '../domain/setting.js';
import { duration, map } from '../domain/values.js';

const RECOVERY_SETTINGS = {
  within: needed(duration, {
    keptAs: 'withinMs',
    describe: 'how long to make attempts before giving up',
    example: '15s',
  }),
  // Often enough to tell one that waits a second from one that does not, and seldom enough to use up no ports.
  every: setting(duration, {
    default: 250,
    keptAs: 'everyMs',
    describe: 'the time between two attempts, and so how exact the result is',
    example: '250ms',
  }),
} as const;

/** Milliseconds. */
export interface RecoveryPlan {
  readonly withinMs: number;
  readonly everyMs: number;
}

const kept = z.object(keptShape(RECOVERY_SETTINGS));
const words = ({ withinMs, everyMs }: RecoveryPlan) =>
  `within ${formatDuration(withinMs)}, an attempt each ${formatDuration(everyMs)}`;

/** A recovery phase as a value of a setting. */
export const recovery: ValueKind<RecoveryPlan> = {
  written: map(writtenShape(RECOVERY_SETTINGS))
    .transform((values): unknown => complete(RECOVERY_SETTINGS, named(RECOVERY_SETTINGS, values)))
    .pipe(kept),
  kept,
  text: words,
  words,
};
