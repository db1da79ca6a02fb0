/**
 * What a call into C costs from JavaScript, beside what it costs a C program (calls.c): the part of an attempt that no care in
 * JavaScript takes away.
 */
import { spawnSync } from 'node:child_process';
import { getppid, monotonicMicros } from '../src/kernel/libc.js';

/** Nanoseconds each. */
export interface CallCost {
  /** getppid(2): the way into the kernel and back. */
  readonly getppid: number;
  /** The monotonic clock, which the vDSO reads without the kernel (vdso(7)). */
  readonly clock: number;
}

const CALLS = 1_000_000;

function costOf(call: () => number): number {
  // The first are interpreted.
  for (let i = 0; i < CALLS / 10; i++) call();
  const begin = monotonicMicros();
  for (let i = 0; i < CALLS; i++) call();
  return ((monotonicMicros() - begin) * 1e3) / CALLS;
}

export function callsFromJavaScript(): CallCost {
  return { getppid: costOf(getppid), clock: costOf(monotonicMicros) };
}

/** @param program the compiled calls.c */
export function callsFromC(program: string): CallCost {
  const { stdout, status } = spawnSync(program, { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`calls.c ended with ${status}`);
  return JSON.parse(stdout) as CallCost;
}
