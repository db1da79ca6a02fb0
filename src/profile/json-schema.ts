/**
 * The JSON Schema of a profile, for editors: made from the same schema that validates, so that the two cannot differ.
 */
import { z } from 'zod';
import { profileSchema } from './schema.js';

/** JSON Schema 2020-12 of what a profile file may contain (units still as text). What needs several keys is not in it. */
export function profileJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(profileSchema, {
    io: 'input',
    override({ jsonSchema }) {
      const { description, defaultText } = jsonSchema;
      if (defaultText !== undefined) jsonSchema.description = `${description}. Default: ${defaultText}`;
      delete jsonSchema.defaultText;
      delete jsonSchema.example;
    },
  });
  return { $schema, $id: 'urn:bindstorm:profile', title: 'bindstorm profile', ...schema };
}

/** The same for the reference: with `defaultText` and `example` beside each description. */
export function annotatedProfileSchema(): object {
  return z.toJSONSchema(profileSchema, { io: 'input' });
}
