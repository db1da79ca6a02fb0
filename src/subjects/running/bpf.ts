/**
 * A program of bpftrace(8) that counts in the kernel: started, asked what it has counted, and ended. What bpftrace prints at its end comes only
 * after it has detached, for which the kernel waits for grace periods of RCU; under load more than half a minute was seen. So it is asked while
 * it is attached, by a system call that fails and that one of its probes answers.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { type Deferred, deferred } from '../../machine/promises.js';
import { BPF_COUNTED, BPF_READY } from './bpf-text.js';

/** An answer needs a moment of a CPU; and the run has a deadline of its own, which this must not use up. */
const ANSWER_DEADLINE_MS = 30_000;
/** An event that found the buffer full is lost. */
const ASK_AGAIN_MS = 1_000;
/** Of what bpftrace says when it cannot attach. */
const MOST_SAID = 2_000;

export interface BpfProgram {
  /** bpftrace, and what stands before it. */
  readonly command: readonly string[];
  readonly text: string;
  readonly env?: NodeJS.ProcessEnv;
  /** How long attaching may take, ms. */
  readonly attachMs: number;
  /** Makes the call that the program answers, in the namespace that it looks at. */
  ask(): void;
  /** Each line of its maps (`bpftrace -f json`). */
  onLine(line: string): void;
}

export interface RunningBpf {
  /** Ask for the maps; when it resolves they have been told. Rejects when there is no answer. */
  read(): Promise<void>;
  /** End it. It is not waited for: the kernel detaches it when it can. */
  close(): void;
}

/** Start a program. @returns a text that says why its probes could not be attached */
export async function startBpf({
  command,
  text,
  env,
  attachMs,
  ask,
  onLine,
}: BpfProgram): Promise<RunningBpf | string> {
  const [program, ...args] = [...command, '-f', 'json', '-e', text];
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  const [attached, ended] = [deferred(), deferred()];
  let answer: Deferred<null> | null = null;
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    said = (said + piece).slice(-MOST_SAID);
  });
  child.once('error', () => ended.resolve()).once('close', () => ended.resolve());
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes(BPF_READY)) attached.resolve();
    else if (line.includes(BPF_COUNTED)) answer?.resolve(null);
    else onLine(line);
  });
  const problem = await Promise.race([
    attached.promise.then(() => null),
    ended.promise.then(() => reasonIn(said)),
    wait(attachMs, `bpftrace has not attached its probes for ${attachMs / 1000} s`, { ref: false }),
  ]);
  if (problem !== null) {
    child.kill('SIGKILL');
    return problem;
  }
  return {
    async read() {
      answer = deferred<null>();
      ask();
      const asking = setInterval(ask, ASK_AGAIN_MS);
      const late = `bpftrace has not said what it counted for ${ANSWER_DEADLINE_MS / 1000} s`;
      const problem = await Promise.race([
        answer.promise,
        ended.promise.then(() => 'bpftrace ended before it said what it counted'),
        wait(ANSWER_DEADLINE_MS, late, { ref: false }),
      ]);
      clearInterval(asking);
      if (problem !== null) throw new Error(problem);
    },
    close: () => void child.kill('SIGKILL'),
  };
}

/** The last error of what it has said: the ones before may be warnings, as of a limit that it could not raise. */
function reasonIn(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? 'bpftrace ended without a word';
}
