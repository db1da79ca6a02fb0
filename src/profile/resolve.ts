/**
 * A profile that the schema accepts → the experiment that it means, in three passes over whole arms: merge (each variant over the
 * baseline), complete (the defaults), check (what needs several keys at once). Pure.
 */
import { formatDuration } from '../domain/format.js';
import { complete } from '../domain/setting.js';
import { checkSysctlName, checkSysctlValue } from '../domain/sysctl-syntax.js';
import { quote } from '../domain/units.js';
import { destinationCount, scheduledAttempts } from '../plan/arrival.js';
import { EXPERIMENT_SETTINGS } from '../plan/experiment-settings.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { loadsOf } from '../plan/scenario.js';
import { SEARCH, SEARCH_SETTINGS, type SearchSettings } from '../plan/search.js';
import type { ReadFiles } from '../subjects/base/base.js';
import { type SubjectKind, subjectOf } from '../subjects/index.js';
import { changesInWords } from './changes.js';
import { checkAddresses, checkUnbound } from './check-addresses.js';
import { checkBase } from './check-base.js';
import { checkAllowList, checkDestinations } from './check-destinations.js';
import { type AskedLab, checkLab } from './check-lab.js';
import { checkLoad, checkSearch, checkTls, runDurationMs } from './check-load.js';
import { checkGoal, checkGuardrails, checkThresholds } from './check-metrics.js';
import { checkNeighbours } from './check-neighbours.js';
import { checkRecovery } from './check-recovery.js';
import { checkScenarioNames, checkScenarios } from './check-scenarios.js';
import { checkLoadOfSubject, checkServerLines, checkSubject } from './check-subject.js';
import { type CompleteArm, completeLoad, completeSysctls, SUBJECT } from './complete.js';
import { mergeArm, type NamedArm, namedArm } from './merge.js';
import { type Finding, reporterFor } from './problem.js';
import type { ProfileInput, VariantInput } from './schema.js';

/** All runs of an experiment together; the journal and the results grow with them. */
const MAX_EXPERIMENT_ATTEMPTS = 1_000_000_000;
/** Of all arms, those that variants have from the baseline counted once: eight times what one arm may have. */
const MAX_ADDRESSES_IN_ALL = 8 * 65_536;

/** A week: more is a mistake in a unit. */
const MAX_EXPERIMENT_MS = 7 * 86_400_000;

/** What the command line says instead of the profile. */
export interface LoadOptions extends AskedLab {
  /** The folder of the profile, absolute: what folders that it names are looked for in. */
  readonly folder?: string | undefined;
  /** Reads configuration files that the profile names; absent: they are not read. */
  readonly readFiles?: ReadFiles | undefined;
  readonly repeat?: number | undefined;
  readonly seed?: number | undefined;
  readonly rate?: number | undefined;
}

/** What a profile and the command line may leave to the tool, which then chooses it for the machine (experiment/design.ts). */
export type Unsaid = readonly ('repeat' | 'workers')[];

interface Resolution {
  /** To be used only when there are no findings. */
  readonly experiment: Experiment;
  readonly unsaid: Unsaid;
  readonly findings: readonly Finding[];
}

/**
 * Resolve a profile, and find everything that is wrong with it at once.
 * @param profileHash SHA-256 of the profile's text, hexadecimal
 */
export function resolveExperiment(input: ProfileInput, profileHash: string, options: LoadOptions): Resolution {
  const findings: Finding[] = [];
  checkNames(input, findings);
  checkScenarioNames(input, findings);
  const lab = checkLab(input, options, findings);
  const subject = input.subject?.kind ?? SUBJECT;
  const isProxied = subjectOf(subject).role === 'proxy';
  checkRoles(input, subject, findings);
  const base = namedArm(input, isProxied);
  const context: ArmContext = {
    input,
    subject,
    lab: lab.lab,
    allowed: checkAllowList(input.allow, findings),
    base,
    folder: options.folder,
    readFiles: options.readFiles,
    room: { left: MAX_ADDRESSES_IN_ALL },
  };
  const baseline = resolveArm({ name: 'baseline' }, base, context, findings);
  const variants = input.variants.map((variant) =>
    resolveArm(variant, mergeArm(base, namedArm(variant, isProxied)), context, findings, baseline),
  );
  const perKernel = [baseline, ...variants];
  const arms = lab.kernels?.flatMap(({ name }) => perKernel.map((arm) => ({ ...arm, kernel: name }))) ?? perKernel;
  const search = resolveSearch(input, findings);
  const goal = checkGoal(input, arms[0]!.load.arrival, findings);
  const neighbours = checkNeighbours(input, subject, lab.lab, baseline, findings);
  const { repeat, warmup, seed, requiredRate } = complete(EXPERIMENT_SETTINGS, input);
  const rate = options.rate ?? requiredRate;
  const experiment: Experiment = {
    name: input.name,
    description: input.description?.trim() ?? null,
    ...lab,
    subject,
    arms,
    ...(neighbours.length > 0 ? { neighbours } : {}),
    repeat: options.repeat ?? repeat,
    warmup,
    seed: options.seed ?? seed,
    ...(search ? { search } : {}),
    ...(rate === undefined ? {} : { requiredRate: rate }),
    goal,
    guardrails: checkGuardrails(input, goal, findings),
    thresholds: checkThresholds(input, findings),
    profileHash,
  };
  // The sum of arms that are too large themselves would say the same twice.
  if (findings.length === 0) checkTotal(experiment, findings);
  const loads = [input.load, ...input.variants.map((variant) => variant.load)];
  const unsaid: Unsaid = [
    ...(options.repeat === undefined && input.repeat === undefined ? (['repeat'] as const) : []),
    ...(loads.every((load) => load?.workers === undefined) ? (['workers'] as const) : []),
  ];
  return { experiment, unsaid, findings };
}

interface ArmContext {
  readonly input: ProfileInput;
  readonly subject: SubjectKind;
  readonly lab: Experiment['lab'];
  /** The allow list in canonical form. */
  readonly allowed: ReadonlySet<string>;
  /** What the profile says of the baseline. */
  readonly base: NamedArm;
  /** The folder of the profile, absolute. */
  readonly folder: string | undefined;
  readonly readFiles: ReadFiles | undefined;
  /** How many addresses the arms to come may have. */
  readonly room: { left: number };
}

/**
 * Complete a merged arm, and check it as a whole.
 * @param baseline of a variant; its addresses, which were checked with it, are those of a variant that names none
 */
function resolveArm(
  { name, description, skipMissing }: Pick<VariantInput, 'name' | 'description' | 'skipMissing'>,
  named: NamedArm,
  context: ArmContext,
  findings: Finding[],
  baseline?: Arm,
): Arm {
  const { subject, lab, allowed, base, room } = context;
  const report = reporterFor(findings, name);
  const inherited = baseline && named.addresses === base.addresses ? baseline.addresses : undefined;
  const addresses = inherited ?? (room.left < 0 ? [] : checkAddresses(named.addresses ?? {}, lab, report));
  if (!inherited && room.left >= 0) {
    room.left -= addresses.length;
    if (room.left < 0)
      report(
        `the arms up to this one have more than ${MAX_ADDRESSES_IN_ALL} addresses together; at most ${MAX_ADDRESSES_IN_ALL} are allowed: lower count`,
        ['addresses', 'count'],
        ['addresses'],
      );
  }
  const unbound = checkUnbound(named.addresses ?? {}, addresses, lab, report);
  const { proxy, router, via } = checkSubject(subject, named.subject, { ...context, addresses }, report);
  // The schema demands arrivals of the baseline.
  const load = completeLoad({ ...named.load, arrival: named.load.arrival! }, subject, proxy);
  const destinations = checkDestinations(named.destinations, addresses, lab, allowed, report);

  checkSysctls(name, named, findings);
  checkLoad(load, addresses.length, report);
  checkRecovery(load, lab, subject, report);
  checkLoadOfSubject(load, named.load, subject, proxy, report);
  checkTls(load, destinations, report);
  checkServerLines(proxy, addresses.length, destinationCount(destinations), report);
  const { client, origin, router: routers } = named.roles;
  const namesRoles = Object.keys({ ...client, ...origin, ...routers }).length > 0;
  const own: CompleteArm = {
    sysctls: completeSysctls(named.sysctls),
    ...(namesRoles
      ? {
          roles: {
            client: completeSysctls(client),
            origin: completeSysctls(origin),
            ...(routers ? { router: completeSysctls(routers) } : {}),
          },
        }
      : {}),
    ...(proxy ? { proxy } : {}),
    ...(router ? { router } : {}),
    ...(via ? { via } : {}),
    load,
    addresses,
    ...(unbound === undefined ? {} : { unbound }),
    destinations,
  };
  const scenarios = checkScenarios(context, { ...own, name }, named, findings);
  const arm: CompleteArm = scenarios.length > 0 ? { ...own, scenarios } : own;
  checkBase(arm, report);
  return {
    name,
    description: description?.trim() ?? null,
    baseline: baseline === undefined,
    changes: baseline ? changesInWords(baseline, arm) : [],
    ...arm,
    ...(skipMissing ? { skipMissing: true } : {}),
  };
}

function checkNames({ variants }: ProfileInput, findings: Finding[]): void {
  for (const [i, { name }] of variants.entries()) {
    const path = ['variants', i, 'name'];
    const first = variants.findIndex((variant) => variant.name === name);
    if (name === 'baseline')
      findings.push({
        path,
        message: 'a variant cannot be called "baseline", which is what it is compared with: use another name',
      });
    else if (first < i)
      findings.push({ path, message: `${quote(name)} is the name of variants[${first}] too: rename one` });
  }
}

/** Where the lab starts no proxy, or no router, there is no role of it. */
function checkRoles(input: ProfileInput, subject: SubjectKind, findings: Finding[]): void {
  const { role: own } = subjectOf(subject);
  const has =
    own === 'router' ? 'client, router or origin' : own === 'proxy' ? 'client, proxy or origin' : 'client or origin';
  for (const [name, { roles }] of [
    ['baseline', input] as const,
    ...input.variants.map((each) => [each.name, each] as const),
  ])
    for (const role of ['proxy', 'router'] as const)
      if (roles?.[role] !== undefined && own !== role)
        reporterFor(findings, name)(`there is no role "${role}" with the subject ${subject}; use ${has}`, [
          'roles',
          role,
        ]);
}

function checkSysctls(arm: string, { sysctls, roles }: NamedArm, findings: Finding[]): void {
  const all = [
    { values: sysctls, under: ['sysctls'] },
    { values: roles.client, under: ['roles', 'client', 'sysctls'] },
    { values: roles.origin, under: ['roles', 'origin', 'sysctls'] },
    { values: roles.router ?? {}, under: ['roles', 'router', 'sysctls'] },
  ];
  for (const { values, under } of all)
    for (const [name, value] of Object.entries(values)) {
      const path = [...under, name];
      const badName = checkSysctlName(name);
      const badValue = checkSysctlValue(name, value);
      if (badName !== undefined) findings.push({ arm, path, message: badName, at: 'key' });
      if (badValue !== undefined) findings.push({ arm, path, message: badValue });
    }
}

/** The settings of the search; undefined where the profile's load has arrivals of its own. */
function resolveSearch({ load, variants }: ProfileInput, findings: Finding[]): SearchSettings | undefined {
  const { arrival } = load;
  for (const [i, { load: own }] of variants.entries()) {
    if (own?.arrival === undefined || (!('find' in arrival) && !('find' in own.arrival))) continue;
    findings.push({
      path: ['variants', i, 'load', 'arrival'],
      message:
        'a search is for the baseline and every variant alike: remove arrival here, and write "arrival: { find: max-rate }" under load',
      at: 'key',
    });
  }
  if (!('find' in arrival)) return undefined;
  const { find: _, ...named } = arrival;
  const search = complete(SEARCH_SETTINGS, named, { to: Math.max(SEARCH.to, named.from ?? 0) });
  checkSearch(search, reporterFor(findings));
  return search;
}

function checkTotal({ arms, repeat, warmup }: Experiment, findings: Finding[]): void {
  const report = reporterFor(findings, 'baseline');
  const blocks = repeat + warmup;
  const sum = (of: (arm: Arm) => number) => arms.reduce((total, arm) => total + of(arm), 0) * blocks;
  const what = `${arms.length} arms × ${blocks} blocks are`;
  const next = 'lower repeat, or shorten the load';
  const attempts = sum((arm) =>
    loadsOf(arm).reduce((total, { load }) => total + (scheduledAttempts(load.arrival) ?? 0), 0),
  );
  if (attempts > MAX_EXPERIMENT_ATTEMPTS)
    report(
      `${what} ${attempts} attempts in all; at most ${MAX_EXPERIMENT_ATTEMPTS} are allowed: ${next}`,
      ['repeat'],
      ['load', 'arrival'],
    );
  const duration = sum((arm) => Math.max(...loadsOf(arm).map(({ load }) => runDurationMs(load))));
  if (duration > MAX_EXPERIMENT_MS)
    report(
      `${what} ${formatDuration(Math.ceil(duration / 3_600_000) * 3_600_000)} of load in all; at most ${formatDuration(MAX_EXPERIMENT_MS)} is allowed: ${next}`,
      ['repeat'],
      ['load', 'arrival'],
    );
}
