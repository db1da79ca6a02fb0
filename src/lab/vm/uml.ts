/**
 * User-Mode Linux: a kernel that runs as one ordinary process of this machine. No hypervisor, no root, no device of the machine:
 * the guest has its memory, an image to boot from, and the descriptors that it is given
 * (Documentation/virt/uml/user_mode_linux_howto_v2.rst).
 *
 *     descriptor 1   console                     /dev/console
 *     3, 4           the agent's input, output   /dev/ttyS1
 *     5              what init says              /dev/ttyS2
 *
 * The processes of the guest are processes here too, and outlive the kernel when that is killed alone; and a kernel that panicked
 * does not end.
 *
 * Each system call of a guest's process is a change between two processes here, by ptrace(2), and the kernel uses one CPU. Between two
 * CPUs each change is a wake-up of the other one: measured 2.4 times as slow (72 to 75 s against 30 to 32 s for the rows of the oracle on each of four kernels, Linux 6.18
 * in a virtual machine on an AMD EPYC, 2026-11-30), and slower still beside other work. So all of a guest has one CPU.
 */
import { onOneCpu } from '../../machine/one-cpu.js';
import type { UmlKernel } from './uml-kernel.js';

/** @param folder of this guest alone; its memory lies there (guest-memory.ts). @param parameters of the kernel */
export function umlCommand(
  { path, libraries }: UmlKernel,
  image: string,
  memory: number,
  parameters: readonly string[],
  folder: string,
): string[] {
  return [
    ...onOneCpu(),
    ...['env', `TMPDIR=${folder}`, ...(libraries === null ? [] : [`LD_LIBRARY_PATH=${libraries}`])],
    path,
    `mem=${memory / 2 ** 20}M`,
    `initrd=${image}`,
    `uml_dir=${folder}`,
    'umid=guest',
    // Without them UML opens a terminal window for each console that a process of the guest opens.
    ...['con=null', 'con0=null,fd:1', 'ssl=null', 'ssl1=fd:3,fd:4', 'ssl2=null,fd:5'],
    'panic=-1',
    ...parameters,
  ];
}
