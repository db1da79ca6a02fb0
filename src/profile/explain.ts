/**
 * The issues of the schema in words: what was found, what is allowed, what to write. Pure.
 */
import type { z } from 'zod';
import { quote } from '../domain/units.js';
import { closest } from '../domain/words.js';
import { exampleOf } from './examples.js';
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
      return [{ path, message: issue.message }]; // written by schema.ts or units.ts, with the value in it
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
      return [{ path, message: `found ${found(issue.input)}, which is not allowed here${hint(path)}` }];
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
  if (input === 'yes' || input === 'no') {
    // YAML 1.2 has only true and false; 1.1 had these too.
    if (expected.includes('true or false'))
      return { path, message: `found ${quote(input)}; in YAML 1.2 this is a text: write ${input === 'yes'}` };
  }
  return { path, message: `found ${found(input)}; expected ${expected.join(' or ')}${described(path)}${hint(path)}` };
}

function notAProfile(input: unknown): string {
  const next = 'start with a line as "name: my-experiment"';
  if (input === null || input === undefined) return `found an empty file; a profile is a map of keys: ${next}`;
  return `found ${found(input)}; a profile is a map of keys: ${next}`;
}

function missing(path: Path, detail: string): Finding {
  return { path, message: `the key ${quote(path.at(-1))} is missing${detail}${described(path)}${hint(path, 'add')}` };
}

function badSysctlValue(input: unknown): string {
  if (typeof input === 'boolean') {
    return `found ${input} (true or false); the kernel's switches are numbers: write ${input ? 1 : 0}`;
  }
  if (input === null) return 'found nothing; a value is a number or a text: write one, or remove the line';
  return `found ${found(input)}; a value is a whole number, as 1, or a text, as "1024 65535"`;
}

function notOneOf(path: Path, input: unknown, allowed: readonly string[]): Finding {
  if (input === undefined) return missing(path, `; it is one of ${allowed.join(', ')}`);
  const near = typeof input === 'string' ? closest(input, allowed) : undefined;
  const one = allowed.length === 1 ? `allowed is only ${allowed[0]}` : `allowed are ${allowed.join(', ')}`;
  const next = near ? ` (did you mean ${near}?)` : allowed.length === 1 ? '' : ': write one of these';
  return { path, message: `found ${found(input)}; ${one}${next}` };
}

function outOfBounds(path: Path, issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, bound: string): Finding {
  const { input } = issue;
  if (typeof input === 'number' && Math.abs(input) > Number.MAX_SAFE_INTEGER) {
    return { path, message: `found ${found(input)}, a number too large to be exact${hint(path)}` };
  }
  const [what, unit] =
    typeof input === 'string'
      ? [`a text of ${input.length} characters`, ' characters']
      : Array.isArray(input)
        ? [`a list of ${input.length} ${input.length === 1 ? 'item' : 'items'}`, ' in the list']
        : [found(input), ''];
  return { path, message: `found ${what}; expected ${bound}${unit}${described(path)}${hint(path)}` };
}

/** A value with its type in words, where the value alone would not show it. Collections are not printed: they may be huge or circular. */
function found(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
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
  const example = exampleOf(path);
  return example === undefined ? '' : `: ${verb} ${example.startsWith('- ') ? example.slice(2) : `"${example}"`}`;
}

/** The schema's own description of a key, in brackets. */
function described(path: Path): string {
  const description = descriptionAt(path);
  return description === undefined ? '' : ` (${description})`;
}

/** Walks the schema along a path; wrappers (optional, transformed) are looked through. */
function descriptionAt(path: Path): string | undefined {
  let schemas: z.core.$ZodType[] = [profileSchema];
  for (const part of path) schemas = schemas.flatMap(unwrap).flatMap((schema) => step(schema, part));
  return schemas.map(descriptionOf).find((description) => description !== undefined);
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

function descriptionOf(schema: z.core.$ZodType): string | undefined {
  const own = (schema as z.ZodType).description;
  if (own !== undefined) return own;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'optional' ? descriptionOf(def.innerType) : undefined;
}
