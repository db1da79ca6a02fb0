/**
 * Threads that stay for the next run: starting one, and compiling its code anew, takes as long as a small run, and what V8's compiler does
 * meanwhile is noise in the CPU time of each connection. A thread that stays has a table of descriptors of its own, in which nothing is left
 * of a run, and goes with its process into each fresh network namespace.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { parentPort, Worker } from 'node:worker_threads';
import { unlessThrown } from '../domain/error.js';
import { close, unshareDescriptors } from '../kernel/libc.js';
import { enterNamespace } from '../kernel/namespace.js';
import { ownThread } from '../kernel/own-thread.js';
import { collectGarbage } from '../machine/garbage.js';

/** What a thread is told: to work, and whether it stays after that; or to go where its process is. */
type Order<Work> = { readonly type: 'work'; readonly work: Work; readonly stays: boolean } | { readonly type: 'move' };
const MOVED = 'moved';

/** That of the first thread of the process (proc_pid_ns(5)). */
const OF_PROCESS = '/proc/self/ns/net';

let staying = false;
/** Threads without work, by what they can do. */
const idle = new Map<string, Worker[]>();

/** It posted something; it failed; it ended. */
type Happening = 'message' | 'error' | 'exit';
type Listener = (value: unknown) => void;

/** A thread at work. */
interface WorkingThread {
  on(happening: Happening, listener: Listener): void;
  /** Its work is over, and nobody listens any more. */
  done(): void;
}

/** From now on threads that have done their work stay. For a process that serves run after run. */
export function letThreadsStay(): void {
  staying = true;
}

/**
 * Have work done on a thread: one that waits, or a new one.
 * @param module that calls serveOrders()
 * @param kind what the module has loaded for such work; null: the thread ends with its work
 */
export function startWork(module: URL, kind: string | null, work: object): WorkingThread {
  const key = `${module} ${kind}`;
  const waiting = idle.get(key)?.pop();
  waiting?.ref();
  const thread = waiting ?? new Worker(module, { workerData: { orders: true } });
  const stays = staying && kind !== null;
  thread.postMessage({ type: 'work', work, stays } satisfies Order<object>);
  const forget = new Map<Listener, Happening>();
  return {
    on(happening, listener) {
      forget.set(listener, happening);
      thread.on(happening, listener);
    },
    done() {
      if (!stays) return;
      // One by one: without those that a Worker of Node has itself it hears nothing more.
      for (const [listener, happening] of forget) thread.off(happening, listener);
      thread.unref();
      idle.set(key, [...(idle.get(key) ?? []), thread]);
    },
  };
}

/** Take all threads that wait to where this process is now; those that were in another network namespace leave it. Rejects when one cannot go. */
export async function moveThreads(): Promise<void> {
  await Promise.all([...idle.values()].flat().map(move));
}

function move(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => over(() => reject(error));
    const ended = () => fail(new Error('a thread that waited for work has ended'));
    const moved = () => over(resolve);
    thread.on('message', moved).on('error', fail).on('exit', ended);
    thread.postMessage({ type: 'move' } satisfies Order<never>);

    function over(settle: () => void): void {
      thread.off('message', moved).off('error', fail).off('exit', ended);
      settle();
    }
  });
}

/** Whether this thread was started by startWork(). @param data its workerData */
export function takesOrders(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'orders' in data;
}

/** On the thread: do each piece of work. Ends the thread after one with which it does not stay. */
export function serveOrders<Work>(work: (work: Work) => Promise<void> | void): void {
  if (parentPort === null) throw new Error('serveOrders() is for a worker thread');
  const port = parentPort;
  port.on('message', async (order: Order<Work>) => {
    if (order.type === 'move') {
      enterNamespace(OF_PROCESS);
      collectGarbage();
      port.postMessage(MOVED);
      return;
    }
    await work(order.work);
    if (!order.stays) port.close();
  });
}

let own: boolean | undefined;

/**
 * Give this thread a table of descriptors of its own, once (unshareDescriptors()), without the sockets that its process has: a copy would
 * keep them open, and with them their network namespace.
 * @returns false where it is forbidden
 */
export function ownDescriptors(): boolean {
  if (own === undefined) {
    own = unshareDescriptors();
    closeSockets();
  }
  return own;
}

/** Standard input, output and error may be sockets, and stay: Node's loop reckons with them. */
const STANDARD = 3;

/** Close every socket in this thread's table, where it has one of its own. Node's loops have none there. */
export function closeSockets(): void {
  if (own !== true) return;
  const folder = `${ownThread()}/fd`;
  for (const fd of readdirSync(folder).map(Number))
    if (fd >= STANDARD && unlessThrown(() => readlinkSync(`${folder}/${fd}`), '').startsWith('socket:')) close(fd);
}
