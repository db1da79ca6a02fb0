/** The guest has all that the agent imports. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { test } from 'node:test';
import { AGENT_PACKAGES, packageFiles } from '../../../src/lab/vm/packages.js';

const files = packageFiles();
const paths = new Set(files.map(({ path }) => path));
const PROGRAMS = [
  'agent/guest-init',
  'agent/entry',
  'agent/roles/origin',
  'agent/roles/proxy-role',
  'agent/roles/router-role',
  'load/worker',
  'load/origin/threads',
];

/** What the modules name that can be reached from these, but for modules of the bundle itself; by the imports as they were joined. */
function packagesOf(entries: readonly string[]): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const walk = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const from = files.find((file) => file.path === path)?.from;
    assert.ok(from, `${path} is in the image`);
    // Blanks are taken out of the bundle, so a text that speaks of an import is none.
    for (const [, name] of readFileSync(from, 'utf8').matchAll(/(?:\bfrom|\bimport\(?)"([^"\n]+)"/g)) {
      if (name!.startsWith('.')) walk(new URL(name!, `file://${path}`).pathname);
      else packages.add(name!);
    }
  };
  for (const entry of entries) walk(`/app/dist/bundle/${entry}.js`);
  assert.ok(seen.size > entries.length + 5, 'the imports were found');
  return packages;
}

test('the packages of init, agent, origin and threads are there, with what they need in turn', () => {
  const named = packagesOf(PROGRAMS);
  assert.deepEqual([...named].filter((name) => !isBuiltin(name)).sort(), [...AGENT_PACKAGES].sort());
  for (const name of AGENT_PACKAGES) assert.ok(paths.has(`/app/node_modules/${name}/package.json`), name);
  assert.ok([...paths].some((path) => path.endsWith('.node')));
});

test('what no agent needs stays out', () => {
  for (const name of ['echarts', 'commander', 'typescript', 'esbuild', '@biomejs/biome'])
    assert.ok(!paths.has(`/app/node_modules/${name}/package.json`));
  assert.ok(![...paths].some((path) => path.includes('/cli/') || /\.(?:d\.ts|map|md)$/.test(path)));
  const texts = files.filter(({ path }) => path.startsWith('/app/dist/')).map(({ from }) => readFileSync(from, 'utf8'));
  // Words that only the code of a package has, since the bundle has no comments: charts, command line, YAML, German of zod.
  for (const word of ['zrender', 'outputHelpIfRequested', 'tag:yaml.org', 'ltige Eingabe'])
    assert.ok(!texts.some((text) => text.includes(word)), word);
  assert.ok(
    texts.some((text) => text.includes('Invalid input')),
    'zod is joined, with its English',
  );
});
