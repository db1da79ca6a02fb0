/**
 * A process in a fresh network namespace. Standard output: a line of JSON for each file of /proc/sys/net, its name as a sysctl
 * and whether it can be written.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = '/proc/sys/net';
for (const entry of readdirSync(ROOT, { recursive: true, encoding: 'utf8' })) {
  const stats = statSync(join(ROOT, entry));
  if (!stats.isFile()) continue;
  const name = `net/${entry}`.replace(/[./]/g, (separator) => (separator === '/' ? '.' : '/'));
  process.stdout.write(`${JSON.stringify([name, (stats.mode & 0o200) !== 0])}\n`);
}
