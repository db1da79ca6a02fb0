/**
 * From a variant's comparisons to its one word and one sentence. Pure.
 *
 * The word answers «did it fix what the goal measures, and did it not break anything?»:
 *
 * 1. More failures overall is worse, whatever the goal says.
 * 2. A goal that got better stays better when another guardrail got worse: that is a price, which the sentence names, and
 *    whether it is worth paying is the operator's choice (a threshold turns it into a refusal). Calling it worse would put a fix
 *    that ended every failure at 11 % more CPU beside one that doubled the failures.
 * 3. But where the goal is one failing outcome, fewer failures of that kind must mean fewer failures: if failures of any kind
 *    made no difference, the failure has only moved to another call, and the word is no difference.
 * 4. A goal that saw no difference (or whose failure only moved) turns to worse when a guardrail got worse: nothing was gained,
 *    and something was paid.
 * 5. A neighbour of which more attempts fail is failures overall: the word is worse, and the sentence begins with the neighbour.
 */
import { failingOutcome, type Metric, parseMetric, shareMargin } from '../domain/metric.js';
import type { Comparison, Verdict, VerdictWord } from '../results/schema.js';
import { formatValue, listed } from './format.js';
import type { OutcomeShift } from './outcome-shift.js';

/** The guardrail that every goal on one failing outcome gets. */
export const FAILURES = 'failures.share';

/** Whether a goal counts failures of the whole load: of any kind or of one. */
export function isAboutFailures({ failures, neighbour, scenario }: Metric): boolean {
  return neighbour === null && scenario === null && failures !== null;
}

/** What is judged: a variant's comparisons, FAILURES among its guardrails where the goal is one failing outcome. */
export interface Evidence {
  readonly name: string;
  readonly metric: Metric;
  readonly goal: Comparison;
  readonly guardrails: readonly Comparison[];
  readonly shift: OutcomeShift;
}

/** The word for a variant, and the sentence that gives the reason. */
export function judge(evidence: Evidence): Verdict {
  const { name, goal, guardrails } = evidence;
  const { word, because, opening } = decide(evidence);
  const sentence = `${name} ${opening ?? OPENINGS[word]}: ${because}`;
  return { verdict: word, sentence, goal, guardrails: [...guardrails] };
}

const OPENINGS: Record<VerdictWord, string> = {
  better: 'helped',
  worse: 'made it worse',
  'no difference': 'made no difference',
  'not enough evidence': 'is undecided',
};

interface Decision {
  readonly word: VerdictWord;
  readonly because: string;
  /** What it did, where the word alone does not say it. */
  readonly opening?: string;
}

function decide({ metric, goal, guardrails, shift }: Evidence): Decision {
  const failures = guardrails.find((comparison) => comparison.metric === FAILURES);
  const prices = guardrails.filter((comparison) => comparison.verdict === 'worse' && comparison !== failures);
  if (failures?.verdict === 'worse')
    return { word: 'worse', because: goal.verdict === 'worse' ? goal.why : but(goal.why, [failures, ...prices]) };
  const starved = starvedNeighbours(guardrails);
  if (starved.length > 0)
    return {
      word: 'worse',
      because: goal.verdict === 'worse' ? but(goal.why, starved) : but(goal.why, prices),
      opening: `${goal.verdict === 'better' ? 'fixed the load and ' : ''}starved ${namesOf(starved)}`,
    };
  switch (goal.verdict) {
    case 'worse':
      return { word: 'worse', because: goal.why };
    case 'not enough evidence':
      return { word: 'not enough evidence', because: but(goal.why, prices) };
    case 'no difference':
      return { word: prices.length > 0 ? 'worse' : 'no difference', because: but(goal.why, prices) };
    case 'better': {
      const doubt =
        hidden(metric, goal, shift) ??
        (failures && failingOutcome(metric) ? moved(goal, failures, shift, prices) : null);
      return doubt ?? { word: 'better', because: but(withRest(goal.why, metric, shift), prices) };
    }
  }
}

/** The comparisons that say that more attempts of a neighbour fail. */
export function starvedNeighbours(guardrails: readonly Comparison[]): Comparison[] {
  return guardrails.filter((comparison) => {
    const metric = parseMetric(comparison.metric);
    return comparison.verdict === 'worse' && metric.neighbour !== null && metric.failures === 'any';
  });
}

/** `the neighbour dns`, `the neighbours dns and curl`. */
export function namesOf(comparisons: readonly Comparison[]): string {
  const names = comparisons.map(({ metric }) => parseMetric(metric).neighbour ?? '');
  return `the ${names.length === 1 ? 'neighbour' : 'neighbours'} ${listed(names)}`;
}

/** Attempts that were shed cannot fail: a goal that improves only because more were shed has shown nothing. */
function hidden(metric: Metric, goal: Comparison, { ok, shed }: OutcomeShift): Decision | null {
  if (
    !isAboutFailures(metric) ||
    shed.to - shed.from <= shareMargin(shed.from) ||
    ok.to - ok.from > shareMargin(ok.from)
  )
    return null;
  const share = formatValue('share', shed.to);
  const because = `${withoutStop(goal.why)}, but ${share} of its attempts were shed (never started, so they could not fail): raise load.maxInFlight or the limit of open files.`;
  return { word: 'not enough evidence', because };
}

/** What failures of any kind say of a goal that got better; null when they fell with it. */
function moved(
  goal: Comparison,
  failures: Comparison,
  { grown }: OutcomeShift,
  prices: readonly Comparison[],
): Decision | null {
  if (failures.verdict === 'better' && Math.abs(failures.difference ?? 0) > shareMargin(failures.baseline ?? 0))
    return null;
  if (failures.verdict === 'not enough evidence')
    return {
      word: 'not enough evidence',
      because: `${withoutStop(goal.why)}, but whether fewer attempts fail at all is open: ${failures.why}`,
    };
  const to = grown
    ? `the failure only moved: ${grown.outcome} rose from ${formatValue('share', grown.from)} to ${formatValue('share', grown.to)} of attempts`
    : 'as many attempts fail as before';
  return {
    word: prices.length > 0 ? 'worse' : 'no difference',
    because: `${withoutStop(goal.why)}, but ${listed([to, ...prices.map((price) => withoutStop(price.why))])}.`,
  };
}

/** What still fails another way, when that is more than nothing. */
function withRest(why: string, metric: Metric, { grown }: OutcomeShift): string {
  if (failingOutcome(metric) === undefined || !grown || grown.to - grown.from <= shareMargin(grown.from)) return why;
  return `${withoutStop(why)}, of which a part moved to ${grown.outcome} (${formatValue('share', grown.to)} of attempts).`;
}

function but(why: string, worse: readonly Comparison[]): string {
  if (worse.length === 0) return why;
  return `${withoutStop(why)}, but ${listed(worse.map((comparison) => withoutStop(comparison.why)))}.`;
}

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
