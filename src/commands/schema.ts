/**
 * `bindstorm schema`: the JSON Schemas, for editors and for readers of results.
 */
import { Argument, type Command } from 'commander';
import { profileJsonSchema } from '../profile/json-schema.js';
import { resultsJsonSchema } from '../results/json-schema.js';

export function registerSchema(program: Command): void {
  program
    .command('schema')
    .description('print a JSON Schema: of profiles (for an editor), or of results.json')
    .addArgument(new Argument('<of>', 'which').choices(['profile', 'results']))
    .addHelpText('after', '\nExample:\n  bindstorm schema profile > profile.schema.json')
    .action((of: 'profile' | 'results') => {
      process.stdout.write(
        `${JSON.stringify(of === 'profile' ? profileJsonSchema() : resultsJsonSchema(), null, 2)}\n`,
      );
    });
}
