/**
 * YAML text → plain data, and where in the text each part of it stands. YAML 1.2 core schema, one document, unique text keys,
 * no tags, bounded aliases. Pure.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { quote } from '../domain/units.js';
import type { Path } from './problem.js';

/** A profile of the largest lists that make sense stays far below. */
const MAX_BYTES = 256 * 1024;

/** How many nodes aliases may stand for, all together: plenty for a shared block of keys, too few for a "billion laughs". */
const MAX_ALIASES = 100;

interface Place {
  readonly line: number;
  readonly column: number;
}

interface YamlProblem extends Place {
  readonly message: string;
}

export type ParsedYaml =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** Where a path stands (its value, or its key), or the nearest parent that is there. */
      readonly locate: (path: Path, at: 'key' | 'value') => Place;
      /** The value at a path; undefined where there is none. */
      readonly valueAt: (path: Path) => unknown;
    }
  | { readonly ok: false; readonly problems: readonly YamlProblem[] };

/** Parse the text of a profile. Never throws. */
export function parseYaml(text: string): ParsedYaml {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) {
    return fail(
      { line: 1, column: 1 },
      `the file has ${bytes} bytes; a profile may have at most ${MAX_BYTES}: make it shorter`,
    );
  }
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return line > 0 ? { line, column: col } : { line: 1, column: 1 };
  };
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      resolveKnownTags: false,
      stringKeys: true,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: 'error',
      lineCounter: lines,
    });
  } catch (error) {
    if (error instanceof RangeError) return fail({ line: 1, column: 1 }, TOO_DEEP);
    throw error;
  }
  const syntax = syntaxProblems(document, place);
  if (syntax.length > 0) return { ok: false, problems: syntax };
  const nodes = nodeProblems(document, place);
  if (nodes.length > 0) return { ok: false, problems: nodes };
  try {
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return {
      ok: true,
      value,
      locate: (path, at) => place(offsetOf(document, path, at)),
      valueAt: (path) => path.reduce(inside, value),
    };
  } catch (error) {
    if (error instanceof RangeError) return fail({ line: 1, column: 1 }, TOO_DEEP);
    // The one ReferenceError that is left: aliases that do not resolve were found by nodeProblems.
    if (error instanceof ReferenceError) {
      return fail(
        place(firstAlias(document)),
        `aliases stand for more than ${MAX_ALIASES} nodes; write the text out instead of aliasing aliases`,
      );
    }
    throw error;
  }
}

function inside(value: unknown, part: string | number): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[part] : undefined;
}

const TOO_DEEP = 'lists or maps are nested too deep to read; a profile needs six levels at most';

function fail(where: Place, message: string): ParsedYaml {
  return { ok: false, problems: [{ ...where, message }] };
}

/** The library's errors in our words. Duplicate keys are all named; of other errors only the first, as one causes the next. */
function syntaxProblems(document: Document.Parsed, place: (offset: number) => Place): YamlProblem[] {
  const duplicates: YamlProblem[] = [];
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const problem = { ...place(pos[0]), message: syntaxMessage(code, message) };
    if (code !== 'DUPLICATE_KEY') return [...duplicates, problem];
    duplicates.push(problem);
  }
  return duplicates;
}

function syntaxMessage(code: string, message: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return 'this map has the key already; keys must be unique: remove one of the two';
    case 'MULTIPLE_DOCS':
      return 'a second YAML document begins here (---); a profile is one document: put the other into a file of its own';
    case 'TAG_RESOLVE_FAILED':
      return `the tag ${message.replace(/^.*tag: /, '')} is not allowed: remove the word that starts with "!"`;
    case 'NON_STRING_KEY':
      return 'a list or map cannot be a key; keys are plain words: write key: value';
    case 'RESOURCE_EXHAUSTION':
      return TOO_DEEP;
    case 'TAB_AS_INDENT':
      return 'YAML allows no tab in indentation: replace the tab by spaces';
    default:
      return `not valid YAML: ${message.split('\n')[0]}; check indentation, quotes and brackets here and in the line above`;
  }
}

/** What parses as YAML and still must not go on: aliases without an anchor, aliases inside their own anchor, and `__proto__`. */
function nodeProblems(document: Document.Parsed, place: (offset: number) => Place): YamlProblem[] {
  const problems: YamlProblem[] = [];
  const report = (node: Node, message: string) => problems.push({ ...place(node.range?.[0] ?? 0), message });
  try {
    visit(document, {
      Alias(_key, alias, ancestors) {
        const target = alias.resolve(document);
        if (target === undefined) {
          report(alias, `there is no &${alias.source} before *${alias.source}: add the anchor or write the value`);
        } else if (ancestors.includes(target)) {
          report(alias, `*${alias.source} is inside of what it stands for: write the value instead`);
        }
      },
      Pair(_key, pair) {
        // zod's records drop this key in silence.
        if (isScalar(pair.key) && pair.key.value === '__proto__') {
          report(pair.key, `unknown key ${quote('__proto__')}; it is not allowed anywhere: remove it`);
        }
      },
    });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    problems.push({ line: 1, column: 1, message: TOO_DEEP });
  }
  return problems;
}

function firstAlias(document: Document.Parsed): number {
  let offset = 0;
  visit(document, {
    Alias(_key, alias) {
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

/** Follow a path through the nodes and through aliases, as far as it goes. */
function offsetOf(document: Document.Parsed, path: Path, at: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = start(node) ?? 0;
  for (const [depth, part] of path.entries()) {
    const within: unknown = isAlias(node) ? node.resolve(document) : node;
    if (isMap(within)) {
      const pair = within.items.find((item) => isScalar(item.key) && String(item.key.value) === String(part));
      if (!pair) return offset;
      node = pair.value;
      const keyOffset = start(pair.key) ?? offset;
      const wantsKey = at === 'key' && depth === path.length - 1;
      // A key without a value has a value node of no width, somewhere behind the colon: the key is the better place.
      offset = wantsKey || isEmpty(node) ? keyOffset : (start(node) ?? keyOffset);
    } else if (isSeq(within) && typeof part === 'number') {
      node = within.items[part];
      if (node === undefined) return offset;
      offset = start(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function start(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) || isAlias(node) ? (node.range?.[0] ?? undefined) : undefined;
}

function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.source === '');
}
