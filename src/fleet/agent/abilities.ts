/**
 * What an agent's machine can do, by the words of `doctor`.
 */
import { availableParallelism, release, totalmem } from 'node:os';
import { examineMachine } from '../../lab/doctor.js';

/** What is said of the machine in every sign of life. */
export interface MachineState {
  readonly kernel: string;
  readonly machine: string;
  readonly cpus: number;
  readonly memory: number;
  readonly abilities: string[];
}

/** Tries what `doctor` tries, but for what takes long. */
export async function examineAgent(): Promise<MachineState> {
  const found = await examineMachine('quick');
  const abilities = found.filter(({ state }) => state === 'ok').map(({ what }) => what);
  return {
    kernel: release(),
    machine: process.arch,
    cpus: availableParallelism(),
    memory: totalmem(),
    abilities: [...abilities, kernelAbility(release())],
  };
}

/** The ability to count by the rules of one kernel. */
export function kernelAbility(kernel: string): string {
  return `kernel:${kernel}`;
}

/** As `doctor` calls them: what a lab of this kernel takes, and what one of another kernel does. */
export const NAMESPACES = 'network namespaces';
export const GUESTS = 'guest kernels';
