/**
 * `bindstorm schema`: the JSON Schemas, for editors and for readers of results.
 */
import { Argument, type Command } from 'commander';
import { profileJsonSchema } from '../profile/json-schema.js';
import { fixesJsonSchema, resultsJsonSchema, searchJsonSchema } from '../results/json-schema.js';

const SCHEMAS = {
  profile: profileJsonSchema,
  results: resultsJsonSchema,
  search: searchJsonSchema,
  fixes: fixesJsonSchema,
} as const;

/** Adds the command. */
export function registerSchema(program: Command): void {
  program
    .command('schema')
    .description('print a JSON Schema: of profiles (for an editor), or of results.json, search.json or fixes.json')
    .addArgument(new Argument('<of>', 'which').choices(Object.keys(SCHEMAS)))
    .addHelpText('after', '\nExample:\n  bindstorm schema profile > profile.schema.json')
    .action((of: keyof typeof SCHEMAS) => {
      process.stdout.write(`${JSON.stringify(SCHEMAS[of](), null, 2)}\n`);
    });
}
