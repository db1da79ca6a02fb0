/**
 * What this machine is, as a reader of the results must know it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism, cpus, machine, release, totalmem } from 'node:os';
import { PORT_SYSCTLS } from '../../capacity/sysctl-catalogue.js';
import { readSysctls } from '../../kernel/sysctl.js';
import { timerFrequency } from '../../kernel/timer-frequency.js';
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

/** Root, and not only of a user namespace. */
export function isRootOfMachine(): boolean {
  return process.getuid?.() === 0 && !inUserNamespace();
}

/** The initial user namespace maps every uid to itself (user_namespaces(7)); before Linux 3.5 there is no other. */
function inUserNamespace(): boolean {
  const path = '/proc/self/uid_map';
  return existsSync(path) && !/^\s*0\s+0\s+4294967295\s*$/.test(readFileSync(path, 'utf8'));
}
