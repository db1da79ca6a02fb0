/** Another build of bindstorm, which differs from this one in a comment. */
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './cli.js';

/** @param folder a new one @returns the path of its command line */
export function otherBuild(folder: string): string {
  mkdirSync(join(folder, 'dist'), { recursive: true });
  cpSync(join(ROOT, 'dist', 'bundle'), join(folder, 'dist', 'bundle'), { recursive: true });
  for (const name of ['package.json', 'fixes', 'profiles', 'programs'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const main = join(folder, 'dist', 'bundle', 'cli', 'main.js');
  writeFileSync(main, `${readFileSync(main, 'utf8')}\n// of another build\n`);
  return main;
}
