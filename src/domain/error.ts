/**
 * Errors that are shown to the user as a sentence, and the exit codes. Whatever else is thrown is a fault of bindstorm and shows its
 * stack (commands/exit.ts). Pure.
 */

/** One per cause. */
export const EXIT = {
  ok: 0,
  /** A threshold of the profile was not met; for `watch` the slow wall, for `compare` something that got worse. */
  threshold: 1,
  /** A profile, an option or a folder that cannot be used. */
  badInput: 2,
  /** The lab, or the namespace to watch, cannot be had on this machine. */
  noLab: 3,
  /** A run failed. */
  runFailed: 4,
  /** `watch`: the hard wall is reached. */
  hardWall: 5,
  /** `compare`: the two results say nothing about each other. */
  incomparable: 6,
  /** `watch --pid`: the process has ended. */
  processEnded: 7,
  /** `watch --failures`: somebody was refused a local port. */
  refused: 8,
  /** SIGINT, SIGTERM or SIGHUP. */
  interrupted: 130,
} as const;

export interface UserErrorOptions extends ErrorOptions {
  /** What to do about it, without a full stop, as `run as root`. */
  readonly remedy?: string | undefined;
  /** Default: `EXIT.badInput`. */
  readonly exitCode?: number;
}

/**
 * Something that the user can mend, and the base of all errors of that sort.
 * @example throw new UserError('port 80 is closed to this user', { remedy: 'run as root', exitCode: EXIT.noLab })
 */
export class UserError extends Error {
  override name = 'UserError';
  readonly remedy: string | null;
  readonly exitCode: number;
  constructor(message: string, { remedy, exitCode = EXIT.badInput, ...options }: UserErrorOptions = {}) {
    super(message, options);
    this.remedy = remedy ?? null;
    this.exitCode = exitCode;
  }

  /** What the user reads: the message, and the remedy where there is one. */
  explain(): string {
    return this.remedy === null ? this.message : `${this.message}\nWhat to do: ${this.remedy}.`;
  }
}

/** A lab, or a kernel or program for it, cannot be had on this machine. The message says why; the remedy, where one is known, what to do. */
export class LabError extends UserError {
  override name = 'LabError';
  constructor(message: string, options: Omit<UserErrorOptions, 'exitCode'> = {}) {
    super(message, { ...options, exitCode: EXIT.noLab });
  }

  override explain(): string {
    return `${super.explain()}\nRun \`bindstorm doctor\` to see what this machine lacks and what to do about it.`;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What `work` returns, or `otherwise` where it throws: for files that may be gone by now, or closed to this user. */
export function unlessThrown<T, E>(work: () => T, otherwise: E): T | E {
  try {
    return work();
  } catch {
    return otherwise;
  }
}
