/**
 * Streams put onto circuits by us instead of by the client: a client that was once told RESOURCELIMIT by an exit sends nothing to
 * that exit again until it ends, so that one failure would become all the others.
 */
import { messageOf } from '../../domain/error.js';
import { endReasonNumber, parseCircuit, parseStream, type StreamEvent } from './log.js';

export interface StreamAttacher {
  /** Takes each event of the client's control port. */
  event(line: string): void;
  /** Build the circuit of an exit. @returns null when it is built, else why it was not */
  build(exit: number): Promise<string | null>;
  /** Streams to this target are on trial: they go through the exit, and are not counted. null: there are none */
  tryOut(target: string | null, exit: number): void;
}

export interface AttacherInput {
  ask(command: string): Promise<string[]>;
  /** Of each exit: the fingerprints of the circuit's relays. */
  readonly paths: readonly (readonly string[])[];
  /** Which exit a client's address goes to. */
  exitOf(source: string): number;
  /** How a stream of the load ended: `SUCCEEDED`, `END RESOURCELIMIT`, `TIMEOUT`. */
  note(result: string): void;
}

interface Path {
  circuit: string | null;
  /** Waiting for the circuit. */
  waiting: string[];
  building: Promise<string | null> | null;
}

/** Attaches the streams that Tor leaves unattached (`__LeaveStreamsUnattached`) to circuits of ours. */
export function createAttacher({ ask, paths, exitOf, note }: AttacherInput): StreamAttacher {
  const states: Path[] = paths.map(() => ({ circuit: null, waiting: [], building: null }));
  /** Circuits that were heard of, by how they stand: an event may come before the reply that names the circuit. */
  const standing = new Map<string, string>();
  const listeners = new Map<string, () => void>();
  /** Streams of which it is known how they ended, until they are closed. */
  const ended = new Set<string>();
  let trial: { target: string; exit: number } | null = null;

  async function extend(exit: number): Promise<string | null> {
    const state = states[exit]!;
    try {
      const [reply = ''] = await ask(`EXTENDCIRCUIT 0 ${paths[exit]!.map((print) => `$${print}`).join(',')}`);
      const id = reply.split(' ')[1]!;
      while (standing.get(id) === undefined) await new Promise<void>((resolve) => listeners.set(id, resolve));
      listeners.delete(id);
      const how = standing.get(id)!;
      if (how !== 'BUILT') return `the circuit was not built: ${how}`;
      state.circuit = id;
      for (const stream of state.waiting.splice(0)) attach(stream, exit);
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  function build(exit: number): Promise<string | null> {
    const state = states[exit]!;
    state.building ??= extend(exit).then((why) => {
      state.building = null;
      if (why !== null) for (const stream of state.waiting.splice(0)) refuse(stream, `circuit not built`, 1);
      return why;
    });
    return state.building;
  }

  function attach(stream: string, exit: number): void {
    const state = states[exit]!;
    if (state.circuit === null) {
      state.waiting.push(stream);
      void build(exit);
      return;
    }
    ask(`ATTACHSTREAM ${stream} ${state.circuit}`).catch(() => refuse(stream, 'not attached', 1));
  }

  function refuse(stream: string, result: string, reason: number): void {
    if (!ended.has(stream)) note(result);
    ended.add(stream);
    // The client has it closed with the same words as if it had found no other exit. It may have gone in between.
    ask(`CLOSESTREAM ${stream} ${reason}`).catch(() => ended.delete(stream));
  }

  function onStream(event: StreamEvent): void {
    const { id, status, target, source, reason, remoteReason } = event;
    const isTrial = source === null;
    switch (status) {
      case 'NEW':
        if (isTrial && trial?.target !== target) return refuse(id, 'not of the load', 1);
        return attach(id, isTrial ? trial!.exit : exitOf(source));
      case 'SUCCEEDED':
        // This event names no source.
        if (target !== trial?.target) note('SUCCEEDED');
        return;
      case 'DETACHED':
      case 'FAILED': {
        if (ended.has(id)) return;
        const result = reason === 'END' ? `END ${remoteReason}` : (reason ?? status);
        if (target === trial?.target) ended.add(id);
        return status === 'DETACHED' ? refuse(id, result, endReasonNumber(remoteReason ?? reason)) : fail(id, result);
      }
      case 'CLOSED':
        ended.delete(id);
        return;
    }
  }

  function fail(stream: string, result: string): void {
    if (!ended.has(stream)) note(result);
    ended.add(stream);
  }

  return {
    event(line) {
      const stream = parseStream(line);
      if (stream) return onStream(stream);
      const circuit = parseCircuit(line);
      if (!circuit) return;
      const { id, status, reason } = circuit;
      if (status !== 'BUILT' && status !== 'FAILED' && status !== 'CLOSED') return;
      standing.set(id, status === 'BUILT' ? status : `${status} ${reason ?? ''}`.trim());
      listeners.get(id)?.();
      if (status === 'BUILT') return;
      for (const state of states) if (state.circuit === id) state.circuit = null;
    },
    build,
    tryOut(target, exit) {
      trial = target === null ? null : { target, exit };
    },
  };
}
