/**
 * The rehearsal: before anything runs, open one lab and try in it, without load, what the experiment will need. What cannot work
 * is refused with its place in the profile.
 */
import type { Check, RunSpec } from '../agent/protocol.js';
import { listed } from '../analysis/format.js';
import { hasStrategy } from '../capacity/bind-era.js';
import { atLeast, type KernelVersion, parseKernelVersion } from '../capacity/kernel-version.js';
import { predictArm } from '../capacity/predict.js';
import { judgeSysctl } from '../capacity/sysctl-catalogue.js';
import { LABS } from '../domain/lab.js';
import { strategyOf } from '../domain/strategy.js';
import { type Lab, LabError } from '../lab/lab.js';
import { INTERNET_REMEDY, INTERNET_REMEDY_OF_UML, readOnlySysctls } from '../lab/remedy.js';
import { armId } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import { type Finding, type Path, saidOnce } from '../profile/problem.js';
import type { Environment } from '../results/schema.js';
import { whatIfNeeds } from '../subjects/what-if/what-if.js';
import { drainMs, longestDrainMs } from './duration.js';
import { programObstacles, proxiesOf, withStrategies } from './proxies.js';

export interface Rehearsal {
  readonly environment: Environment;
  readonly kernel: KernelVersion;
  readonly network: RunSpec['network'];
  /** The experiment with the strategies that its proxies have in the versions that are here. */
  readonly experiment: Experiment;
  /** Why the profile cannot run here; empty when it can. */
  readonly findings: readonly Finding[];
  /** What a reader of the results must know. */
  readonly warnings: readonly string[];
}

/** What a lab said of itself and of what the arms name. */
export interface Examination extends Omit<Rehearsal, 'findings'> {
  readonly check: Check;
}

/** Rejects with LabError when the lab cannot be had. */
export async function rehearse(experiment: Experiment, lab: Lab): Promise<Rehearsal> {
  let known: Finding[] = [];
  const { check, ...rehearsal } = await examine(experiment, lab, (kernel) => {
    known = experiment.arms.flatMap((arm) => knownObstacles(arm, kernel, lab));
    // What is refused by knowledge is never tried: a wrong write could reach the host.
    return known.length === 0 ? () => true : () => false;
  });
  const findings =
    known.length > 0
      ? known
      : [
          ...experiment.arms.flatMap((arm) => triedObstacles(arm, check, rehearsal.environment)),
          ...neighbourObstacles(experiment, check, rehearsal.environment),
          ...programObstacles(experiment, proxiesOf(experiment), check),
          ...routerObstacles(experiment, check),
        ];
  const endless = experiment.arms.flatMap((arm) => endlessFill(arm, rehearsal.kernel, rehearsal.environment));
  return { ...rehearsal, findings: saidOnce([...findings, ...endless]) };
}

/**
 * Open one lab and try in it, without load, what the arms need. Rejects with LabError when the lab cannot be had.
 * @param tryable which sysctls may be written there, by the kernel that the lab turns out to have
 */
export async function examine(
  experiment: Experiment,
  lab: Lab,
  tryable: (kernel: KernelVersion) => (sysctl: string) => boolean,
): Promise<Examination> {
  const session = await lab.open('check');
  try {
    const { environment } = session.hello;
    const kernel = parseKernelVersion(environment.kernel, environment.hz);
    const proxies = proxiesOf(experiment);
    const mayTry = tryable(kernel);
    const [sysctls, roleSysctls] = [false, true].map((apart) =>
      sysctlsOf(experiment, apart).filter(([name]) => mayTry(name)),
    );
    session.send({
      type: 'check',
      ...(proxies.length > 0 ? { proxies } : {}),
      ...(routersOf(experiment).length > 0 ? { routers: routersOf(experiment).map(({ router }) => router) } : {}),
      sysctls: sysctls!,
      ...(roleSysctls!.length > 0 ? { roleSysctls: roleSysctls! } : {}),
      strategies: [
        ...new Set([
          ...[...experiment.arms.flatMap(loadsOf), ...(experiment.neighbours ?? [])].map(({ load }) => load.strategy),
          // What a proxy does depends on whether the kernel has its option; its version, and so its strategy, is not known yet.
          ...(proxies.length > 0 ? ['bind-no-port' as const] : []),
        ]),
      ],
      addresses: [
        ...new Set(
          experiment.arms.flatMap((arm) => (LABS[lab.kind].ownNamespace ? arm.addresses.slice(0, 1) : arm.addresses)),
        ),
      ],
      clocks: experiment.arms.some((arm) => loadsOf(arm).some(({ load }) => load.clocks > 1)),
      ...(experiment.arms.some(needsInternet) ? { internet: true } : {}),
    });
    const event = await session.next();
    if (event.type !== 'checked')
      throw new LabError(event.type === 'failed' ? event.message : `the agent answered ${event.type} to a check`);
    const readOnly = readOnlySysctls(event.check);
    if (readOnly) throw readOnly;
    const network = networkOf(experiment, lab, event.check);
    return {
      environment: {
        ...environment,
        lab: describe(
          lab,
          network,
          proxies.length > 0 ? 'proxy' : experiment.arms.some(({ router }) => router) ? 'router' : null,
        ),
        ...(lab.engine ? { engine: lab.engine } : {}),
      },
      kernel,
      network,
      experiment: withStrategies(experiment, proxies, event.check),
      check: event.check,
      warnings: [...session.warnings, ...warningsOf(network, event.check), ...drainWarnings(experiment, environment)],
    };
  } finally {
    await session.close();
  }
}

/** Every (name, value) that some arm sets, in the lab's own namespace or in those below it. */
function sysctlsOf({ arms }: Experiment, apart: boolean): [string, string][] {
  const pairs = arms.flatMap((arm) =>
    namedSysctls(arm).flatMap((named): [string, string][] =>
      isApart(named) === apart ? [[named.name, named.value]] : [],
    ),
  );
  return [...new Map(pairs.map((pair) => [pair.join('='), pair])).values()];
}

function knownObstacles(arm: Arm, kernel: KernelVersion, lab: Lab): Finding[] {
  const findings: Finding[] = [];
  for (const { name, path, role } of namedSysctls(arm)) {
    const { sysctls, roleSysctls } = LABS[lab.kind];
    const judgement = judgeSysctl(name, kernel, role === null ? sysctls : roleSysctls);
    if (!judgement.ok) findings.push({ arm: arm.name, path, message: judgement.reason, at: 'key' });
  }
  // Its strategy is its own affair.
  if (arm.proxy) return [...findings, ...whatIfObstacles(arm, kernel)];
  for (const { load, ...where } of placedLoads(arm)) {
    const { since } = strategyOf(load.strategy);
    // Where a vendor may have brought it to an older kernel, trying tells.
    if (hasStrategy(kernel, load.strategy) === 'no') {
      findings.push({
        ...where,
        message: `the strategy ${load.strategy} needs Linux ${since} or newer; this kernel is ${kernel.release}. Leave the variant out, or run it on a newer kernel`,
      });
    }
  }
  return findings;
}

/** What the arm would change on the sockets of its program, and this kernel cannot. Of a vendor's kernel nobody knows but by trying. */
function whatIfObstacles({ name, proxy }: Arm, kernel: KernelVersion): Finding[] {
  const whatIf = proxy && 'whatIf' in proxy ? proxy.whatIf : undefined;
  if (whatIf === undefined || kernel.enterprise !== null) return [];
  return whatIfNeeds(whatIf)
    .filter(({ since }) => !atLeast(kernel, since))
    .map(({ what, since }) => ({
      arm: name,
      path: ['subject', 'whatIf'],
      message: `${what} needs Linux ${since} or newer; this kernel is ${kernel.release}. Leave the variant out, or run it on a newer kernel`,
    }));
}

/** The loads of an arm, each with where its strategy may stand. */
function placedLoads(arm: Arm): (Pick<Finding, 'arm' | 'path' | 'or'> & Pick<Arm, 'load'>)[] {
  const first = ['load', 'strategy'];
  return loadsOf(arm).map(({ load }, i) =>
    i === 0
      ? { load, arm: arm.name, path: first }
      : { load, arm: arm.name, path: ['scenarios', i - 1, ...first], or: [first] },
  );
}

/** A fill that ends at failures, of an arm that never has one by the kernel's rules. */
export function endlessFill(arm: Arm, kernel: KernelVersion, { defaults }: Pick<Environment, 'defaults'>): Finding[] {
  const why = predictArm(arm, kernel, defaults).neverFails;
  if (why === undefined) return [];
  return [
    {
      arm: arm.name,
      path: ['load', 'arrival'],
      message: `this fill ends at failures, but no attempt ever fails: ${why}. Add a number of attempts ("attempts: 1000") or a time ("within: 10s")`,
    },
  ];
}

function neighbourObstacles({ neighbours = [] }: Experiment, check: Check, { kernel }: Environment): Finding[] {
  return neighbours.flatMap(({ load }, i) => {
    const strategy = check.strategies.find(({ name }) => name === load.strategy);
    if (!strategy?.missing) return [];
    const message = `this kernel (${kernel}) does not have the strategy ${strategy.name} (${strategy.missing}); use another`;
    return [{ path: ['neighbours', i, 'strategy'], message }];
  });
}

function triedObstacles(arm: Arm, check: Check, environment: Environment): Finding[] {
  const findings: Finding[] = [];
  for (const named of namedSysctls(arm)) {
    const errno = triedOf(named, check);
    if (errno) findings.push({ arm: arm.name, path: named.path, message: refusal(named, errno, environment) });
  }
  // That of a proxy is its own affair.
  for (const { load, ...where } of arm.proxy ? [] : placedLoads(arm)) {
    const strategy = check.strategies.find(({ name }) => name === load.strategy);
    if (strategy?.missing) {
      findings.push({
        ...where,
        message: `this kernel (${environment.kernel}) does not have the strategy ${strategy.name} (${strategy.missing}); leave it out`,
      });
    }
  }
  if (loadsOf(arm).some(({ load }) => load.clocks > 1) && check.clocksMissing !== null) {
    findings.push({
      arm: arm.name,
      path: ['load', 'clocks'],
      message: `this kernel (${environment.kernel}) cannot give the clients clocks of their own (${check.clocksMissing}). That needs Linux 3.9 and CAP_NET_ADMIN; from 4.11 to 4.14 also net.ipv4.tcp_fastopen: 5 under sysctls`,
    });
  }
  if (needsInternet(arm) && check.internetMissing)
    findings.push({
      path: ['subject'],
      message: noInternet(check.internetMissing, environment),
      lack: true,
    });
  return [...findings, ...addressObstacles(arm, check)];
}

function noInternet(why: string, { engine, kernel }: Environment): string {
  return engine === 'uml'
    ? `the kernel of the guest (${kernel}) cannot give a program the lab's internet: ${why}; ${INTERNET_REMEDY_OF_UML}`
    : `this machine cannot give a program the lab's internet: ${why}; ${INTERNET_REMEDY}`;
}

/** The different routers of an experiment, each with the first arm that has it. */
function routersOf({ arms }: Experiment): { readonly arm: string; readonly router: NonNullable<Arm['router']> }[] {
  const all = arms.flatMap(({ name, router }) =>
    router ? [[JSON.stringify(router), { arm: name, router }] as const] : [],
  );
  return [...new Map(all.reverse()).values()];
}

/** Why a kernel does not make the rules of an arm's router; undefined: it does, or there is none. */
export function routerProblem(
  { router }: Arm,
  experiment: Experiment,
  { routersMissing = [] }: Check,
): string | undefined {
  const text = JSON.stringify(router);
  return routersMissing[routersOf(experiment).findIndex((each) => JSON.stringify(each.router) === text)] ?? undefined;
}

function routerObstacles(experiment: Experiment, { routersMissing = [] }: Check): Finding[] {
  return routersOf(experiment).flatMap(({ arm }, i) => {
    const problem = routersMissing[i];
    return problem ? [{ arm, path: ['subject'], message: problem, lack: true as const }] : [];
  });
}

/** It talks to whomever it likes. */
function needsInternet({ proxy }: Arm): boolean {
  return proxy !== undefined && 'names' in proxy;
}

/** Addresses that the lab cannot have. */
export function addressObstacles(arm: Arm, check: Check): Finding[] {
  const findings: Finding[] = [];
  if (!check.family.available) {
    findings.push({
      path: ['addresses'],
      message: `this machine has no IPv6 (${check.family.errno}); use IPv4 addresses`,
    });
  }
  const notLocal = check.notLocal.filter((address) => arm.addresses.includes(address));
  if (notLocal.length > 0) {
    findings.push({
      path: ['addresses'],
      message: `this host does not have ${notLocal.slice(0, 3).join(', ')}${notLocal.length > 3 ? ` and ${notLocal.length - 3} more` : ''}, and the host lab adds no addresses; use the host's own, or 127.0.0.0/8`,
    });
  }
  return findings;
}

/** The errno with which a lab refused a sysctl where its role is; null: it did not; undefined: it was not tried. */
export function triedOf(named: Omit<NamedSysctl, 'path'>, check: Check): string | null | undefined {
  const { name, value } = named;
  const all = isApart(named) ? (check.roleSysctls ?? []) : check.sysctls;
  return all.find((candidate) => candidate.name === name && candidate.value === value)?.errno;
}

/** Why a sysctl could not be written, with what to do. @param errno as its name */
export function refusal(named: Omit<NamedSysctl, 'path'>, errno: string, { kernel }: Environment): string {
  const { name, value, role } = named;
  switch (errno) {
    case 'ENOENT':
      return `this kernel (${kernel}) has no ${name}; leave it out, or load the module that brings it`;
    case 'EACCES':
    case 'EPERM':
      return isApart(named)
        ? `the ${role} has a network namespace of its own, in which ${name} is read-only (${errno}): one value serves the whole kernel; leave it out`
        : `${name} is read-only in this lab (${errno}); leave it out`;
    case 'EINVAL':
    case 'ERANGE':
      return `the kernel does not accept ${name} = ${value} (${errno}); give a value in its range`;
    default:
      return `the kernel refused ${name} = ${value} (${errno})`;
  }
}

export interface NamedSysctl {
  readonly name: string;
  readonly value: string;
  readonly path: Path;
  /** A role beside the one that is under test; null: that one. */
  readonly role: 'client' | 'origin' | 'router' | null;
}

/** Whether its namespace is below that in which the lab's agent is. The clients of a proxy are where the agent is. */
function isApart({ role }: Pick<NamedSysctl, 'role'>): boolean {
  return role === 'origin' || role === 'router';
}

/** An arm's sysctls of all roles, each with its place in the arm. */
export function namedSysctls({ sysctls, roles }: Arm): NamedSysctl[] {
  const of = (role: NamedSysctl['role'], values: Readonly<Record<string, string>> = {}) =>
    Object.entries(values).map(([name, value]) => ({
      name,
      value,
      path: [...(role === null ? [] : ['roles', role]), 'sysctls', name],
      role,
    }));
  return [
    ...of(null, sysctls),
    ...of('client', roles?.client),
    ...of('origin', roles?.origin),
    ...of('router', roles?.router),
  ];
}

function networkOf(experiment: Experiment, lab: Lab, check: Check): RunSpec['network'] {
  if (experiment.arms[0]?.destinations.kind !== 'lab') return 'external';
  return LABS[lab.kind].ownNamespace && check.veth.available ? 'veth' : 'shared';
}

/** @param between the role between client and origin; null: there is none */
function describe(lab: Lab, network: RunSpec['network'], between: string | null): string {
  if (!LABS[lab.kind].ownNamespace) return lab.description;
  const place =
    network === 'veth'
      ? `${lab.description}, ${between ? `client, ${between} and origin` : 'client and origin'} joined by veth`
      : `${lab.description}, client and origin in one`;
  return lab.caveat === undefined ? place : `${place} (${lab.caveat})`;
}

function warningsOf(network: RunSpec['network'], check: Check): string[] {
  if (network !== 'shared' || check.veth.errno === null) return [];
  return [
    `this kernel has no veth devices (${check.veth.errno}), so client and origin share one namespace and the sysctls of the client apply to the origin too`,
  ];
}

function drainWarnings(experiment: Experiment, environment: Environment): string[] {
  const leaving = experiment.arms.filter((arm) => longestDrainMs(experiment.lab, arm) > 0);
  if (leaving.length === 0) return [];
  const waiting = leaving.filter((arm) => drainMs(experiment, arm, environment) > 0);
  return [
    waiting.length > 0
      ? `on the host each run of ${listed(waiting.map(armId))} first waits, up to a minute, until the ports of the run before are out of TIME_WAIT: together with its own they could come to a wall, and would be counted against it`
      : 'no run waits until the ports of the run before are out of TIME_WAIT: they are too few to bring it to a wall',
  ];
}
