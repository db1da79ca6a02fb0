/**
 * A profile that the schema accepts → the experiment that it means: defaults filled in, every variant laid over the baseline,
 * and everything that needs several keys at once checked. Pure.
 */

import { formatDuration } from '../domain/format.js';
import { engineFor, engineProblem, kernelNameProblem } from '../domain/guest.js';
import { checkSysctlName, checkSysctlValue, normaliseSysctl } from '../domain/sysctl-syntax.js';
import { quote } from '../domain/units.js';
import { destinationCount, scheduledAttempts } from '../plan/arrival.js';
import type { Arm, Experiment, Guest } from '../plan/plan.js';
import { type Report, reporterFor } from './blame.js';
import { changesInWords } from './changes.js';
import { checkAddresses } from './check-addresses.js';
import { checkBox } from './check-box.js';
import { checkAllowList, checkDestinations } from './check-destinations.js';
import { checkKernels } from './check-kernels.js';
import { checkLoad, planLoad, runDurationMs } from './check-load.js';
import { checkGoal, checkGuardrails, checkThresholds } from './check-metrics.js';
import { checkNeighbours } from './check-neighbours.js';
import { checkSearch, withShape } from './check-search.js';
import {
  checkLoadOfSubject,
  checkServerLines,
  checkSubject,
  namesOthers,
  type SysctlsByRole,
  sysctlsByRole,
} from './check-subject.js';
import { KERNEL, LAB, REPEAT, SEED, SUBJECT, WARMUP } from './defaults.js';
import { checkTls } from './load-engine.js';
import { addressInput, mergeAddresses, mergeDestinations, mergeLoad } from './merge.js';
import type { Finding, Path } from './problem.js';
import type { ProfileInput } from './schema.js';

/** All runs of an experiment together; the journal and the results grow with them. */
export const MAX_EXPERIMENT_ATTEMPTS = 1_000_000_000;

/** A week: more is a mistake in a unit. */
export const MAX_EXPERIMENT_MS = 7 * 86_400_000;

export interface ResolveContext {
  /** SHA-256 of the profile's text, hexadecimal. */
  readonly profileHash: string;
  /** What the command line says instead of the profile. */
  readonly lab?: Experiment['lab'];
  /** What `--kernel` names: one kernel, or several to compare. */
  readonly kernels?: readonly string[];
  readonly engine?: Guest['engine'];
  /** What boots the kernel in a file; undefined when it cannot be told. Reading files is the caller's part. */
  readonly engineOf?: (path: string) => Guest['engine'] | undefined;
  readonly box?: string;
  readonly repeat?: number;
  readonly seed?: number;
}

export interface Resolution {
  /** To be used only when there are no problems. */
  readonly experiment: Experiment;
  readonly problems: readonly Finding[];
}

/** Resolve a profile, and find everything that is wrong with it at once. */
export function resolveExperiment(input: ProfileInput, context: ResolveContext): Resolution {
  const findings: Finding[] = [];
  const lab = context.lab ?? input.lab?.kind ?? LAB;
  checkNames(input, findings);
  checkHostChanges(input, lab, findings);
  const kernels = checkKernels(input, lab, context, findings);
  const guest = checkGuest(input, lab, context, kernels === undefined ? context.kernels?.[0] : undefined, findings);
  const perKernel = resolveArms(input, lab, findings);
  const arms = kernels ? kernels.flatMap(({ name }) => perKernel.map((arm) => ({ ...arm, kernel: name }))) : perKernel;
  const box = checkBox(input.lab, lab, context.box, findings);
  const search = checkSearch(input, findings);
  const goal = checkGoal(input, arms[0]!.load.arrival, findings);
  const neighbours = checkNeighbours(input, input.subject?.kind ?? SUBJECT, lab, perKernel[0]!, findings);
  const experiment: Experiment = {
    name: input.name,
    description: input.description?.trim() ?? null,
    lab,
    ...(kernels ? { kernels } : guest ? { guest } : {}),
    ...(box ? { box } : {}),
    subject: input.subject?.kind ?? SUBJECT,
    arms,
    ...(neighbours.length > 0 ? { neighbours } : {}),
    repeat: context.repeat ?? input.repeat ?? REPEAT,
    warmup: input.warmup ?? WARMUP,
    seed: context.seed ?? input.seed ?? SEED,
    ...(search ? { search } : {}),
    goal,
    guardrails: checkGuardrails(input, goal, findings),
    thresholds: checkThresholds(input, findings),
    profileHash: context.profileHash,
  };
  // The sum of arms that are too large themselves would say the same twice.
  if (findings.length === 0) checkTotal(experiment, reporterFor(findings, input, null));
  return { experiment, problems: findings };
}

function resolveArms(input: ProfileInput, lab: Experiment['lab'], findings: Finding[]): Arm[] {
  const allowed = checkAllowList(input.allow, findings);
  const { kind = SUBJECT, ...settings } = input.subject ?? {};
  const readSysctls = (sysctls: ProfileInput['sysctls'], path: Path) => checkSysctls(sysctls, path, findings);
  const reportBase = reporterFor(findings, input, null);
  const none: SysctlsByRole = { sysctls: {}, roles: { client: {}, origin: {} } };
  const base = {
    addresses: addressInput(input.addresses),
    destinations: input.destinations ?? {},
    load: withShape(input.load),
    subject: settings,
    ...sysctlsByRole(input, kind, [], none, readSysctls, reportBase),
  };
  type Merged = typeof base;
  const complete = (merged: Merged, report: Report, inherited?: readonly string[]) => {
    const addresses = inherited ? [...inherited] : checkAddresses(merged.addresses, lab, report);
    const { proxy, via } = checkSubject(kind, merged.subject, { lab, addresses, allowed }, report);
    const load = planLoad(merged.load, merged.addresses.pick, kind, proxy);
    checkLoad(load, addresses.length, report);
    checkLoadOfSubject(load, merged.load, kind, proxy, report);
    const destinations = checkDestinations(merged.destinations, addresses, lab, allowed, report);
    checkTls(load, destinations, report);
    checkServerLines(proxy, addresses.length, destinationCount(destinations), report);
    return {
      sysctls: merged.sysctls,
      ...(namesOthers(merged.roles) ? { roles: merged.roles } : {}),
      ...(proxy ? { proxy } : {}),
      ...(via ? { via } : {}),
      load,
      addresses,
      destinations,
    };
  };
  const baseline = complete(base, reportBase);
  const variants = input.variants.map((variant, i): Arm => {
    const report = reporterFor(findings, input, i);
    const merged: Merged = {
      addresses: mergeAddresses(base.addresses, variant.addresses ?? {}),
      destinations: mergeDestinations(base.destinations, variant.destinations ?? {}),
      // What a variant of a search says of arrivals has been refused.
      load: withShape({
        ...mergeLoad(base.load, variant.load ?? {}),
        arrival: variant.load?.arrival ?? base.load.arrival,
      }),
      subject: { ...base.subject, ...variant.subject },
      ...sysctlsByRole(variant, kind, ['variants', i], base, readSysctls, report),
    };
    const arm = complete(merged, report, variant.addresses ? undefined : baseline.addresses);
    return {
      name: variant.name,
      description: variant.description?.trim() ?? null,
      baseline: false,
      changes: changesInWords(baseline, arm),
      ...arm,
      ...(variant.skipMissing ? { skipMissing: true } : {}),
    };
  });
  return [{ name: 'baseline', description: null, baseline: true, changes: [], ...baseline }, ...variants];
}

function checkNames(input: ProfileInput, findings: Finding[]): void {
  for (const [i, { name }] of input.variants.entries()) {
    const path = ['variants', i, 'name'];
    const first = input.variants.findIndex((variant) => variant.name === name);
    if (name === 'baseline') {
      findings.push({
        path,
        message: 'found "baseline", which is the name of what every variant is compared with: use another',
      });
    } else if (first < i) {
      findings.push({
        path,
        message: `found ${quote(name)}, which variants[${first}] has already; names must differ: rename one`,
      });
    }
  }
}

/** The host lab loads this machine itself and may write its sysctls: the profile must say that it may. */
function checkHostChanges(input: ProfileInput, lab: Experiment['lab'], findings: Finding[]): void {
  if (lab !== 'host' || input.allowHostChanges === true) return;
  findings.push({
    path: input.allowHostChanges === false ? ['allowHostChanges'] : input.lab ? ['lab'] : [],
    message:
      'the host lab runs on this machine itself, and may only when the profile says so: add "allowHostChanges: true" at the top, or use lab: { kind: netns }',
  });
}

/** What the VM lab boots; undefined for the other labs, which have the kernel of this machine. */
function checkGuest(
  input: ProfileInput,
  lab: Experiment['lab'],
  { engine, engineOf = () => undefined }: ResolveContext,
  kernel: string | undefined,
  findings: Finding[],
): Guest | undefined {
  for (const key of ['engine', 'kernel'] as const) {
    // A profile for the VM lab may be run elsewhere by the command line; one for another lab that names a kernel is a mistake.
    if (input.lab?.[key] === undefined || input.lab.kind === 'vm') continue;
    findings.push({
      path: ['lab', key],
      message: `found ${quote(input.lab[key])}, but the ${input.lab.kind} lab runs on the kernel of this machine: use kind: vm, or remove ${key}`,
      at: 'key',
    });
  }
  const problem = input.lab?.kernel === undefined ? undefined : kernelNameProblem(input.lab.kernel);
  if (problem !== undefined) findings.push({ path: ['lab', 'kernel'], message: problem });
  if (lab === 'vm') {
    const name = kernel ?? input.lab?.kernel ?? KERNEL;
    const guest: Guest = { engine: engine ?? input.lab?.engine ?? engineFor(name, engineOf), kernel: name };
    const mismatch = engineProblem(guest);
    if (mismatch !== undefined) findings.push({ path: ['lab'], message: mismatch });
    return guest;
  }
  for (const [option, value] of Object.entries({ '--kernel': kernel, '--engine': engine })) {
    if (value === undefined) continue;
    findings.push({
      path: input.lab ? ['lab'] : [],
      message: `found ${option}, which is for the VM lab, but the lab is ${lab}: add --lab vm`,
    });
  }
  return undefined;
}

/** The values as text, in the one form that is compared with what the kernel says. */
function checkSysctls(sysctls: ProfileInput['sysctls'], path: Path, findings: Finding[]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(sysctls ?? {}).map(([name, raw]) => {
      const value = String(raw);
      const badName = checkSysctlName(name);
      const badValue = checkSysctlValue(name, value);
      if (badName !== undefined) findings.push({ path: [...path, name], message: badName, at: 'key' });
      if (badValue !== undefined) findings.push({ path: [...path, name], message: badValue });
      return [name, normaliseSysctl(value)];
    }),
  );
}

function checkTotal({ arms, repeat, warmup }: Experiment, report: Report): void {
  const blocks = repeat + warmup;
  const sum = (of: (arm: Arm) => number) => arms.reduce((total, arm) => total + of(arm), 0) * blocks;
  const what = `${arms.length} arms × ${blocks} blocks`;
  const next = 'lower repeat, or shorten the load';
  const attempts = sum(({ load }) => scheduledAttempts(load.arrival) ?? 0);
  if (attempts > MAX_EXPERIMENT_ATTEMPTS) {
    report(
      `found ${what}, ${attempts} attempts in all; at most ${MAX_EXPERIMENT_ATTEMPTS} are allowed: ${next}`,
      ['repeat'],
      ['load', 'arrival'],
    );
  }
  const duration = sum(({ load }) => runDurationMs(load));
  if (duration > MAX_EXPERIMENT_MS) {
    report(
      `found ${what}, ${formatDuration(Math.ceil(duration / 3_600_000) * 3_600_000)} of load in all; at most ${formatDuration(MAX_EXPERIMENT_MS)} is allowed: ${next}`,
      ['repeat'],
      ['load', 'arrival'],
    );
  }
}
