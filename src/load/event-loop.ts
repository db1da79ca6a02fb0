/**
 * The loop of the engines that use epoll straight: start what is due, look at what came, give up what has waited too long.
 */
import type { Epoll } from '../kernel/epoll.js';
import { monotonicMicros as now } from '../kernel/libc.js';
import { type Engine, LONGEST_WAIT } from './engine.js';
import type { StartedLoad, Starter } from './starter.js';

/**
 * A turn of the loop takes microseconds, and waits {@link LONGEST_WAIT}. One that took longer than this was kept from its CPU, µs: what has come
 * meanwhile is looked at before anything is given up for not having come.
 */
const STALLED = 2 * LONGEST_WAIT;

/** What the loop drives. */
export interface Followed extends StartedLoad {
  /** So many events of the epoll, of descriptors that are watched, each of which may have been closed by an event before. */
  onEvents(ready: number): void;
  /**
   * Before epoll is waited for: look whether what was asked since then has been answered meanwhile, which is cheaper than an epoll_ctl
   * and an event, and have epoll watch the rest.
   * @returns whether any has its outcome, so that there may be room for another attempt
   */
  listen(): boolean;
  /** Give up what has waited too long and close what has been held long enough. @returns when to call again, µs */
  expire(at: number): number;
  /** Close everything that is still open, as the plan says connections are closed. */
  closeAll(): void;
}

/** @param followed what `epoll` watches for @param close gives back what it was made of */
export function createEventLoop(epoll: Epoll, followed: Followed, close: () => void): Engine {
  function load(starter: Starter, stopped: () => boolean): void {
    /** All that had come by then was looked at. */
    let seen = now();
    while (!stopped()) {
      const due = starter.start(now());
      const room = followed.listen();
      const at = now();
      const expiry = followed.expire(at - seen > STALLED ? seen : at);
      if (followed.pending() === 0 && starter.finished(at)) return;
      const asked = now();
      const ready = epoll.wait(room ? 0 : Math.min(due, expiry, at + LONGEST_WAIT) - asked);
      if (ready < epoll.capacity) seen = asked;
      followed.onEvents(ready);
    }
  }
  return { connections: followed, load, pause: (micros) => void epoll.wait(micros), close };
}
