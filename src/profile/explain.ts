/**
 * The issues of the schema in words: what was found, what is allowed, what to write. Pure.
 */
import type { z } from 'zod';
import { plural } from '../domain/format.js';
import { quote } from '../domain/units.js';
import { closest } from '../domain/words.js';
import type { Finding, Path } from './problem.js';
import { profileSchema } from './schema.js';

type Issue = z.core.$ZodIssue;

/** Findings for the issues of `profileSchema.safeParse(value, { reportInput: true })`. */
export function explainIssues(issues: readonly Issue[]): Finding[] {
  return issues.flatMap((issue) => explain(issue, []));
}

function explain(issue: Issue, parent: Path): Finding[] {
  const path = [...parent, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return [{ path: [...path, issue.keys[0]!], message: issue.message, at: 'key' }];
    case 'invalid_format':
    case 'custom':
      return [{ path, message: issue.message }]; // written by values.ts or units.ts, with the value in it
    case 'invalid_type':
      return [mistyped(path, issue.input, [expectedWord(issue.expected)])];
    case 'invalid_value':
      return [notOneOf(path, issue.input, issue.values.map(String))];
    case 'invalid_union':
      return union(issue, path);
    case 'too_small':
      return [outOfBounds(path, issue, `at least ${issue.minimum}`)];
    case 'too_big':
      return [outOfBounds(path, issue, `at most ${issue.maximum}`)];
    default:
      return [{ path, message: `${subjectOf(path)} cannot be ${found(issue.input)}${hint(path)}` }];
  }
}

/** Of several allowed forms, speak of the one that was meant: the one whose outermost type fits. */
function union(issue: z.core.$ZodIssueInvalidUnion, path: Path): Finding[] {
  if (issue.discriminator !== undefined) {
    const options = 'options' in issue && Array.isArray(issue.options) ? issue.options.map(String) : [];
    const value: unknown = (issue.input as Record<string, unknown> | undefined)?.[issue.discriminator];
    return [
      value === undefined ? missing(path, `; it is one of ${options.join(', ')}`) : notOneOf(path, value, options),
    ];
  }
  const wrongType = (branch: Issue[]) =>
    branch.every(({ code, path: at }) => code === 'invalid_type' && at.length === 0);
  const meant = issue.errors.find(onlyValues) ?? issue.errors.find((branch) => !wrongType(branch));
  if (meant) return meant.flatMap((inner) => explain(inner, path));
  const expected = issue.errors.flatMap((branch) =>
    branch.flatMap((inner) => (inner.code === 'invalid_type' ? [expectedWord(inner.expected)] : [])),
  );
  return [mistyped(path, issue.input, [...new Set(expected)])];
}

/** A form whose keys are all there, if not with the right values. */
function onlyValues(branch: readonly Issue[]): boolean {
  return branch.every((inner) => {
    if (inner.code === 'unrecognized_keys' || inner.path.length === 0) return false;
    if (inner.code !== 'invalid_union' || inner.discriminator === undefined) return inner.input !== undefined;
    return (inner.input as Record<string, unknown> | undefined)?.[inner.discriminator] !== undefined;
  });
}

function mistyped(path: Path, input: unknown, expected: readonly string[]): Finding {
  if (path.length === 0) return { path, message: notAProfile(input) };
  if (input === undefined) return missing(path, '');
  if (path.at(-2) === 'sysctls') return { path, message: badSysctlValue(input) };
  // YAML 1.2 has only true and false; 1.1 had these too.
  if ((input === 'yes' || input === 'no') && expected.includes('true or false'))
    return { path, message: `${quote(input)} is a text in YAML 1.2: write ${input === 'yes'}` };
  return mustBe(path, expected.join(' or '), input);
}

/** `workers must be at most 64 (worker threads), not 1000 (a number): write "workers: 1"` */
function mustBe(path: Path, expected: string, input: unknown): Finding {
  const [subject, not] = [subjectOf(path), described(path)];
  const message =
    input === null
      ? `${subject} has no value; it must be ${expected}${not}${hint(path)}`
      : `${subject} must be ${expected}${not}, not ${found(input)}${hint(path)}`;
  return { path, message };
}

/** What a sentence is about: the key, or an item of a list. */
function subjectOf(path: Path): string {
  const key = path.at(-1);
  return typeof key === 'string' ? key : 'this item';
}

function notAProfile(input: unknown): string {
  const next = 'start with a line such as "name: my-experiment"';
  if (input === null || input === undefined) return `the file is empty; a profile is a map of keys: ${next}`;
  return `a profile must be a map of keys, not ${found(input)}: ${next}`;
}

function missing(path: Path, detail: string): Finding {
  return { path, message: `the key ${quote(path.at(-1))} is missing${detail}${described(path)}${hint(path, 'add')}` };
}

function badSysctlValue(input: unknown): string {
  if (typeof input === 'boolean') return `the kernel's switches are numbers, not ${input}: write ${input ? 1 : 0}`;
  if (input === null) return 'the value is missing; write a number or a text, or remove the line';
  return `the value must be a whole number such as 1, or a text such as "1024 65535", not ${found(input)}`;
}

function notOneOf(path: Path, input: unknown, allowed: readonly string[]): Finding {
  if (input === undefined) return missing(path, `; it is one of ${allowed.join(', ')}`);
  const near = typeof input === 'string' ? closest(input, allowed) : undefined;
  const words = allowed.length === 1 ? allowed[0] : `one of ${allowed.join(', ')}`;
  const message = `${subjectOf(path)} must be ${words}, not ${found(input)}${near ? ` (did you mean ${near}?)` : ''}`;
  return { path, message };
}

function outOfBounds(path: Path, issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, bound: string): Finding {
  const { input } = issue;
  if (typeof input === 'number' && Math.abs(input) > Number.MAX_SAFE_INTEGER)
    return { path, message: `${found(input)} is too large to be exact${hint(path)}` };
  if (typeof input !== 'string' && !Array.isArray(input)) return mustBe(path, bound, input);
  const unit = plural(typeof input === 'string' ? 'character' : 'item', Number(bound.split(' ').at(-1)));
  const message = `${subjectOf(path)} must have ${bound} ${unit}${described(path)}, not ${input.length}${hint(path)}`;
  return { path, message };
}

/** A value with its type in words, where the value alone would not show it. Collections are not printed: they may be huge or circular. */
function found(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of keys';
  if (typeof value === 'number') return `${value} (a number)`;
  if (typeof value === 'boolean') return `${value} (true or false)`;
  return `${quote(value)} (a text)`;
}

function expectedWord(type: string): string {
  switch (type) {
    case 'string':
      return 'a text';
    case 'number':
      return 'a number';
    case 'int':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'array':
      return 'a list';
    case 'object':
    case 'record':
      return 'a map of keys';
    default:
      return type;
  }
}

function hint(path: Path, verb: 'write' | 'add' = 'write'): string {
  const example = metaAt(path, 'example');
  return example === undefined ? '' : `: ${verb} ${example.startsWith('- ') ? example.slice(2) : `"${example}"`}`;
}

/** The schema's own description of a key, in brackets. */
function described(path: Path): string {
  const description = metaAt(path, 'description');
  return description === undefined ? '' : ` (${description})`;
}

/** What the schema says of the key at a path; wrappers (optional, transformed) are looked through. */
function metaAt(path: Path, what: 'description' | 'example'): string | undefined {
  let schemas: z.core.$ZodType[] = [profileSchema];
  for (const part of path) schemas = schemas.flatMap(unwrap).flatMap((schema) => step(schema, part));
  const found = schemas.map((schema) => metaOf(schema, what)).find((text) => text !== undefined);
  return typeof found === 'string' ? found : undefined;
}

function step(schema: z.core.$ZodType, part: string | number): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'object') return def.shape[part] ? [def.shape[part]] : [];
  if (def.type === 'array') return [def.element];
  if (def.type === 'record') return [def.valueType];
  return [];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'optional') return unwrap(def.innerType);
  if (def.type === 'pipe') return unwrap(def.in);
  if (def.type === 'union') return def.options.flatMap(unwrap);
  return [schema];
}

function metaOf(schema: z.core.$ZodType, what: string): unknown {
  const own = (schema as z.ZodType).meta()?.[what];
  if (own !== undefined) return own;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === 'optional') return metaOf(def.innerType, what);
  return def.type === 'pipe' ? metaOf(def.in, what) : undefined;
}
