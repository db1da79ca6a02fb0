/**
 * What the rehearsal asks and learns of the proxies of an experiment. Pure.
 */

import type { Check } from '../agent/protocol.js';
import { type SocketOption, withoutNoPort } from '../domain/strategy.js';
import type { Experiment } from '../plan/plan.js';
import { withStrategy } from '../plan/scenario.js';
import type { Finding } from '../profile/problem.js';
import { type ProgramName, type ProxySettings, programOf, proxySubjectOf } from '../subjects/index.js';

const NO_PORT = 'IP_BIND_ADDRESS_NO_PORT' satisfies SocketOption;

/** The programs of all arms' proxies, each once. */
export function proxiesOf({ arms }: Experiment): ProgramName[] {
  const proxies = arms.flatMap(({ proxy }) => (proxy ? programsFor(proxy) : []));
  return [...new Map(proxies.map((proxy) => [`${proxy.kind} ${proxy.binary}`, proxy])).values()];
}

/** Its program, and what any program is watched with. */
function programsFor(proxy: ProxySettings): ProgramName[] {
  const { entrance, debianPackage } = proxySubjectOf(proxy.kind);
  return [programOf(proxy), ...(entrance ? [{ kind: proxy.kind, binary: debianPackage }] : [])];
}

/** How a proxy chooses its ports depends on its version, which only the program itself knows, and on what the kernel refuses it. */
export function withStrategies(experiment: Experiment, proxies: readonly ProgramName[], check: Check): Experiment {
  if (proxies.length === 0) return experiment;
  const version = ({ kind, binary }: ProgramName) =>
    check.programs?.[proxies.findIndex((other) => other.kind === kind && other.binary === binary)]?.version ?? null;
  const refusesNoPort = check.strategies.some(({ missing }) => missing?.startsWith(NO_PORT));
  const arms = experiment.arms.map((arm) => {
    if (!arm.proxy) return arm;
    const strategy = proxySubjectOf(arm.proxy.kind).strategy(arm.proxy, version(programOf(arm.proxy)));
    return withStrategy(arm, () => (refusesNoPort ? withoutNoPort(strategy) : strategy));
  });
  return { ...experiment, arms };
}

/** Programs that are not there, and a kernel that has no role for them. */
export function programObstacles(experiment: Experiment, proxies: readonly ProgramName[], check: Check): Finding[] {
  if (proxies.length === 0) return [];
  const missing = (check.programs ?? []).flatMap(({ binary, problem }): Finding[] => {
    if (problem === null) return [];
    const arm = experiment.arms.find(
      ({ proxy }) => proxy && programsFor(proxy).some((each) => each.binary === binary),
    )!;
    const key = proxySubjectOf(arm.proxy!.kind).entrance ? 'command' : 'binary';
    // A command is the profile's own word; a proxy that is not installed is not its fault.
    return [{ arm: arm.name, path: ['subject', key], message: problem, ...(key === 'binary' ? { lack: true } : {}) }];
  });
  if (check.veth.available) return missing;
  return [
    ...missing,
    {
      path: ['subject'],
      lack: true,
      message: `this kernel has no veth devices (${check.veth.errno}), and a proxy needs a namespace of its own: load the module (modprobe veth), or use subject: { kind: direct }`,
    },
  ];
}
