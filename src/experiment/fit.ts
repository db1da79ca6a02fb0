/**
 * What an experiment on several kernels comes to, once each of them was asked: an arm whose kernel lacks what it names is not run
 * there, or runs without it, and that is a result; what no kernel could know, or accepts, is a mistake in the profile. Pure.
 */
import { judgeSysctl } from '../capacity/sysctl-catalogue.js';
import { isKnownSysctl, sysctlLife } from '../capacity/sysctl-presence.js';
import { strategyOf } from '../domain/strategy.js';
import { armId, experimentOn } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import { changesInWords } from '../profile/changes.js';
import { type Finding, saidOnce } from '../profile/problem.js';
import {
  addressObstacles,
  type Examination,
  type NamedSysctl,
  namedSysctls,
  refusal,
  routerProblem,
  triedOf,
} from './rehearsal.js';

/** Kernel's name → what its lab said. */
export type Examinations = ReadonlyMap<string, Examination>;

export interface Fit {
  /** The experiment with what each kernel lacks written into its arms. */
  readonly experiment: Experiment;
  /** Why it cannot run; empty when it can. */
  readonly findings: readonly Finding[];
}

/** @param experiment one with `kernels` */
export function fitToKernels(experiment: Experiment, examinations: Examinations): Fit {
  const names = experiment.kernels!.map(({ name }) => name);
  const findings: Finding[] = [];
  const arms = names.flatMap((name) => {
    const part = experimentOn(experiment, name);
    const examination = examinations.get(name)!;
    const fitted = part.arms.map((arm) => fitArm(arm, lacks(arm, part, examination, findings), part.arms[0]!));
    const [baseline] = fitted;
    // What has nothing to be compared with is not run.
    return baseline?.absent
      ? fitted.map((arm) => ({ ...arm, absent: true, missing: { ...baseline.missing, ...arm.missing } }))
      : fitted;
  });
  findings.push(...nowhere(experiment, examinations));
  if (findings.length === 0 && arms.every(({ absent }) => absent)) {
    findings.push({
      path: ['kernels'],
      message: `nothing can run: each of these kernels lacks what the baseline names (${inWords(arms[0]!)}); change the baseline, or add a kernel that has it`,
    });
  }
  return { experiment: { ...experiment, arms }, findings: saidOnce(findings) };
}

/** What an arm's kernel lacks, as `sysctl → since Linux 6.14`, `strategy local-port-range → since Linux 6.3`. */
export function inWords({ missing = {} }: Pick<Arm, 'missing'>): string {
  return Object.entries(missing)
    .map(([name, life]) => `${name}: ${life}`)
    .join('; ');
}

type Missing = Readonly<Record<string, string>>;

/** What a kernel lacks of what an arm names. What is wrong wherever it is tried goes to the findings. */
function lacks(arm: Arm, part: Experiment, examination: Examination, findings: Finding[]): Missing {
  const { check, kernel, environment } = examination;
  // On resume: what was not run then is not asked again.
  if (arm.absent) return arm.missing ?? {};
  const missing: Record<string, string> = {};
  for (const named of namedSysctls(arm)) {
    const { name, value, path } = named;
    const life = sysctlLife(name, kernel);
    const judgement = judgeSysctl(name, kernel, 'kernel');
    const errno = triedOf(named, check);
    const where = { arm: arm.name, path };
    if (!judgement.ok && life === undefined) findings.push({ ...where, message: judgement.reason, at: 'key' });
    else if (errno === 'ENOENT') missing[inFull(named)] = life ?? 'not in this kernel';
    else if (errno && isRefusedValue(errno)) missing[inFull(named)] = `does not accept ${value} here`;
    else if (errno) findings.push({ ...where, message: refusal(named, errno, environment), at: 'key' });
  }
  const loads = loadsOf(arm).map(({ load }) => load);
  // That of a proxy is its own affair: without its option it binds as it did before there was one.
  for (const { strategy } of arm.proxy ? [] : loads) {
    const { since } = strategyOf(strategy);
    const refused = check.strategies.find(({ name }) => name === strategy)?.missing;
    if (refused)
      missing[`strategy ${strategy}`] = since === undefined ? `not in this kernel: ${refused}` : `since Linux ${since}`;
  }
  if (loads.some(({ clocks }) => clocks > 1) && check.clocksMissing !== null)
    missing['load.clocks'] = `not in this kernel: ${check.clocksMissing}`;
  const problem = routerProblem(arm, part, check);
  if (problem !== undefined) missing['the rules of the NAT'] = problem;
  findings.push(...addressObstacles(arm, check));
  return missing;
}

/** A sysctl with its role, where that is not the one under test: `net.ipv4.ip_forward of the router`. */
function inFull({ name, role }: Pick<NamedSysctl, 'name' | 'role'>): string {
  return role === null ? name : `${name} of the ${role}`;
}

/** The value, not the name, is at fault; another kernel may accept it. */
function isRefusedValue(errno: string): boolean {
  return errno === 'EINVAL' || errno === 'ERANGE';
}

/** Whether an arm runs, and with what. */
function fitArm(arm: Arm, missing: Missing, baseline: Arm): Arm {
  const names = Object.keys(missing);
  if (names.length === 0) return arm;
  const left = (values: Readonly<Record<string, string>>, role: NamedSysctl['role']) =>
    Object.fromEntries(Object.entries(values).filter(([name]) => !(inFull({ name, role }) in missing)));
  const { client, origin, router } = arm.roles ?? {};
  const rest: Arm = {
    ...arm,
    sysctls: left(arm.sysctls, null),
    ...(arm.roles
      ? {
          roles: {
            client: left(client ?? {}, 'client'),
            origin: left(origin ?? {}, 'origin'),
            ...(router ? { router: left(router, 'router') } : {}),
          },
        }
      : {}),
  };
  const sysctls = namedSysctls(arm).map(inFull);
  const sysctlsOnly = names.every((name) => sysctls.includes(name));
  const changes = changesInWords(baseline, rest);
  // Without anything left that it changes, it would be the baseline again.
  if (arm.baseline || !arm.skipMissing || !sysctlsOnly || changes.length === 0)
    return { ...arm, missing, absent: true };
  return { ...rest, changes, missing: { ...arm.missing, ...missing } };
}

/** Names that are no sysctl's, and values that no kernel accepts: mistakes, which no kernel would mend. */
function nowhere(experiment: Experiment, examinations: Examinations): Finding[] {
  const findings: Finding[] = [];
  const answers = (named: NamedSysctl) => [...examinations.values()].map(({ check }) => triedOf(named, check));
  const first = experimentOn(experiment, experiment.kernels![0]!.name);
  const releases = [...examinations.values()].map(({ environment }) => environment.kernel).join(', ');
  for (const arm of first.arms.filter(({ absent }) => !absent)) {
    for (const named of namedSysctls(arm)) {
      const { name, value, path } = named;
      const errnos = answers(named).filter((errno) => errno !== undefined);
      const at = { arm: arm.name, path };
      if (errnos.length > 0 && errnos.every((errno) => errno === 'ENOENT') && !isKnownSysctl(name)) {
        findings.push({
          ...at,
          message: `none of these kernels (${releases}) has ${name}, and no known kernel does; check the name, or leave it out`,
          at: 'key',
        });
      }
      const where = errnos.filter((errno) => errno !== 'ENOENT');
      const refusals = where.filter((errno) => errno !== null && isRefusedValue(errno));
      if (where.length > 0 && refusals.length === where.length) {
        findings.push({
          ...at,
          message: `no kernel here accepts ${name} = ${value} (${refusals[0]}); give a value in its range`,
        });
      }
    }
  }
  return findings;
}

/** The same arms with the same things missing: a kernel that answers otherwise than before is another one. */
export function sameFit(a: Experiment, b: Experiment): boolean {
  const sorted = (record: Readonly<Record<string, string>>) => Object.entries(record).sort();
  const key = ({ arms }: Experiment) =>
    JSON.stringify(
      arms.map((arm) => [
        ...[armId(arm), arm.absent ?? false, sorted(arm.missing ?? {})],
        sorted(Object.fromEntries(namedSysctls(arm).map((named) => [inFull(named), named.value]))),
      ]),
    );
  return key(a) === key(b);
}
