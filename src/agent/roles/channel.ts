/**
 * The conversation of the agent with the program of a role (origin, proxy, neighbour), one JSON object a line over its standard streams:
 *
 *     the program says {"ready": "123"}, its pid as /proc names it
 *     the agent asks   {"ask": "stats", "request": {}}
 *     the program says {"answer": "stats", "value": {…}}, or {"failed": "why"}, and ends
 *
 * The program ends when its standard input ends, and by SIGKILL when the agent dies (serve.ts).
 *
 * Both directions are validated here, requests before they leave and answers when they arrive. The programs load no schema library: it
 * takes 40 ms of their start, and seconds on an emulated CPU, and they are of the same build.
 */
import { z } from 'zod';
import { checkMessage, readMessages, writeMessage } from '../../machine/ndjson.js';
import { deferred, withDeadline } from '../../machine/promises.js';
import { watchStarvation } from '../../machine/waited-for-cpu.js';
import type { RoleProcess } from './launch.js';

/** What a role can be asked: the types of request and answer, by the name of the question. */
export type Protocol = Readonly<Record<string, { readonly request: unknown; readonly answer: unknown }>>;

/** The schemas of a protocol. */
type Schemas<P extends Protocol> = {
  readonly [K in keyof P]: { readonly request: z.ZodType<P[K]['request']>; readonly answer: z.ZodType<P[K]['answer']> };
};

/** The protocol that some schemas describe, as `ProtocolOf<typeof originSchemas>`. */
export type ProtocolOf<
  S extends Readonly<Record<string, { readonly request: z.ZodType; readonly answer: z.ZodType }>>,
> = {
  readonly [K in keyof S]: { readonly request: z.output<S[K]['request']>; readonly answer: z.output<S[K]['answer']> };
};

/** Of requests and answers that say nothing. */
export const nothing = z.object({});

/** What the program of a role says. */
const saidSchema = z.union([
  z.object({ ready: z.string() }),
  z.object({ answer: z.string(), value: z.unknown() }),
  z.object({ failed: z.string() }),
]);
export type Said = z.infer<typeof saidSchema>;

/**
 * Programs answer within milliseconds; on an emulated CPU of a busy machine within seconds. A stopped one (SIGSTOP) never does. The time in which
 * it had no CPU does not count: one that starts a Tor network in a guest of a busy machine has none for half a minute.
 */
const ANSWER_DEADLINE_MS = 15_000;

function overdue(starvedMs: number): string {
  const starved = Math.round(starvedMs / 1000);
  const more = starved > 0 ? `, and ${starved} s for want of a CPU` : '';
  return `has not answered for ${ANSWER_DEADLINE_MS / 1000} s${more}: it hangs, or was stopped`;
}
const LAST_WORDS = 4000;
/** The end of a program is heard of a moment after its namespaces are gone. */
const NEWS_MS = 500;

interface Role<P extends Protocol> {
  /** In the PID namespace of the agent. */
  readonly pid: number;
  /**
   * Resolves when the program runs, in its namespaces, with the file of its network namespace. (The lab does not mount a /proc of its
   * own, so a pid of its PID namespace would name another process there.)
   */
  readonly ready: Promise<string>;
  /**
   * Ask, and wait for the answer; one question of a name at a time. Rejects as `failure` does.
   * @param due whether an answer that does not come for 15 s is a failure, those without a CPU not counted; false: the question may take any time
   */
  ask<K extends keyof P & string>(name: K, request: P[K]['request'], due?: boolean): Promise<P[K]['answer']>;
  /** Rejects when the program fails or ends by itself: of the first failure, for all that wait and for all that ask later. */
  readonly failure: Promise<never>;
  /**
   * Do something to the role's namespaces from outside. Where that fails because the role has ended, rejects as `failure` does: an errno of
   * a namespace that is gone says nothing to a reader.
   */
  reach<T>(work: () => T | Promise<T>): Promise<T>;
  /** Make an answer a failure of the role. */
  fail(error: Error): void;
  /** End the program, and with it the namespaces that are its own. */
  end(): void;
}

/** @param who how errors name the role, as `the origin` */
export function connectRole<P extends Protocol>(who: string, child: RoleProcess, schemas: Schemas<P>): Role<P> {
  const waiting = new Map<string, (value: unknown) => void>();
  const ready = deferred<string>();
  const { promise: failure, reject: fail } = deferred<never>();
  failure.catch(() => {});
  let lastWords = '';
  /** Its pid as /proc names it. */
  let named: number | undefined;
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-LAST_WORDS);
  });
  // Writing to a program that has just died is not an error of its own: its end is.
  child.stdin.on('error', () => {});
  child.once('error', (error) => fail(new Error(`${who} could not be started: ${error.message}`)));
  const endOf = (code: number | null, signal: string | null) =>
    signal === null ? `ended with code ${code}` : `was killed by ${signal}`;
  const { exitCode, signalCode } = child;
  // One that was launched ahead may have ended before anybody listened, and says it once.
  const ended =
    exitCode !== null || signalCode !== null
      ? Promise.resolve(endOf(exitCode, signalCode))
      : new Promise<string>((resolve) => {
          child.once('close', (code, signal) => resolve(endOf(code, signal)));
        });
  void listen().catch(fail);

  async function listen(): Promise<void> {
    for await (const said of readMessages(child.stdout, saidSchema)) {
      if ('ready' in said) {
        named = Number(said.ready);
        ready.resolve(`/proc/${said.ready}/ns/net`);
      } else if ('failed' in said) fail(new Error(`${who} failed: ${said.failed}`));
      else waiting.get(said.answer)?.(said.value);
    }
    const how = await ended;
    fail(new Error(`${who} ${how} before the run was over${lastWords ? `; it last said: ${lastWords.trim()}` : ''}`));
  }

  return {
    pid: child.pid ?? 0,
    ready: unlessFailed(ready.promise),
    ask: (name, request, due = false) => {
      const { promise, resolve } = deferred<unknown>();
      waiting.set(name, resolve);
      writeMessage(child.stdin, { ask: name, request: checkMessage(request, schemas[name].request) });
      const answer = due ? inTime(promise) : promise;
      return unlessFailed(answer.then((value) => checkMessage(value, schemas[name].answer)));
    },
    failure,
    async reach(work) {
      try {
        return await work();
      } catch (error) {
        await Promise.race([failure, new Promise((resolve) => setTimeout(resolve, NEWS_MS))]);
        throw error;
      }
    },
    fail,
    end: () => void child.stdin.end(),
  };

  function inTime(answer: Promise<unknown>): Promise<unknown> {
    const starvation = watchStarvation(named);
    const late = () => `${who} ${overdue(starvation.ms())}`;
    return withDeadline(answer, ANSWER_DEADLINE_MS, late, starvation.ms).finally(starvation.stop);
  }

  /** Whoever does not wait any more need not hear of a failure. */
  function unlessFailed<T>(promise: Promise<T>): Promise<T> {
    const first = Promise.race([promise, failure]);
    first.catch(() => {});
    return first;
  }
}
