/**
 * The design of `search`: the highest sustainable rate of each arm. Steps in fresh labs, one after the other, until the interval is
 * narrow and its lower end has been confirmed. Each step is in the journal when it is over: what comes next follows from what was tried.
 */
import { type NotHeld, nextStep, type RateInterval, type SearchRules } from '../analysis/rate-search.js';
import { atMachineScale } from '../capacity/at-scale.js';
import { predictArm } from '../capacity/predict.js';
import { type Occupancy, type RateStep, rateStep } from '../capacity/rate-step.js';
import { UserError } from '../domain/error.js';
import { LABS } from '../domain/lab.js';
import { randomStream } from '../domain/random.js';
import { scheduledAttempts } from '../plan/arrival.js';
import { armId } from '../plan/kernels.js';
import type { Arm, Experiment } from '../plan/plan.js';
import { SEARCH, type SearchSettings } from '../plan/search.js';
import { searchAgreement } from '../report/search.js';
import type { Run } from '../results/schema.js';
import { type ArmSearch, SEARCH_VERSION, type SearchReport, type SearchTry } from '../results/search.js';
import { toolVersion } from '../results/version.js';
import { subjectOf } from '../subjects/index.js';
import type { BeginOf } from './journal-entry.js';
import { type KnownPlace, type KnownPlaces, type Place, type Places, placeFor } from './places.js';
import { type RunOutcome, runOne } from './run-one.js';
import type { Session } from './session.js';

/** What the command line says instead of the profile. Rates are per second, durations milliseconds, shares 0 to 1. */
export interface SearchOverrides {
  readonly only?: readonly string[];
  readonly from?: number;
  readonly to?: number;
  readonly tolerance?: number;
  readonly confirm?: number;
  readonly step?: number;
  readonly p99?: number;
}

/** What a search is told, for its journal. @throws UserError where the experiment cannot be searched so */
export function searchOptions(experiment: Experiment, given: SearchOverrides): BeginOf<'search'>['options'] {
  if (!LABS[experiment.lab].ownNamespace || subjectOf(experiment.subject).role === 'elsewhere')
    throw new UserError(
      'a search loads up to the limit again and again, and each step needs free ports: use a lab that is thrown away, for example --lab netns',
    );
  return { settings: settingsOf(experiment.search ?? SEARCH, given), only: onlyOf(given.only, experiment) };
}

function onlyOf(only: readonly string[] | undefined, { arms }: Experiment): string[] | null {
  const names = [...new Set(arms.map(({ name }) => name))];
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(`the profile has no arm "${unknown}" (it has ${names.join(', ')}); correct --only`);
  return only ? [...only] : null;
}

function settingsOf(profile: SearchSettings, options: SearchOverrides): SearchSettings {
  const from = options.from ?? profile.from;
  const to = options.to ?? Math.max(profile.to, from);
  if (from > to) throw new UserError(`--from (${from}/s) is above --to (${to}/s); lower the one or raise the other`);
  return {
    from,
    to,
    tolerance: options.tolerance ?? profile.tolerance,
    confirm: options.confirm ?? profile.confirm,
    stepMs: options.step ?? profile.stepMs,
    p99Ms: options.p99 ?? profile.p99Ms,
  };
}

/** An arm whose rate is to be found, and the steps that there are already. */
interface SearchedArm {
  readonly id: string;
  readonly steps: readonly SearchTry[];
}

/** Other machines, which search. */
export interface SearchElsewhere {
  /**
   * Have arms searched, several at once.
   * @param took given the steps of an arm that are new, in order
   * @returns id of an arm that is not found → why; none where the signal was aborted
   */
  make(
    arms: readonly SearchedArm[],
    took: (arm: string, steps: readonly SearchTry[]) => void,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, string>>;
}

export interface RateSearchInput {
  readonly signal: AbortSignal;
  /** Ids of the arms that are searched; absent: all that the search is of. */
  readonly only?: ReadonlySet<string>;
  /** A step of an arm begins: its id, the rate per second, and why it is tried. */
  readonly onStep: (arm: string, rate: number, why: string, step: RateStep) => void;
  /** What is known after each arm. */
  readonly onReport: (report: SearchReport) => void;
}

/** Search for the rate of each arm, from the steps that the session has already. @returns what was found */
export function searchRates(
  session: Session<'search'>,
  places: Places,
  { signal, onStep, ...input }: RateSearchInput,
): Promise<SearchReport> {
  const { journal, contents } = session;
  const { experiment, options } = contents.begin;
  return searchEach(session, places, input, (arm) => {
    const id = armId(arm);
    return searchArm({
      arm,
      settings: options.settings,
      place: placeFor(places, arm.kernel),
      seed: experiment.seed,
      signal,
      before: contents.steps.get(id) ?? [],
      onTried: (step) => journal.append({ type: 'step', arm: id, step }),
      onStep: (rate, why, step) => onStep(id, rate, why, step),
    });
  });
}

/** The same, with steps that other machines make. */
export async function searchRatesElsewhere(
  session: Session<'search'>,
  places: KnownPlaces,
  elsewhere: SearchElsewhere,
  { signal, onReport }: Pick<RateSearchInput, 'signal' | 'onReport'>,
): Promise<SearchReport> {
  const { journal, contents } = session;
  const { settings } = contents.begin.options;
  const steps = new Map(contents.steps);
  const isFound = (arm: Arm) =>
    planOfArm(arm, settings, placeFor(places, arm.kernel)).next(steps.get(armId(arm)) ?? []).type === 'answer';
  const missing = armsOf(contents.begin).filter((arm) => !isFound(arm));
  const took = (arm: string, own: readonly SearchTry[]) => {
    for (const step of own) journal.append({ type: 'step', arm, step });
    steps.set(arm, [...(steps.get(arm) ?? []), ...own]);
  };
  const wanted = missing.map((arm) => ({ id: armId(arm), steps: steps.get(armId(arm)) ?? [] }));
  const problems = wanted.length === 0 ? new Map<string, string>() : await elsewhere.make(wanted, took, signal);
  return searchEach(session, places, { onReport }, async (arm) => {
    const { next, end } = planOfArm(arm, settings, placeFor(places, arm.kernel));
    const own = steps.get(armId(arm)) ?? [];
    const last = next(own);
    if (last.type === 'answer') return end(own, last.interval, null);
    return end(own, null, problems.get(armId(arm)) ?? 'interrupted');
  });
}

/** The arms that a search is of. */
function armsOf({ experiment, options }: BeginOf<'search'>): Arm[] {
  return experiment.arms.filter(({ name, absent }) => !absent && (options.only?.includes(name) ?? true));
}

/** @param search gives what is found of an arm; one after the other */
async function searchEach(
  { journal, contents: { begin } }: Session<'search'>,
  places: KnownPlaces,
  { only, onReport }: Pick<RateSearchInput, 'only' | 'onReport'>,
  search: (arm: Arm) => Promise<ArmSearch>,
): Promise<SearchReport> {
  const { experiment, startedAt, command } = begin;
  const found: ArmSearch[] = [];
  const report = (): SearchReport => ({
    schemaVersion: SEARCH_VERSION,
    tool: toolVersion(),
    experiment: experiment.name,
    startedAt,
    finishedAt: new Date().toISOString(),
    command,
    lab: places.all[0].environment.lab,
    kernels: Object.fromEntries(places.all.map((place) => [place.name ?? 'kernel', place.environment.kernel])),
    arms: found.map((arm) => ({ ...arm, agreement: searchAgreement(arm) })),
  });
  const arms = armsOf(begin);
  for (const arm of arms.filter((each) => only?.has(armId(each)) ?? true)) {
    const result = await search(arm);
    const { kernel, environment } = placeFor(places, arm.kernel);
    const baseline = arms.find((each) => each.baseline && each.kernel === arm.kernel) ?? arm;
    found.push({
      ...result,
      real: atMachineScale(arm, baseline, kernel, environment.defaults, undefined, environment.engine),
    });
    onReport(report());
  }
  const complete = found.every(({ problem }) => problem === null);
  journal.append({ type: 'end', at: new Date().toISOString(), status: complete ? 'complete' : 'partial' });
  return report();
}

export interface SearchInput {
  readonly arm: Arm;
  readonly settings: SearchSettings;
  readonly place: Pick<Place, 'lab' | 'network' | 'kernel' | 'environment'>;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** The steps of an earlier call, in order, which are not made again. */
  readonly before?: readonly SearchTry[];
  /** A step has ended. */
  readonly onTried?: (step: SearchTry) => void;
  /** A step begins. */
  readonly onStep: (rate: number, why: string, step: RateStep) => void;
  /** Makes a run; tests have one of their own. */
  readonly run?: (input: Parameters<typeof runOne>[0]) => Promise<RunOutcome>;
}

/** A step whose failures may be the generator's is made again, so often. */
const AGAIN = 4;

/** What is known of an arm's search before any step, and what follows from steps. */
function planOfArm(given: Arm, settings: SearchSettings, place: Pick<KnownPlace, 'kernel' | 'environment'>) {
  const { kernel, environment } = place;
  // Connections that stay open to the end have no rate.
  const arm: Arm = { ...given, load: { ...given.load, holdMs: given.load.holdMs ?? 0 } };
  const { occupancy, prediction } = predictArm(arm, kernel, environment.defaults);
  const stepAt = (rate: number) =>
    rateStep(rate, occupancy, settings, arm.proxy !== undefined || arm.via !== undefined);
  const rules: SearchRules = { ...settings, attemptsAt: (rate) => scheduledAttempts(stepAt(rate).arrival) ?? 0 };
  return {
    arm,
    occupancy,
    stepAt,
    next: (steps: readonly SearchTry[]) =>
      nextStep(
        rules,
        steps.filter(({ discarded }) => !discarded),
      ),
    end: (steps: readonly SearchTry[], interval: RateInterval | null, problem: string | null): ArmSearch => ({
      name: arm.name,
      ...(arm.kernel === undefined ? {} : { kernel: arm.kernel }),
      changes: [...arm.changes],
      occupancy,
      prediction,
      interval,
      problem,
      steps: [...steps],
    }),
  };
}

/** Search for the rate of one arm. Whatever goes wrong is its `problem`. */
export async function searchArm(input: SearchInput): Promise<ArmSearch> {
  const { settings, place, signal } = input;
  const { arm, occupancy, stepAt, next: nextOf, end: endOf } = planOfArm(input.arm, settings, place);
  const steps: SearchTry[] = [...(input.before ?? [])];
  let again = steps.length - 1 - steps.findLastIndex(({ discarded }) => !discarded);
  const end = (interval: RateInterval | null, problem: string | null) => endOf(steps, interval, problem);
  for (;;) {
    const next = nextOf(steps);
    if (next.type === 'answer') return end(next.interval, null);
    if (signal.aborted) return end(null, 'interrupted');
    const step = stepAt(next.rate);
    input.onStep(next.rate, next.why, step);
    const { run } = await (input.run ?? runOne)({
      ...place,
      arm: { ...arm, load: { ...arm.load, arrival: step.arrival } },
      planned: plannedStep(arm, steps.length, input.seed),
      signal,
      onSample: () => {},
      onLoadEnd: () => place.lab.prepare?.(),
    });
    if (run.status === 'interrupted') return end(null, 'interrupted');
    if (run.status === 'failed') return end(null, run.problems[0] ?? 'a run failed');
    const tried = judge(next.rate, step, run, settings, arm.load.holdMs ?? 0);
    const together = tried.notHeld === 'refused' && cameTogether(run, step, occupancy, settings);
    const discarded = together && again < AGAIN;
    again = discarded ? again + 1 : 0;
    // Late each time: that is what this generator can do on this machine, and says nothing of the ports.
    steps.push({ ...tried, ...(together && !discarded ? { notHeld: 'generator' as const } : {}), discarded });
    input.onTried?.(steps.at(-1)!);
  }
}

function plannedStep(arm: Arm, order: number, seed: number) {
  return {
    id: `s${String(order).padStart(2, '0')}-${armId(arm)}`,
    variant: arm.name,
    ...(arm.kernel === undefined ? {} : { kernel: arm.kernel }),
    block: order,
    warmup: false,
    order,
    seed: Math.floor(randomStream(seed, `step/${order}`)() * 2 ** 32),
  };
}

/**
 * Attempts that came late came together with later ones, and what they met was not the rate: a generator that stood still for a
 * hundredth of the time for which a tuple is in use asked for a hundredth more of them.
 */
function cameTogether(run: Run, { how }: RateStep, { seconds }: Occupancy, { tolerance }: SearchSettings): boolean {
  if (how === 'scaled') return false;
  const late = (run.latency.lag?.max ?? 0) / 1e6;
  return run.generatorLimited || (how === 'in full' && late > (tolerance / 2) * seconds);
}

/** The load of a step that took so much longer than asked for was not the load that was asked for. */
const LATE = 1.1;
const LATE_MS = 250;

function judge(
  rate: number,
  { how, seconds }: RateStep,
  run: Run,
  { p99Ms }: SearchSettings,
  holdMs: number,
): Omit<SearchTry, 'discarded'> {
  const { ok = 0, shed = 0 } = run.outcomes;
  const failures = run.attempts === 0 ? 0 : 1 - ok / run.attempts;
  const p99 = run.latency.total?.p99 ?? null;
  const slow = p99Ms !== null && p99 !== null && p99 > p99Ms * 1000;
  const late = how !== 'scaled' && run.durationMs.load > seconds * 1000 * LATE + holdMs + LATE_MS;
  const verdict = (): NotHeld | null => {
    if (shed > 0) return 'generator';
    if (failures > 0) return 'refused';
    if (slow) return 'slow';
    return late ? 'generator' : null;
  };
  return {
    id: run.id,
    rate,
    notHeld: verdict(),
    failures,
    how,
    seconds: run.durationMs.load / 1000,
    outcomes: run.outcomes,
    p99,
  };
}
