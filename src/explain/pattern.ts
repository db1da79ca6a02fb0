/**
 * What a program's file holds: the lines by which it tells of a failure, as data.
 */
import type { StrategyName } from '../domain/strategy.js';
import type { CauseName } from './causes.js';
import type { Errno } from './errno.js';
import type { Call } from './facts.js';

export interface Pattern {
  /**
   * Named groups that are read: `errno` (number, name or message), `call` (bind, connect, listen …), `address` (where it was
   * going, or what it bound), `port` (the local port that it named).
   */
  readonly match: RegExp;
  /**
   * What stands somewhere before it: `match` is looked for behind the first of these, which is the same as both with `.*` between them, and
   * cannot take the square of the line's length. Its groups are read too.
   */
  readonly after?: RegExp;
  /** What must be nowhere in the line. */
  readonly without?: RegExp;
  /** Another line within a dozen that must be there too. */
  readonly near?: RegExp;
  /** Where the line does not say; `none` without it. */
  readonly call?: Call;
  readonly errno?: Errno;
  readonly protocol?: 'udp';
  /** Overrides what call and errno come to. */
  readonly cause?: CauseName;
  /** How the program gets its local port when it says this, where that can be told and `by` does not. */
  readonly strategy?: StrategyName;
  /**
   * How it does so by the call that failed: bind() where it was given a source address. Where the line names no call, the errno tells it, since
   * nothing of this program listens: EADDRINUSE is bind()'s, EADDRNOTAVAIL connect()'s.
   */
  readonly by?: { readonly bind?: StrategyName; readonly connect?: StrategyName };
  /** Which version or setting, as far as the line tells. */
  readonly version?: string;
  /** What a reader must know beside. One sentence. */
  readonly note?: string;
}

/**
 * A program that is known by one tag of its lines, which say call and errno in common words.
 * @example tagged('socat', /\bsocat\[\d+\] [EW] /, { bind: 'bind', connect: 'connect' })
 */
export function tagged(
  name: string,
  match: RegExp,
  by: NonNullable<Pattern['by']>,
  more: Partial<Pattern> = {},
): Program {
  return { name, patterns: [{ match, by, ...more }] };
}

export interface Program {
  readonly name: string;
  /** The profile that ships and reproduces it, where there is one. */
  readonly profile?: string;
  /** In the order of trial: the narrower first. */
  readonly patterns: readonly Pattern[];
}
