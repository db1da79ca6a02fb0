/**
 * The colours of charts by role. The page gives CSS variables, so that one SVG follows the reader's colour scheme and print;
 * a caller without CSS can give plain colours.
 */

import type { VerdictWord } from '../../results/schema.js';

export interface Palette {
  readonly text: string;
  readonly axis: string;
  readonly grid: string;
  readonly okArea: string;
  readonly okLine: string;
  /** Attempts that were never started. */
  readonly shed: string;
  /** One a kind of failure. */
  readonly failures: readonly string[];
  readonly portsArea: string;
  readonly portsLine: string;
  /** Where every port is taken, and where searches become slow before that. */
  readonly limit: string;
  readonly slow: string;
  /** How full an address was, one a level of heat.ts. */
  readonly heat: readonly string[];
  readonly verdicts: Readonly<Record<VerdictWord, string>>;
  /** The ground on which each is read. */
  readonly verdictGrounds: Readonly<Record<VerdictWord, string>>;
  readonly baseline: string;
  /** One a variant within a chart. */
  readonly variants: readonly string[];
}

export const CSS_PALETTE: Palette = {
  text: 'var(--muted)',
  axis: 'var(--axis)',
  grid: 'var(--grid)',
  okArea: 'var(--ok-area)',
  okLine: 'var(--ok-line)',
  shed: 'var(--shed)',
  failures: ['var(--f1)', 'var(--f2)', 'var(--f3)', 'var(--f4)', 'var(--f5)'],
  portsArea: 'var(--ports-area)',
  portsLine: 'var(--ports-line)',
  limit: 'var(--limit)',
  slow: 'var(--slow)',
  heat: ['var(--h1)', 'var(--h2)', 'var(--h3)', 'var(--h4)', 'var(--h5)'],
  verdicts: {
    better: 'var(--good)',
    worse: 'var(--bad)',
    'no difference': 'var(--same)',
    'not enough evidence': 'var(--unsure)',
  },
  verdictGrounds: {
    better: 'var(--good-bg)',
    worse: 'var(--bad-bg)',
    'no difference': 'var(--same-bg)',
    'not enough evidence': 'var(--unsure-bg)',
  },
  baseline: 'var(--text)',
  variants: ['var(--v1)', 'var(--v2)', 'var(--v3)', 'var(--v4)', 'var(--v5)', 'var(--v6)', 'var(--v7)'],
};

/** The palette with each CSS variable replaced by its value, for pictures outside of a page. */
export function resolvePalette(palette: Palette, values: ReadonlyMap<string, string>): Palette {
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') return values.get(/^var\(--([\w-]+)\)$/.exec(value)?.[1] ?? '') ?? value;
    if (Array.isArray(value)) return value.map(resolve);
    return Object.fromEntries(Object.entries(value as object).map(([key, inner]) => [key, resolve(inner)]));
  };
  return resolve(palette) as Palette;
}

/** Dashes beside colours: curves can be told apart in grey too. SVG dash arrays; solid is the empty one. */
export const DASHES: readonly (readonly number[])[] = [[], [7, 3], [2, 2], [10, 3, 2, 3], [14, 4], [4, 2], [2, 4]];

/** Outcome → colour, the same in every chart of a page. `outcomes` must be all that occur, in one fixed order. */
export function outcomeColours(outcomes: readonly string[], palette: Palette): ReadonlyMap<string, string> {
  let failures = 0;
  return new Map(
    outcomes.map((outcome) => {
      if (outcome === 'ok') return [outcome, palette.okArea];
      if (outcome === 'shed') return [outcome, palette.shed];
      return [outcome, palette.failures[failures++ % palette.failures.length]!];
    }),
  );
}
