/** The exit codes in words, and what commands that start often (watch, by a health check) need of `exit.ts`. */
export { EXIT, UserError } from '../domain/error.js';

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
