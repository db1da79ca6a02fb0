/**
 * `bindstorm profiles`: what ships.
 */

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { parse } from 'yaml';
import { wrap } from '../report/wrap.js';
import { findProfile, shippedProfiles } from './profile-file.js';
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
    .description('list the profiles that ship')
    .option('--json', 'as JSON', false)
    .addHelpText('after', '\nExample:\n  bindstorm profiles')
    .action(({ json }: { json: boolean }) => {
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
