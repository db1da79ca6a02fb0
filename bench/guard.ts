/**
 * Whether bindstorm became slower: its connections per CPU second as a share of the C client's of the same round, which takes the machine
 * and its load out as far as that goes, against those that were stored. Pure.
 */
import { ALPHA, holm, quantile } from '../src/analysis/statistics.js';
import { rankSumP, shiftInterval } from '../src/analysis/unpaired.js';
import { randomStream } from '../src/domain/random.js';
import { STRATEGIES, type Strategy } from './churn.js';
import type { RoundSample } from './results.js';

/** By strategy, one share a round. */
export type Shares = Readonly<Partial<Record<Strategy, readonly number[]>>>;

/** bench/baseline.json */
export interface Baseline {
  /** ISO 8601 */
  readonly date: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly node: string;
  readonly shares: Shares;
}

/** Nothing without a C client. */
export function sharesOfC(samples: readonly RoundSample[]): Shares {
  const perCpuSecond = ({ timed, cpuSeconds }: RoundSample) => timed / cpuSeconds;
  return Object.fromEntries(
    STRATEGIES.flatMap((strategy) => {
      const of = (contender: string) =>
        samples.filter((sample) => sample.strategy === strategy && sample.contender === contender);
      const shares = of('bindstorm').flatMap((own) => {
        const c = of('c').find(({ round }) => round === own.round);
        return c ? [perCpuSecond(own) / perCpuSecond(c)] : [];
      });
      return shares.length === 0 ? [] : [[strategy, shares] as const];
    }),
  );
}

export interface Change {
  readonly strategy: Strategy;
  readonly before: number;
  readonly now: number;
  /** Of the shift of the share, 95 %. */
  readonly interval: readonly [number, number] | null;
  /** Rank-sum test, Holm over the strategies. */
  readonly p: number;
  readonly verdict: 'slower' | 'faster' | 'no difference seen';
}

export function changesSince(baseline: Shares, now: Shares): Change[] {
  const strategies = STRATEGIES.filter((strategy) => baseline[strategy] && now[strategy]);
  const ps = holm(strategies.map((strategy) => rankSumP(baseline[strategy]!, now[strategy]!)));
  return strategies.map((strategy, i): Change => {
    const [a, b] = [baseline[strategy]!, now[strategy]!];
    const [before, after] = [quantile(a, 0.5), quantile(b, 0.5)];
    const p = ps[i]!;
    const verdict = p >= ALPHA ? 'no difference seen' : after < before ? 'slower' : 'faster';
    const interval = shiftInterval(a, b, randomStream(1, `guard/${strategy}`));
    return { strategy, before, now: after, interval, p, verdict };
  });
}
