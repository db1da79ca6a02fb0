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

const JOINED = '/app/dist/bundle/shared/joined.js';

/** What the joined file of these programs names, but for modules of its own. */
function packagesOf(entries: readonly string[]): Set<string> {
  const text = (path: string) => {
    const from = files.find((file) => file.path === path)?.from;
    assert.ok(from, `${path} is in the image`);
    return readFileSync(from, 'utf8');
  };
  for (const entry of entries) {
    const path = `/app/dist/bundle/${entry}.js`;
    const [, run, name] = /require\("([^"]+)"\)\.start\("([^"]+)"\)/.exec(text(path))!;
    assert.equal(new URL('joined.js', new URL(run!, `file://${path}`)).pathname, JOINED);
    assert.equal(name, entry);
  }
  assert.ok(paths.has(JOINED.replace(/js$/, 'cache')), 'with the code that V8 has made of it');
  // Blanks are taken out of the bundle, so a text that speaks of an import is none.
  return new Set([...text(JOINED).matchAll(/\b(?:require|load\d*)\("([^"\n]+)"/g)].map(([, name]) => name!));
}

test('the packages of init, agent, origin and threads are there, with what they need in turn', () => {
  const named = packagesOf(PROGRAMS);
  // What koffi has for one kind of machine is a package that it brings.
  const others = [...named].filter((name) => !isBuiltin(name) && !name.startsWith('@koromix/koffi-'));
  assert.deepEqual(others.sort(), [...AGENT_PACKAGES].sort());
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
