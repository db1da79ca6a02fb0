/**
 * The HTTP engine: one worker's load through undici, on the event loop of the worker's thread. Starters, picks, counters and
 * histograms are those of the socket engine; its timers are Node's, so an attempt may begin a millisecond late.
 */
import { setFlagsFromString } from 'node:v8';
import { monotonicMicros as now } from '../../kernel/libc.js';
import { sockaddrTable } from '../../kernel/sockaddr.js';
import { type EnginePlace, type EngineReport, LONGEST_WAIT, runLoad } from '../engine.js';
import type { Starter } from '../starter.js';
import { createHttpConnections } from './http-connections.js';

// The parser of undici is WebAssembly. On Node 20 a worker thread that ends while V8 throws superseded WebAssembly code away ends the whole
// process by SIGABRT, and with it the run; seen in one of eight runs of a busy machine. The code that is kept instead is some kilobytes.
setFlagsFromString('--no-wasm-code-gc');

/**
 * Run one worker's load from its start instant to its end.
 * @param onDrained called when every attempt has its outcome and what is held is still open
 */
export function runHttpEngine(input: EnginePlace, onDrained: () => void): Promise<EngineReport> {
  const { plan, via, targets, certificate } = input;
  return runLoad(input, onDrained, (equipment) => {
    let wake = () => {};
    const connections = createHttpConnections({
      ...equipment,
      plan,
      family: sockaddrTable(targets).family,
      via: via === undefined ? 'none' : via.listeners ? 'reverse' : 'forward',
      targets,
      certificate,
      onChange: () => wake(),
    });

    async function load(starter: Starter, stopped: () => boolean): Promise<void> {
      while (!stopped()) {
        const due = starter.start(now());
        const at = now();
        if (connections.pending() === 0 && starter.finished(at)) return;
        await pause(Math.min(due, at + LONGEST_WAIT) - at);
      }
    }

    /** Let events come, for at most so many microseconds or until an attempt has its outcome. */
    function pause(micros: number): Promise<void> {
      return new Promise((resolve) => {
        if (micros <= 0) return void setImmediate(resolve);
        const timer = setTimeout(done, Math.max(1, Math.floor(micros / 1000)));
        wake = done;
        function done() {
          clearTimeout(timer);
          wake = () => {};
          // Not at once: what changed may be one of many in the same batch of events.
          setImmediate(resolve);
        }
      });
    }

    return { connections, load, pause };
  });
}
