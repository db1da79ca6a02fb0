import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

test('what is made from the code is as the code says', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'write-docs.mjs'), '--check'], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

const pages = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  'bench/README.md',
  'reports/examples/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

test('every page of docs/ is in its index', () => {
  const index = readFileSync(join(root, 'docs', 'README.md'), 'utf8');
  for (const page of pages.filter((name) => name.startsWith('docs/') && name !== 'docs/README.md'))
    assert.ok(index.includes(`](${page.slice(5)}`), page);
});

/** The anchors of a page, and of its headings as GitHub and most renderers make them. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm);
  const named = [...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id!);
  return new Set([
    ...named,
    ...[...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  ]);
}

for (const page of pages) {
  test(`links of ${page} lead somewhere`, () => {
    const text = readFileSync(join(root, page), 'utf8');
    const links = [...text.matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)].filter(([, link]) => !/^[a-z]+:/.test(link!));
    for (const [, link, anchor] of links) {
      const target = link === '' ? join(root, page) : join(root, dirname(page), link!);
      assert.ok(existsSync(target), `${page} links to ${link}`);
      if (anchor !== undefined && target.endsWith('.md'))
        assert.ok(anchorsOf(readFileSync(target, 'utf8')).has(anchor), `${page} links to ${link}#${anchor}`);
    }
  });
}

/** What a run, a search or a table of fixes leaves, or the reader writes: no files of this package. */
const OF_OTHERS = new Set([
  'results.json',
  'search.json',
  'fixes.json',
  'compare.html',
  'compare.md',
  'compare.json',
  'seconds.csv',
  'journal.ndjson',
  'steps.ndjson',
  'report.html',
  'report.md',
  'profile.yaml',
  'agent.json',
  'controller.json',
  'made.json',
  'my-staging.yaml',
  'through-staging.yaml',
]);
const SKIPPED = ['node_modules', 'dist', '.git'];

test('files that a text names are there', () => {
  const files = readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.includes(name))
    .flatMap((entry) =>
      entry.isDirectory()
        ? readdirSync(join(root, entry.name), { recursive: true, encoding: 'utf8' }).map(
            (name) => `/${entry.name}/${name}`,
          )
        : [`/${entry.name}`],
    );
  const known = new Set(files.flatMap((file) => [...file.matchAll(/\//g)].map(({ index }) => file.slice(index + 1))));
  const named = [...pages, 'CHANGELOG.md'].flatMap((page) =>
    [
      ...readFileSync(join(root, page), 'utf8').matchAll(
        /`([\w.@/-]+\.(?:ts|mjs|md|yaml|json|ndjson|tsv|html|csv|sh))`/g,
      ),
    ].map(([, name]): [string, string] => [page, name!]),
  );
  assert.ok(named.length > 40, `${named.length} names`);
  for (const [page, name] of named) assert.ok(known.has(name) || OF_OTHERS.has(name), `${page} names ${name}`);
});

test('scripts and tests that a text tells to run are there', () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const page of [...pages, 'CHANGELOG.md']) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, script] of text.matchAll(/\bnpm run ([\w:]+)/g))
      assert.ok(script! in scripts, `${page}: npm run ${script}`);
    for (const [, file] of text.matchAll(/\bdist\/(test\/[\w./-]+)\.js\b/g))
      assert.ok(existsSync(join(root, `${file}.ts`)), `${page}: dist/${file}.js`);
  }
});

test('the README has every profile that ships', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const file of readdirSync(join(root, 'profiles')).filter((name) => name.endsWith('.yaml')))
    assert.ok(readme.includes(`](profiles/${file})`), file);
});

test('the README has every command', async () => {
  const { COMMANDS } = await import('../src/commands/all.js');
  const { Command } = await import('commander');
  const program = new Command();
  for (const register of COMMANDS) register(program);
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const command of program.commands) assert.match(readme, new RegExp(`^\\| \`${command.name()}\\b`, 'm'));
});

test('the walks through the code name files and functions that exist', () => {
  const items = readFileSync(join(root, 'docs', 'walk-the-code.md'), 'utf8').split(/\n(?=\d+\. |## )/);
  let functions = 0;
  for (const item of items.filter((text) => /^\d+\. /.test(text))) {
    const texts = [...item.matchAll(/`([\w/-]+\.ts)`/g)].map(([, file]) => {
      assert.ok(existsSync(join(root, 'src', file!)), `docs/walk-the-code.md names src/${file}`);
      return readFileSync(join(root, 'src', file!), 'utf8');
    });
    // bind() and connect() are the kernel's.
    for (const [, name] of item.matchAll(/`(\w+)\(\)`/g)) {
      if (['bind', 'connect'].includes(name!)) continue;
      functions++;
      const declared = new RegExp(`\\bfunction\\*? ${name}\\b|\\bconst ${name} = `);
      assert.ok(
        texts.some((text) => declared.test(text)),
        `docs/walk-the-code.md names ${name}(), which none of its files has: ${item}`,
      );
    }
  }
  assert.ok(functions > 40, `${functions} functions`);
});

test('a profile reaches its socket in at most 18 hops', () => {
  const [, walk] = readFileSync(join(root, 'docs', 'walk-the-code.md'), 'utf8').split(/^## /m);
  assert.match(walk!, /^1\. A profile/);
  assert.ok([...walk!.matchAll(/^\d+\. /gm)].length - 1 <= 18);
});

test('no merge was left half done', () => {
  const pages = ['README.md', 'CHANGELOG.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md'];
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file));
  for (const file of [...pages, ...docs.filter((each) => each.endsWith('.md'))])
    assert.doesNotMatch(readFileSync(join(root, file), 'utf8'), /^(?:<{7}|>{7}) /m, file);
});
