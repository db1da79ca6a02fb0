/**
 * A subject under a what-if: the command that it is started with, and the thread that answers its bind() calls.
 */
import type { ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { errnoName } from '../../kernel/errno.js';
import { nodeCommand } from '../../machine/node-command.js';
import type { SupervisorInput } from './supervisor.js';
import type { WhatIf } from './what-if.js';

/** The channel of exec.ts, among the streams of the child. */
const CHANNEL = 3;

export interface Supervision {
  /** What stands before the command of the subject. */
  readonly prefix: readonly string[];
  /** Begin, once the child was started with a fourth stream. */
  follow(child: ChildProcess): void;
  /** What was wrong; none: every bind() that it is about was changed. */
  troubles(): string[];
  end(): void;
}

/** @param whatIf undefined: nothing is supervised */
export function supervision(whatIf: WhatIf | undefined): Supervision | null {
  if (whatIf === undefined) return null;
  const counts = new Int32Array(new SharedArrayBuffer(16));
  const problems: string[] = [];
  return {
    prefix: nodeCommand(new URL('./exec.js', import.meta.url)),
    follow(child) {
      const channel = child.stdio[CHANNEL] as Duplex;
      // Its end before the program runs is the child's, which says why.
      channel.on('error', () => {});
      channel.once('data', (text: Buffer) => {
        const [pid, fd] = text.toString().trim().split(' ').map(Number);
        const workerData: SupervisorInput = { whatIf, pid: pid!, fd: fd!, counts };
        const thread = new Worker(new URL('./supervisor.js', import.meta.url), { workerData });
        thread.unref();
        thread.once('message', () => channel.end('1'));
        thread.once('error', (error) => {
          problems.push(`its bind() calls could not be supervised: ${error.message}`);
          child.kill('SIGKILL');
        });
      });
    },
    troubles: () => [
      ...problems,
      ...(counts[1]! > 0
        ? [
            `${counts[1]} of its bind() calls could not be changed as whatIf says (${errnoName(counts[2]!)}${errnoName(counts[2]!) === 'EBADF' ? ': of a thread with descriptors of its own, which takes Linux 6.9' : ''})`,
          ]
        : []),
    ],
    end: () => void Atomics.store(counts, 3, 1),
  };
}
