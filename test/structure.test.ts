/** What the design forbids, looked for in the sources: imports that point up, cycles, files that grew too long. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SUBJECT_KINDS } from '../src/subjects/index.js';

const SRC = fileURLToPath(new URL('../../src/', import.meta.url));
const BENCH = fileURLToPath(new URL('../../bench/', import.meta.url));

/** From the top down; a folder may import from its own floor and from those below it. */
const FLOORS: readonly (readonly string[])[] = [
  ['cli.ts', 'single-file.ts', 'commands'],
  ['fleet'],
  ['experiment', 'report', 'gauge', 'watch'],
  ['lab', 'analysis'],
  ['agent'],
  ['load', 'profile', 'capacity', 'results', 'explain'],
  ['plan'],
  ['subjects'],
  ['machine'],
  ['kernel'],
  ['domain'],
];

interface Import {
  /** Path of the imported file relative to src/, or the name of a package. */
  readonly target: string;
  /** `import type` is gone when the program runs. */
  readonly typeOnly: boolean;
}

interface Source {
  /** Relative to src/. */
  readonly file: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'/gm;
const DYNAMIC = /\bimport\(\s*'([^']+)'\s*\)/g;

function importsOf(file: string, text: string): Import[] {
  const found = [
    ...[...text.matchAll(STATEMENT)].map(([, type, name]) => ({ name: name!, typeOnly: type !== undefined })),
    ...[...text.matchAll(DYNAMIC)].map(([, name]) => ({ name: name!, typeOnly: false })),
  ];
  return found.map(({ name, typeOnly }) => ({
    target: name.startsWith('.') ? normalize(join(dirname(file), name)).replace(/\.js$/, '.ts') : name,
    typeOnly,
  }));
}

/** All TypeScript files below a folder, by their paths relative to it. */
function sourcesIn(folder: string): Source[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return { file, text, imports: importsOf(file, text) };
    });
}

const SOURCES: readonly Source[] = sourcesIn(SRC);
const BENCHES: readonly Source[] = sourcesIn(BENCH);

const inside = ({ target }: Import) => target.endsWith('.ts');

/** 0 is the top. */
function floorOf(file: string): number {
  const folder = file.split('/')[0]!;
  const floor = FLOORS.findIndex((names) => names.includes(folder));
  assert.notEqual(floor, -1, `src/${folder} has no floor: give it one here and in the design`);
  return floor;
}

/** `a.ts:12` for every line that matches. */
function linesWith(pattern: RegExp): string[] {
  return SOURCES.flatMap(({ file, text }) =>
    text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`src/${file}:${i + 1}: ${line.trim()}`] : [])),
  );
}

/** The first cycle that a walk along the imports finds, as its files in order. */
function cycleIn(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (file: string): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const next of graph.get(file) ?? []) {
      const cycle = walk(next);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = walk(file);
    if (cycle) return cycle;
  }
  return undefined;
}

describe('the reader of imports', () => {
  it('sees every form that the sources use', () => {
    const text = `import { a } from './a.js';
import type { B } from '../b/b.js';
import {
  type C,
  c,
} from './deep/c.js';
import * as hdr from 'hdr-histogram-js';
import './effect.js';
export { d } from './d.js';
export type { E } from './e.js';
const { f } = await import('./f.js');
export const text = "import { no } from './no.js'";
`;
    assert.deepEqual(importsOf('load/x.ts', text), [
      { target: 'load/a.ts', typeOnly: false },
      { target: 'b/b.ts', typeOnly: true },
      { target: 'load/deep/c.ts', typeOnly: false },
      { target: 'hdr-histogram-js', typeOnly: false },
      { target: 'load/effect.ts', typeOnly: false },
      { target: 'load/d.ts', typeOnly: false },
      { target: 'load/e.ts', typeOnly: true },
      { target: 'load/f.ts', typeOnly: false },
    ]);
  });

  it('finds the files: every import of ours is one, and there are many', () => {
    const missing = SOURCES.flatMap(({ file, imports }) =>
      imports
        .filter(inside)
        .filter(({ target }) => !existsSync(join(SRC, target)))
        .map(({ target }) => `${file} → ${target}`),
    );
    assert.deepEqual(missing, []);
    assert.ok(SOURCES.length > 100);
    assert.ok(SOURCES.flatMap(({ imports }) => imports).length > 400);
  });

  it('sees a cycle where there is one', () => {
    const graph = new Map([
      ['a', ['b', 'c']],
      ['b', []],
      ['c', ['b', 'd']],
      ['d', ['c']],
    ]);
    assert.deepEqual(cycleIn(graph), ['c', 'd', 'c']);
    graph.set('d', ['b']);
    assert.equal(cycleIn(graph), undefined);
  });
});

describe('the structure', () => {
  it('imports point down the floors of the design, types too', () => {
    const upwards = SOURCES.flatMap(({ file, imports }) =>
      imports
        .filter((one) => inside(one) && floorOf(one.target) < floorOf(file))
        .map(({ target }) => `${file} → ${target}`),
    );
    assert.deepEqual(upwards, []);
  });

  it('no file imports itself over others, neither its code nor its types', () => {
    const graph = new Map(
      SOURCES.map(({ file, imports }) => [file, imports.filter(inside).map(({ target }) => target)]),
    );
    assert.equal(cycleIn(graph)?.join(' → '), undefined);
  });

  it('no file has more than 400 lines', () => {
    const long = SOURCES.filter(({ text }) => text.trimEnd().split('\n').length > 400).map(({ file }) => file);
    assert.deepEqual(long, []);
  });

  it('every exported function has a docstring', () => {
    const lacking = SOURCES.flatMap(({ file, text }) => {
      const lines = text.split('\n');
      return lines.flatMap((line, i) =>
        /^export (?:async )?function|^export const \w+ = (?:async )?(?:\([^)]*\)|\w+)(?:: [^=]+)? =>/.test(line) &&
        !lines[i - 1]!.endsWith('*/') &&
        !/^export function/.test(lines[i - 1]!)
          ? [`src/${file}:${i + 1}: ${line}`]
          : [],
      );
    });
    assert.deepEqual(lacking, []);
  });

  it('the map has at most 200 lines', () => {
    const text = readFileSync(join(SRC, '..', 'ARCHITECTURE.md'), 'utf8');
    assert.ok(text.trimEnd().split('\n').length <= 200);
  });

  it('one file calls C, in src/ and in bench/, and lends its caller to no other', () => {
    const callers = [...SOURCES, ...BENCHES].filter(({ imports }) => imports.some(({ target }) => target === 'koffi'));
    assert.deepEqual(
      callers.map(({ file }) => file),
      ['kernel/libc.ts'],
    );
    assert.deepEqual(linesWith(/\bexport\b.*\b(?:declare|lib|koffi)\b\s*[=,}]/), []);
  });

  it('the sources never import a bench', () => {
    const outside = SOURCES.flatMap(({ file, imports }) =>
      imports.filter(({ target }) => target.startsWith('..')).map(({ target }) => `${file} → ${target}`),
    );
    assert.deepEqual(outside, []);
    assert.ok(BENCHES.length > 10);
  });

  it('a command has at most 80 lines', () => {
    const commands = SOURCES.filter(({ text }) => /^export function register/m.test(text));
    assert.ok(commands.length > 10, `${commands.length} commands`);
    assert.deepEqual(
      commands.filter(({ text }) => text.split('\n').length > 81).map(({ file }) => file),
      [],
    );
  });

  it('the pure folders know no I/O', () => {
    const effects = /^node:(?:fs|net|child_process|worker_threads|dgram|http|https)\b|^execa$/;
    const found = SOURCES.filter(({ file }) =>
      /^(?:domain|plan|profile|capacity|analysis|explain|gauge)\//.test(file),
    ).flatMap(({ file, imports }) =>
      imports.filter(({ target }) => effects.test(target)).map(({ target }) => `${file} → ${target}`),
    );
    assert.deepEqual(found, []);
  });

  it('no kind of lab is compared outside of src/lab: others ask for a trait (domain/lab.ts)', () => {
    const kind = "'(?:netns|vm|vagrant|host)'";
    const compared = new RegExp(
      `[!=]==?\\s*${kind}|${kind}\\s*[!=]==?|\\bcase ${kind}|\\[${kind}[^\\]]*\\]\\.includes`,
    );
    for (const text of ["lab === 'vm'", "'host' !== lab", "case 'netns':", "['vm', 'vagrant'].includes(lab)"])
      assert.match(text, compared);
    // The argument of the agent's process says where it runs, which is no kind of lab.
    const found = linesWith(compared).filter((line) => !/^src\/(?:lab\/|agent\/entry\.ts)/.test(line));
    assert.deepEqual(found, []);
  });

  it('no kind of subject is compared outside of src/subjects', () => {
    const kinds = SUBJECT_KINDS.join('|');
    const comparison = new RegExp(
      `(\\S*)\\s*[=!]==\\s*'(?:${kinds})'|\\bcase '(?:${kinds})':|\\[[^\\]]*'(?:${kinds})'[^\\]]*\\]\\.includes`,
    );
    // The network of a run may be "external" too, and what chooses a port, or a file is, a "program".
    const others = /\bnetwork === 'external'|\b(?:port|file\.kind) [=!]== 'program'/;
    const found = linesWith(comparison).filter(
      (line) => !/^src\/(?:subjects|explain)\//.test(line) && !others.test(line),
    );
    assert.deepEqual(found, [], 'a trait or a method of the subject says what differs (src/subjects/subject.ts)');
  });

  it('nothing is written past the streams, and nothing is left for later', () => {
    assert.deepEqual(linesWith(/\bconsole\./), []);
    assert.deepEqual(linesWith(/\b(?:TODO|FIXME|XXX|HACK)\b/), []);
    assert.deepEqual(linesWith(/\bMath\.random\(\)(?!`)/), []);
  });
});
