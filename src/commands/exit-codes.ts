/**
 * Exit codes, one per cause, and the error that is the user's to mend. Apart from `exit.ts`, so that a command that is started often
 * (watch, by a health check) does not load what every other command can fail with.
 */
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
  /** SIGINT or SIGTERM. */
  interrupted: 130,
} as const;

export const EXIT_HELP = `
Exit codes:
  0    everything ran, and every threshold was met
  1    a threshold of the profile was not met; watch: the slow wall is reached; compare: something got worse
  2    bad input: a profile, an option or a folder that cannot be used
  3    the lab, or the namespace to watch, cannot be had on this machine (see: bindstorm doctor)
  4    a run failed
  5    watch: the hard wall is reached
  6    compare: the two results cannot be compared
  130  interrupted; what was finished is kept`;

/** An error that is the user's to mend. */
export class UserError extends Error {
  override name = 'UserError';
  readonly exitCode: number;
  constructor(message: string, exitCode: number = EXIT.badInput) {
    super(message);
    this.exitCode = exitCode;
  }
}
