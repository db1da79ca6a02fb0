/**
 * Programs that end with the process that started them.
 */

/** Before a command: it is killed when the process that started it ends (prctl(2), PR_SET_PDEATHSIG, by setpriv(1)). */
export const DIE_WITH_PARENT: readonly string[] = ['setpriv', '--pdeathsig', 'KILL'];
