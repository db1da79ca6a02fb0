/**
 * `bindstorm profiles`: what ships.
 */

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { wrap } from '../report/wrap.js';
import { UserError } from './exit.js';
import { copyProfile, findProfile, shippedProfiles } from './profile-file.js';
import { print, textWidth } from './terminal.js';

interface Listed {
  readonly name: string;
  readonly path: string;
  readonly description: string;
}

/** Adds the command. */
export function registerProfiles(program: Command): void {
  program
    .command('profiles')
    .description('list the profiles that ship, or copy one to change it')
    .option('--copy <name>', 'write a copy of this profile; its schema line still works in an editor')
    .option('--to <file>', 'with --copy: the file to write; default: NAME.yaml in this folder')
    .option('--json', 'as JSON', false)
    .addHelpText('after', '\nExample:\n  bindstorm profiles\n  bindstorm profiles --copy squid-2014 --to my-squid.yaml')
    .action(({ copy, to, json }: { copy?: string; to?: string; json: boolean }) => {
      if (copy !== undefined) {
        const path = to ?? `${copy}.yaml`;
        copyProfile(copy, path);
        print(json ? `${JSON.stringify({ path })}\n` : `Written: ${path}; next: bindstorm plan ${path}\n`);
        return;
      }
      if (to !== undefined)
        throw new UserError('--to names the file that --copy writes; name a profile with --copy too');
      const profiles = shippedProfiles().map(describe);
      print(json ? `${JSON.stringify(profiles)}\n` : renderList(profiles));
    });
}

/** Read without resolving: a template that is refused as shipped is listed too. */
function describe(name: string): Listed {
  const path = findProfile(name);
  const { description } = parse(readFileSync(path, 'utf8')) as { description?: string };
  return { name, path, description: (description ?? '').trim() };
}

function renderList(profiles: readonly Listed[]): string {
  const width = Math.max(...profiles.map(({ name }) => name.length));
  const columns = Math.max(textWidth() - width - 4, 40);
  return profiles
    .map(({ name, path, description }) => {
      const lines = [...wrap(description, columns), path];
      return lines.map((line, i) => `${(i === 0 ? name : '').padEnd(width + 2)}${line}\n`).join('');
    })
    .join('\n');
}
