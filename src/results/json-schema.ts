/**
 * The JSON Schema of `results.json`, for scripts that read results.
 */
import { z } from 'zod';
import { resultsSchema, SCHEMA_VERSION } from './schema.js';

/** JSON Schema 2020-12. Keys that a later version adds are not forbidden. */
export function resultsJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(resultsSchema, { io: 'input' });
  return {
    $schema,
    $id: `urn:bindstorm:results:${SCHEMA_VERSION}`,
    title: `bindstorm results, version ${SCHEMA_VERSION}`,
    ...schema,
  };
}
