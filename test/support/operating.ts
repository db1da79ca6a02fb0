/**
 * How often an experiment that is looked at as it grows errs, and what it finds: simulated with the product's own comparison, from values of
 * a known distribution. What is random is seeded, so equal questions have equal answers.
 */
import { concludePaired } from '../../src/analysis/conclusion.js';
import { contrastsOf, type Sample, sequential } from '../../src/analysis/contrast.js';
import { lookAt, looksFor } from '../../src/analysis/looks.js';
import { type Metric, parseMetric } from '../../src/domain/metric.js';
import { type Random, randomStream } from '../../src/domain/random.js';
import type { VerdictWord } from '../../src/results/schema.js';
import { normal } from './runs.js';

/** What varies from run to run, in units of about one standard deviation. */
export interface Noise {
  readonly name: string;
  readonly value: (random: Random) => number;
  /** The step in which values move; 0: none. */
  readonly step?: number;
  /** Of a whole block, for all arms alike. */
  readonly drift?: number;
  /** How much noisier the first variant is. */
  readonly first?: number;
}

const square = (random: Random) => normal(random) ** 2;

export const NOISES: readonly Noise[] = [
  { name: 'normal', value: normal },
  { name: 'uniform', value: (random) => Math.sqrt(12) * (random() - 0.5) },
  {
    name: "Student's t, 3 degrees of freedom",
    value: (random) => normal(random) / Math.sqrt((square(random) + square(random) + square(random)) / 3),
  },
  { name: 'Cauchy', value: (random) => Math.tan(Math.PI * (random() - 0.5)) },
  { name: 'lognormal, σ = 1', value: (random) => Math.exp(normal(random)) },
  { name: 'counts: 0 in 70 of 100 runs, else 1 or 2', value: counts, step: 1 },
  { name: 'normal, and a block drifts by three times as much', value: normal, drift: 3 },
  { name: 'normal, one variant ten times as noisy', value: normal, first: 10 },
  { name: 'normal, one variant a tenth as noisy', value: normal, first: 0.1 },
  { name: 'two states: 0 in 85 of 100 runs, else 1', value: (random) => Number(random() < 0.15) },
  { name: 'two states: 0 or 1, as often', value: (random) => Number(random() < 0.5) },
];

function counts(random: Random): number {
  if (random() < 0.7) return 0;
  return random() < 0.8 ? 1 : 2;
}

export interface Question {
  readonly noise: Noise;
  /** The most pairs. */
  readonly pairs: number;
  readonly variants: number;
  /** Of the first variant against the baseline; the others are copies of it. */
  readonly effect?: number;
  /** Differences within ± this count as none; 0: no margin that could hide a wrong test. */
  readonly margin?: number;
  /** Counts may be called by three pairs, times by four. */
  readonly kind?: 'count' | 'time';
  readonly experiments: number;
}

export interface Answer {
  /** Share of experiments in which a copy of the baseline is called better or worse. */
  readonly wrong: number;
  /** Of the first variant: share of experiments by word, and the mean number of pairs. */
  readonly first: Readonly<Record<VerdictWord, number>>;
  readonly pairs: number;
}

/** Make the experiments of a question, and count what is said of them. */
export function operate(question: Question): Answer {
  const { noise, experiments, pairs, variants } = question;
  const random = randomStream(1, `operating/${noise.name}/${pairs}/${variants}`);
  const first: Record<VerdictWord, number> = { better: 0, worse: 0, 'no difference': 0, 'not enough evidence': 0 };
  let [wrong, used] = [0, 0];
  for (let i = 0; i < experiments; i++) {
    const arms = experiment(question, random);
    const copies = (question.effect ?? 0) === 0 ? arms : arms.slice(1);
    if (copies.some(({ verdict }) => isClaim(verdict))) wrong++;
    first[arms[0]!.verdict]++;
    used += arms[0]!.pairs;
  }
  const share = (word: VerdictWord) => first[word] / experiments;
  return {
    wrong: wrong / experiments,
    first: {
      better: share('better'),
      worse: share('worse'),
      'no difference': share('no difference'),
      'not enough evidence': share('not enough evidence'),
    },
    pairs: used / experiments,
  };
}

interface Judged {
  readonly verdict: VerdictWord;
  readonly pairs: number;
  readonly settled: boolean;
}

function experiment({ noise, pairs, variants, effect = 0, margin = 0, kind = 'count' }: Question, random: Random) {
  const metric: Metric = {
    ...parseMetric(kind === 'count' ? 'failures.count' : 'latency.service.p50'),
    margin: () => margin,
  };
  const values = Array.from({ length: variants + 1 }, () => [] as number[]);
  for (let block = 0; block < pairs; block++) {
    const drift = (noise.drift ?? 0) * normal(random);
    for (const [arm, own] of values.entries()) {
      const scale = arm === 1 ? (noise.first ?? 1) : 1;
      own.push(drift + scale * noise.value(random) + (arm === 1 ? effect : 0));
    }
  }
  const plan = { looks: looksFor(pairs), repeat: pairs };
  const judged: (Judged | undefined)[] = values.slice(1).map(() => undefined);
  for (const look of plan.looks) {
    if (judged.every((each) => each?.settled)) break;
    const samples = judged.map((each, i): Sample => {
      const made = each?.settled ? each.pairs : look;
      return {
        arm: String(i),
        a: values[0]!.slice(0, made),
        b: values[i + 1]!.slice(0, made),
        exact: false,
        lowerBound: { a: false, b: false },
        step: noise.step ?? 0,
        ...(each?.settled ? { stopped: { claimed: isClaim(each.verdict) } } : {}),
      };
    });
    const contrasts = contrastsOf(metric, samples, sequential(metric, samples, lookAt(plan, look)));
    for (const [i, contrast] of contrasts.entries()) {
      if (judged[i]?.settled) continue;
      const { verdict, settled } = concludePaired(contrast);
      judged[i] = { verdict, settled, pairs: look };
    }
  }
  return judged.map((each): Judged => each!);
}

function isClaim(verdict: VerdictWord): boolean {
  return verdict === 'better' || verdict === 'worse';
}
