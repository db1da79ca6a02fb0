/**
 * Answers of the roles' processes, which must not be waited for without end: a process may be stopped (SIGSTOP), not only dead.
 */

/** They answer within milliseconds; on an emulated CPU of a busy machine within seconds. */
const ANSWER_DEADLINE_MS = 15_000;

/** The answer, or an error once it is overdue. @param who as in `the origin` */
export async function inTime<T>(who: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    const message = `${who} has not answered for ${ANSWER_DEADLINE_MS / 1000} s: it hangs, or was stopped`;
    timer = setTimeout(() => reject(new Error(message)), ANSWER_DEADLINE_MS);
  });
  try {
    return await Promise.race([answer, overdue]);
  } finally {
    clearTimeout(timer);
  }
}
