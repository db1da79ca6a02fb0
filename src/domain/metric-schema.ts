/**
 * Metrics and the limits on them as JSON Schema, so that an editor offers the names and knows the units. Pure; a test holds it to
 * `parseMetric` and `parseLimit`, which decide.
 */
import { PLAIN_METRICS } from './metric.js';

const ARGUMENT = `\\[(?:"[^"]+"|'[^']+')\\]`;

/** A metric's name: one of those without an argument, or a form that has one. */
export const METRIC_SCHEMA = {
  anyOf: [
    { enum: PLAIN_METRICS },
    { pattern: `^(?:(?:neighbours|scenarios)${ARGUMENT}\\.)?outcomes${ARGUMENT}\\.(?:share|count)$` },
    { pattern: `^(?:neighbours|scenarios)${ARGUMENT}\\.(?:failures|latency)\\.` },
  ],
};

const limits = (limit: object) => ({ properties: { max: limit, min: limit } });
const named = (pattern: string) => ({ properties: { metric: { pattern } } });

/** Of a threshold: the unit of its limits follows from its metric. */
export const LIMIT_SCHEMA = {
  if: named('(?:^|\\.)(?:latency|cpu|recovery)\\.'),
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: limits({ type: 'string', pattern: '^\\s*\\d+(?:\\.\\d+)?(?:us|µs|ms|s|m|min|h)\\s*$' }),
  else: {
    if: named('\\.(?:share|wrong|late|refused)$'),
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: limits({
      anyOf: [
        { type: 'number', minimum: 0, maximum: 1 },
        { type: 'string', pattern: '^\\s*\\d+(?:\\.\\d+)?%\\s*$' },
      ],
    }),
    else: limits({ type: 'number' }),
  },
};
