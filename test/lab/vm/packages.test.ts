/** The guest has all that the agent imports. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AGENT_PACKAGES, packageFiles } from '../../../src/lab/vm/packages.js';

const files = packageFiles();
const paths = new Set(files.map(({ path }) => path));

/** The packages that the modules name which can be reached from these; by the compiled imports. */
function packagesOf(entries: readonly string[]): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const walk = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const from = files.find((file) => file.path === path)?.from;
    assert.ok(from, `${path} is in the image`);
    for (const [, name] of readFileSync(from, 'utf8').matchAll(
      /(?:\bfrom |\bimport |\bimport\(|new URL\()'([^']+)'/g,
    )) {
      if (!name!.startsWith('.')) packages.add(name!);
      else if (name!.endsWith('.js')) walk(new URL(name!, `file://${path}`).pathname);
    }
  };
  for (const entry of entries) walk(`/app/dist/src/agent/${entry}.js`);
  assert.ok(seen.size > 40, 'the imports were found');
  return new Set([...packages].filter((name) => !name.startsWith('node:')));
}

test('the packages of init, agent and origin are there, with what they need in turn', () => {
  const named = packagesOf(['guest-init', 'entry', 'origin']);
  assert.deepEqual([...named].sort(), [...AGENT_PACKAGES].sort());
  for (const name of [...named, 'pako', 'base64-js', '@assemblyscript/loader'])
    assert.ok(paths.has(`/app/node_modules/${name}/package.json`), name);
  assert.ok([...paths].some((path) => path.endsWith('.node')));
});

test('of the languages of zod only one is loaded', () => {
  const replaced = files.filter(({ text }) => text !== undefined);
  assert.deepEqual(
    replaced.map(({ path }) => path),
    ['/app/node_modules/zod/v4/locales/index.js'],
  );
  assert.match(replaced[0]!.text!, /^export \{ default as en \} from ["']\.\/en\.js["'];\n$/);
});

test('what no agent needs stays out', () => {
  for (const name of ['echarts', 'commander', 'typescript', '@biomejs/biome'])
    assert.ok(!paths.has(`/app/node_modules/${name}/package.json`));
  assert.ok(![...paths].some((path) => /\.(?:d\.ts|map|md)$/.test(path)));
});
