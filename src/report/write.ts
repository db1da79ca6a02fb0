/** Writes the reports of an experiment into its result folder. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { replaceFile } from '../machine/replace-file.js';
import type { Results } from '../results/schema.js';
import { APPLY_FOLDER, applyOf } from './apply.js';
import { renderCsv } from './csv.js';
import { renderJunit } from './junit.js';
import { drawPictures, PICTURES_FOLDER } from './pictures.js';
import { renderHtml, renderMarkdown, renderSummary } from './render.js';

/**
 * Writes `report.html`, `report.md`, `summary.md`, `junit.xml`, `seconds.csv`, the pictures of
 * `report.md` in `charts/`, and the folder `apply/` where the verdict supports a change of sysctls. A reader sees the old file or the new one, never a half: each is written beside its place and renamed into it.
 * @param dir made when it does not exist
 * @returns the paths written
 * @throws the system's error when the folder cannot be written; nothing half-written stays behind
 */
export async function writeReports(dir: string, results: Results): Promise<string[]> {
  await mkdir(dir, { recursive: true });
  const apply = applyOf(results);
  const pictures = await drawPictures(results);
  const files: [name: string, content: string][] = [
    ['report.html', await renderHtml(results)],
    ['report.md', renderMarkdown(results, pictures.shown)],
    ['summary.md', renderSummary(results, apply)],
    ['junit.xml', renderJunit(results)],
    ['seconds.csv', renderCsv(results)],
  ];
  const drawn = await pictures.files;
  // What an earlier version, or fewer runs, once supported is not left for somebody to apply or to look at.
  for (const name of [APPLY_FOLDER, PICTURES_FOLDER]) await rm(join(dir, name), { recursive: true, force: true });
  if (apply.kind === 'files') {
    files.push([join(APPLY_FOLDER, apply.name), apply.dropIn]);
    files.push([join(APPLY_FOLDER, `${apply.name}.rollback`), apply.rollback]);
    for (const { name, content } of [...(apply.reserve ? [apply.reserve] : []), ...apply.others])
      files.push([join(APPLY_FOLDER, name), content]);
  }
  for (const [name, content] of files) {
    await mkdir(join(dir, dirname(name)), { recursive: true });
    replaceFile(join(dir, name), content);
  }
  if (drawn.length > 0) await mkdir(join(dir, PICTURES_FOLDER));
  for (const { path, content } of drawn) replaceFile(join(dir, path), content);
  return [...files.map(([name]) => name), ...drawn.map(({ path }) => path)].map((name) => join(dir, name));
}
