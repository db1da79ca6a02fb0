/**
 * The JSON Schemas of `results.json`, `search.json` and `fixes.json`, for scripts that read results. JSON Schema 2020-12; keys that a
 * later version adds are not forbidden.
 */
import { z } from 'zod';
import { FIXES_VERSION, fixReportSchema } from './fixes.js';
import { resultsSchema, SCHEMA_VERSION } from './schema.js';
import { SEARCH_VERSION, searchReportSchema } from './search.js';

/** The schema of `results.json`. */
export function resultsJsonSchema(): object {
  return published(resultsSchema, 'results', SCHEMA_VERSION, 'results');
}

/** The schema of `search.json`. */
export function searchJsonSchema(): object {
  return published(searchReportSchema, 'search', SEARCH_VERSION, 'search for rates');
}

/** The schema of `fixes.json`. */
export function fixesJsonSchema(): object {
  return published(fixReportSchema, 'fixes', FIXES_VERSION, 'table of fixes');
}

function published(of: z.ZodType, name: string, version: number, title: string): object {
  const { $schema, ...schema } = z.toJSONSchema(of, { io: 'input' });
  return {
    $schema,
    $id: `urn:bindstorm:${name}:${version}`,
    title: `bindstorm ${title}, version ${version}`,
    ...schema,
  };
}
