/** Writes the reports of an experiment into its result folder. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Results } from '../results/schema.js';
import { renderHtml } from './html.js';
import { renderMarkdown } from './markdown.js';

/**
 * Writes `report.html` and `report.md`. A reader sees the old file or the new one, never a half: each is written beside its
 * place and renamed into it.
 * @param dir made when it does not exist
 * @returns the paths written
 * @throws the system's error when the folder cannot be written; nothing half-written stays behind
 */
export async function writeReports(dir: string, results: Results): Promise<string[]> {
  await mkdir(dir, { recursive: true });
  const html = join(dir, 'report.html');
  const markdown = join(dir, 'report.md');
  await replaceFile(html, await renderHtml(results));
  await replaceFile(markdown, renderMarkdown(results));
  return [html, markdown];
}

async function replaceFile(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, content, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
