/** Results in which every free text tries to break out of its place. */
import type { Results } from '../../src/results/schema.js';
import { partialResults } from './results.js';

/** Markup, quotes of both kinds, a table's pipe, a code span's end, a line break and a terminal's escape sequence. */
export const HOSTILE = `"><script>alert(1)</script><img src=x onerror='a()'>|\`\`\`\n\u001b[31m&amp;`;

/** Values that the schema or the renderers choose from a list, which are not free. */
const FIXED = new Set([
  'status',
  'lab',
  'subject',
  'protocol',
  'engine',
  'unit',
  'kind',
  'verdict',
  'strategy',
  'shape',
  'pick',
  'close',
  'sink',
  'goal',
  'startedAt',
  'finishedAt',
]);

/** A partial experiment with HOSTILE at the end of every text and of every key of a record. */
export function hostileResults(): Results {
  const results = poison(partialResults(), '') as Results;
  results.experiment.lab = 'netns';
  return results;
}

const RECORDS = new Set(['outcomes', 'sysctls', 'counters', 'defaults', 'states', 'finalStates']);

function poison(value: unknown, key: string): unknown {
  if (typeof value === 'string') return FIXED.has(key) ? value : value + HOSTILE;
  if (Array.isArray(value)) return value.map((item) => poison(item, key));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      RECORDS.has(key) && name !== 'ok' ? name + HOSTILE : name,
      poison(item, name),
    ]),
  );
}
