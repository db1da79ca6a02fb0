/**
 * An experiment on two kernels, and its results, made by the assembly itself from a few numbers: `old` lacks one sysctl that `new`
 * has, and both lack another.
 */
import { assembleResults, type ResultsInput } from '../../src/analysis/assemble.js';
import type { Arm, Experiment, KernelFactor } from '../../src/plan/plan.js';
import type { Environment, Results, Run } from '../../src/results/schema.js';
import { type ExperimentNumbers, makeArm, makeEnvironment, makeExperiment, makePrediction, makeRun } from './runs.js';

export const DELAY = 'net.ipv4.tcp_tw_reuse_delay';
export const RECYCLE = 'net.ipv4.tcp_tw_recycle';
const REUSE = 'net.ipv4.tcp_tw_reuse';

export const KERNELS: readonly KernelFactor[] = [
  { name: 'old', guest: { engine: 'uml', kernel: 'bookworm' } },
  { name: 'new', guest: { engine: 'uml', kernel: 'sid' } },
];

const SYSCTLS: Readonly<Record<string, Record<string, string>>> = {
  baseline: {},
  range: { 'net.ipv4.ip_local_port_range': '1024 65535' },
  delay: { [DELAY]: '100' },
  recycle: { [RECYCLE]: '1' },
  all: { [REUSE]: '1', [DELAY]: '100', [RECYCLE]: '1' },
};

/** As the profile says it, before any kernel was asked. */
export function kernelExperiment(numbers: ExperimentNumbers = {}): Experiment {
  const arms = KERNELS.flatMap(({ name: kernel }) =>
    Object.entries(SYSCTLS).map(([name, sysctls]): Arm => {
      const changes = Object.entries(sysctls).map(([key, value]) => `${key} = ${value}`);
      return { ...makeArm(name), sysctls, changes, kernel, ...(name === 'all' ? { skipMissing: true } : {}) };
    }),
  );
  return {
    ...makeExperiment({ repeat: 2, goal: 'failures.share', ...numbers }),
    lab: 'vm',
    kernels: [...KERNELS],
    arms,
  };
}

const UNTIL = 'until Linux 4.11';
const SINCE = 'since Linux 6.14';

/** The same when both kernels were asked. */
export function fittedExperiment(numbers: ExperimentNumbers = {}): Experiment {
  const experiment = kernelExperiment(numbers);
  const fit = (arm: Arm): Arm => {
    const lacks: Record<string, string> = { [RECYCLE]: UNTIL, ...(arm.kernel === 'old' ? { [DELAY]: SINCE } : {}) };
    const missing = Object.fromEntries(Object.entries(lacks).filter(([name]) => name in arm.sysctls));
    if (Object.keys(missing).length === 0) return arm;
    if (!arm.skipMissing) return { ...arm, missing, absent: true };
    const sysctls = Object.fromEntries(Object.entries(arm.sysctls).filter(([name]) => !(name in missing)));
    const changes = Object.entries(sysctls).map(([key, value]) => `${key} = ${value}`);
    return { ...arm, sysctls, changes, missing };
  };
  return { ...experiment, arms: experiment.arms.map(fit) };
}

const FAILS = { outcomes: { ok: 500, 'bind:EADDRINUSE': 500 } };
const WELL = { outcomes: { ok: 1000 } };

/** On both kernels a wider range ends the failures; on the new one the delay does too. All at once helps on the new one only. */
export function kernelRuns({ arms }: Experiment): Run[] {
  return arms
    .filter(({ absent }) => !absent)
    .flatMap(({ name, kernel }) => {
      const helps = name === 'range' || (kernel === 'new' && (name === 'delay' || name === 'all'));
      return [0, 1].map((block) => {
        const run = makeRun({ variant: name, block, ...(helps ? WELL : FAILS) });
        return { ...run, id: `${run.id}@${kernel}`, kernel: kernel! };
      });
    });
}

export function kernelInput(overrides: Partial<ResultsInput> = {}): ResultsInput {
  const experiment = overrides.experiment ?? fittedExperiment();
  const runs = kernelRuns(experiment);
  const environment = (kernel: string): Environment => ({
    ...makeEnvironment(),
    kernel,
    lab: 'virtual machine: User-Mode Linux',
    engine: 'uml',
  });
  return {
    experiment,
    runs,
    environment: environment('6.1.176'),
    environments: [environment('6.1.176'), environment('7.2.7')],
    predictions: new Map(experiment.arms.map(({ name, kernel }) => [`${name}@${kernel}`, makePrediction()])),
    deterministic: () => true,
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:14:05.000Z',
    runsPlanned: runs.length,
    command: 'bindstorm run example.yaml',
    profileText: 'name: example\n',
    ...overrides,
  };
}

export function kernelResults(overrides: Partial<ResultsInput> = {}): Results {
  return assembleResults(kernelInput(overrides));
}
