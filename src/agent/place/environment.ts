/**
 * What this machine is, as a reader of the results must know it.
 */
import { availableParallelism, cpus, machine, release, totalmem } from 'node:os';
import { PORT_SYSCTLS } from '../../capacity/sysctl-catalogue.js';
import { readSysctls } from '../../kernel/sysctl.js';
import { timerFrequency } from '../../kernel/timer-frequency.js';
import { isRootOfMachine } from '../../machine/rights.js';
import type { Environment } from '../../results/schema.js';
import { toolVersion } from '../../results/version.js';
import { descriptorLimit } from './limits.js';

/** @param lab the kind of lab, in words */
export function describeEnvironment(lab: string): Environment {
  return {
    tool: toolVersion(),
    kernel: release(),
    hz: timerFrequency(),
    machine: machine(),
    node: process.versions.node,
    libuv: process.versions.uv,
    cpu: cpuModel(),
    cpus: availableParallelism(),
    memory: totalmem(),
    lab,
    root: isRootOfMachine(),
    descriptors: descriptorLimit(),
    defaults: readSysctls(PORT_SYSCTLS),
  };
}

/** On some machines (arm64, virtual ones) the kernel gives no model name. */
function cpuModel(): string {
  return cpus()[0]?.model.trim() || 'unknown';
}
