/**
 * Whether what was measured is what was predicted: to the unit, within an interval, or within what can be said where time decides. A
 * disagreement is a finding about the kernel, or a fault of this program. Pure.
 */
import type { Bounds } from '../capacity/bounds.js';
import { grouped } from '../domain/grouped.js';
import { failureCount, isPeerFailure, isPortShortage } from '../domain/outcome.js';
import type { LoadPlan } from '../plan/plan.js';
import { mostAtOnce } from '../results/prediction.js';
import type { Agreement, Outcomes, Prediction, Run } from '../results/schema.js';
import { type ProxySettings, proxySubjectOf } from '../subjects/index.js';
import { counted } from './format.js';
import { comparedRuns } from './usable.js';

interface AgreementInput {
  readonly prediction: Prediction;
  readonly load: Pick<LoadPlan, 'holdMs'>;
  readonly proxy?: ProxySettings;
  /** The arm's own, warm-ups and those that went wrong among them. */
  readonly runs: readonly Run[];
  /** Declared before the run: the kernel's rules alone decide how many attempts succeed. */
  readonly deterministic: boolean;
  readonly bounds?: Bounds | null;
}

/** @returns null where nothing was predicted, or no run is fit to be compared */
export function agreementOf({
  prediction,
  load,
  proxy,
  runs,
  deterministic,
  bounds,
}: AgreementInput): Agreement | null {
  // How often any program asks for a port is its own affair.
  if (proxy && proxySubjectOf(proxy.kind).entrance) return null;
  // What the generator could not start was never asked of the kernel.
  const usable = comparedRuns({ runs, deterministic }).filter((run) => (run.outcomes.shed ?? 0) === 0);
  if (usable.length === 0) return null;
  const most = mostAtOnce(prediction);
  if (deterministic && most !== null) return exact(prediction, most, usable);
  // How long a connection that is closed at once is open is not simulated.
  const { simulated } = prediction;
  if (simulated) return load.holdMs === null ? within(simulated, usable) : null;
  return bounds ? bounded(bounds, usable) : null;
}

/** How late the end of a run may be seen, in seconds: a tuple that served again just then is not counted on. */
const LATE = 0.1;

/** Through a proxy some connections are closed by the origin first after all, when both are done at once: no TIME_WAIT, and a port more. */
const CLOSED_AT_ONCE = 0.03;

/** The runs that are not within what can be said of an arm whose counts time decides. */
function bounded(bounds: Bounds, runs: readonly Run[]): Agreement {
  const problems = runs.map((run) => problemOf(run, bounds));
  const differing = problems.filter((problem) => problem !== null);
  const [first] = runs.map(({ attempts }) => attempts);
  const least = bounds.neverFull
    ? 'none fails because ports ran out'
    : `at least ${grouped(bounds.atLeast(first!))} find one`;
  return {
    verdict: differing.length > 0 ? 'disagrees' : 'agrees',
    runs: runs.length,
    differing: differing.length,
    sentence:
      differing[0] === undefined
        ? `${counted(runs.length, 'run')} as far as time leaves it open: at most ${counted(bounds.concurrent, 'connection')} at once, and of ${counted(first!, 'attempt')} ${least}`
        : `expected: ${differing[0]} (${differing.length} of ${counted(runs.length, 'run')} differ)`,
  };
}

/** Why a run is not within the bounds, as a clause; null: it is. */
function problemOf(run: Run, { concurrent, again, neverFull, atLeast }: Bounds): string | null {
  const { ok = 0 } = run.outcomes;
  const times = again === 0 ? Number.POSITIVE_INFINITY : 1 + Math.floor((run.durationMs.load / 1000 + LATE) / again);
  const most = concurrent * times;
  if (ok > most + (run.proxy ? Math.max(3, most * CLOSED_AT_ONCE) : 0))
    return `at most ${counted(most, 'attempt')} could be ok, and ${run.id} had ${grouped(ok)}`;
  const short = shortOf(run);
  // As many under way at once as there are ports is a slow machine, not a wrong model.
  const crowded = ok > concurrent && run.capacity.peakOpen * 2 > concurrent;
  const allowed = neverFull && !crowded ? 0 : run.attempts - atLeast(run.attempts);
  return short > allowed
    ? `at most ${counted(allowed, 'attempt')} could find no port, and of ${run.id} ${grouped(short)} found none`
    : null;
}

/** Attempts that failed for want of a port. A proxy answers in words of its own, which do not tell. */
function shortOf({ outcomes, proxy }: Run): number {
  const isShort = proxy ? isPeerFailure : isPortShortage;
  return failureCount(Object.fromEntries(Object.entries(outcomes).filter(([name]) => isShort(name))));
}

function exact(prediction: Prediction, concurrent: number, runs: readonly Run[]): Agreement {
  const expected = (run: Run): Outcomes => {
    const ok = Math.min(run.attempts, concurrent);
    return { ok, [nameOf(run)]: run.attempts - ok };
  };
  // The call fails in the proxy, and its clients are told so in words of its own, which are not predicted.
  const nameOf = ({ proxy }: Run) => (proxy ? `failures (${prediction.fails} in ${proxy.kind})` : prediction.fails);
  const found = (run: Run): Outcomes => {
    if (!run.proxy) return run.outcomes;
    const { ok = 0 } = run.outcomes;
    return { ok, [nameOf(run)]: run.attempts - ok };
  };
  const differing = runs.filter((run) => !sameCounts(found(run), expected(run)));
  const first = differing[0];
  if (!first) {
    return {
      verdict: 'agrees',
      runs: runs.length,
      differing: 0,
      sentence: `${counted(runs.length, 'run')} to the unit: ${countsText(expected(runs[0]!))}`,
    };
  }
  return {
    verdict: 'disagrees',
    runs: runs.length,
    differing: differing.length,
    sentence: `expected ${countsText(expected(first))}, and ${first.id} had ${countsText(first.outcomes)} (${differing.length} of ${counted(runs.length, 'run')} differ)`,
  };
}

/** One run in twenty may lie outside of a 95 % interval; more than that, and at least two, is a disagreement. */
function within({ attempts, ok }: NonNullable<Prediction['simulated']>, runs: readonly Run[]): Agreement | null {
  const comparable = runs.filter((run) => run.attempts === attempts);
  if (comparable.length === 0) return null;
  const outside = comparable.filter(({ outcomes: { ok: found = 0 } }) => found < ok.low || found > ok.high);
  const tolerated = Math.max(1, Math.ceil(comparable.length * 0.15));
  const interval = `${grouped(ok.low)} to ${grouped(ok.high)} ok`;
  const first = outside[0];
  return {
    verdict: outside.length > tolerated || outside.length === comparable.length ? 'disagrees' : 'agrees',
    runs: comparable.length,
    differing: outside.length,
    sentence: first
      ? `simulated ${interval}; ${outside.length} of ${counted(comparable.length, 'run')} outside, as ${first.id} with ${grouped(first.outcomes.ok ?? 0)}`
      : `simulated ${interval}; ${counted(comparable.length, 'run')} within`,
  };
}

function sameCounts(a: Outcomes, b: Outcomes): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => (a[name] ?? 0) === (b[name] ?? 0));
}

function countsText(outcomes: Outcomes): string {
  const parts = Object.entries(outcomes).filter(([, count]) => count > 0);
  return parts.map(([name, count]) => `${grouped(count)} ${name}`).join(' and ') || 'nothing';
}

/** A warning for each arm whose measurement is not the prediction. */
export function disagreementWarnings(arms: readonly { name: string; agreement?: Agreement | null }[]): string[] {
  return arms.flatMap(({ name, agreement }) =>
    agreement?.verdict === 'disagrees'
      ? [
          `prediction and measurement of ${name} disagree: ${agreement.sentence}. That is a finding about this kernel, or a fault of bindstorm: please report it`,
        ]
      : [],
  );
}
