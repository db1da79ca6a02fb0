/**
 * The JSON Schema of a profile, for editors: made from the same schema that validates, so that the two cannot differ.
 */
import { z } from 'zod';
import { profileSchema } from './schema.js';

/** JSON Schema 2020-12 of what a profile file may contain (units still as text). What needs several keys is not in it. */
export function profileJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(profileSchema, { io: 'input' });
  return { $schema, $id: 'urn:bindstorm:profile', title: 'bindstorm profile', ...schema };
}
