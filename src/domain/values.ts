/**
 * The common kinds of values that settings have: how a profile writes them, how a plan keeps them, and how they are said.
 */
import { z } from 'zod';
import { formatDuration, formatRate } from './format.js';
import type { ValueKind } from './setting.js';
import {
  orReport,
  type PortRange,
  parseDuration,
  parsePercent,
  parsePortRange,
  parseRate,
  quote,
  RATE,
  UnitError,
} from './units.js';
import { closest } from './words.js';

/** A text that a function of units.ts can parse; its UnitError becomes the issue's message. */
function parsed<T>(parse: (text: string) => T, pattern: RegExp): z.ZodType<T> {
  return z
    .string()
    .regex(pattern, { error: (issue) => messageOf(parse, String(issue.input)), abort: true })
    .transform((text, context): T => {
      const report = (message: string) => context.addIssue({ code: 'custom', message, input: text });
      return orReport(() => parse(text), report) ?? z.NEVER;
    });
}

function messageOf(parse: (text: string) => unknown, text: string): string {
  try {
    parse(text);
  } catch (error) {
    if (error instanceof UnitError) return error.message;
  }
  return `${quote(text)} does not have the form that is expected here`;
}

/** A map in a profile, whose error for an unknown key lists the keys that it has. */
export function map<T extends z.core.$ZodLooseShape>(shape: T) {
  const allowed = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const near = issue.keys
        .map((key: string) => closest(key, allowed))
        .find((key: string | undefined) => key !== undefined);
      return `unknown key ${issue.keys.map(quote).join(', ')}; allowed here: ${allowed.join(', ')}${near ? ` (did you mean ${near}?)` : ''}`;
    },
  });
}

function kind<T>(written: z.ZodType<T>, kept: z.ZodType<T>, text: (value: T) => string): ValueKind<T> {
  return { written, kept, text, words: text };
}

/** `true` or `false`; in sentences `on` or `off`. */
export const flag: ValueKind<boolean> = {
  ...kind(z.boolean(), z.boolean(), String),
  words: (on) => (on ? 'on' : 'off'),
};

/** A duration, as `250ms`; in milliseconds. */
export const duration = kind(
  parsed(parseDuration, /^\s*\d+(\.\d+)?(us|µs|ms|s|m|min|h)\s*$/),
  z.number(),
  formatDuration,
);

/** A rate, as `2000/s`; per second. */
export const rate = kind(parsed(parseRate, RATE), z.number(), formatRate);

/** A share, as `2%`; 0.02. */
export const percent = kind(
  parsed(parsePercent, /^\s*\d+(\.\d+)?\s*%\s*$/),
  z.number(),
  (share) => `${Number((share * 100).toFixed(6))}%`,
);

/** `true`, `false`, or a share of what it is about, as `80%`: kept as 0.8. */
export const flagOrShare: ValueKind<boolean | number> = {
  ...kind<boolean | number>(z.union([z.boolean(), percent.written]), z.union([z.boolean(), z.number()]), (value) =>
    typeof value === 'number' ? percent.text(value) : String(value),
  ),
  words: (value) => (typeof value === 'number' ? percent.text(value) : flag.words(value)),
};

/** A range of ports, as `20000-29999`, both ends included. */
export const portRange = kind<PortRange>(
  parsed(parsePortRange, /^\s*\d+(\s*-\s*|\s+)\d+\s*$/),
  z.object({ low: z.number(), high: z.number() }),
  ({ low, high }) => `${low}-${high}`,
);

/** A whole number within bounds, both included. */
export function whole(min: number, max: number): ValueKind<number> {
  return kind(z.int().min(min).max(max), z.number(), String);
}

/** Bytes, in sentences as `512 B`. */
export function bytes(min: number, max: number): ValueKind<number> {
  return { ...whole(min, max), words: (count) => `${count} B` };
}

/** A list of at least one value of a kind. @param most items @param item an example of one */
export function listOf<T>(of: ValueKind<T>, most: number, item: string): ValueKind<T[]> {
  return kind(
    z
      .array(of.written.meta({ example: `- ${item}` }))
      .min(1)
      .max(most),
    z.array(of.kept),
    (values) => values.map(of.words).join(', '),
  );
}

/** One of a list of words. */
export function oneOf<const T extends string>(values: readonly T[]): ValueKind<T> {
  return kind<T>(z.enum(values), z.enum(values), String);
}

/** A text. @param min characters @param max characters */
export function text(min = 0, max = 100_000): ValueKind<string> {
  const written = z.string();
  return kind(min > 0 ? written.min(min).max(max) : written.max(max), z.string(), String);
}

/**
 * A list of texts, in sentences each in quotes.
 * @param bounds items at least and at most, characters of each at most, and an example of an item
 * @example texts({ most: 200, characters: 1000, item: '"forwarded_for delete"' })
 */
export function texts(bounds: {
  readonly least?: number;
  readonly most?: number;
  readonly characters?: number;
  readonly item: string;
}): ValueKind<string[]> {
  const { least = 0, most, characters, item } = bounds;
  const text = characters === undefined ? z.string() : z.string().max(characters);
  const list = z.array(text.meta({ example: `- ${item}` }));
  const atLeast = least > 0 ? list.min(least) : list;
  return kind(most === undefined ? atLeast : atLeast.max(most), z.array(z.string()), (lines) =>
    lines.length === 0 ? 'none' : lines.map((line) => `"${line}"`).join(', '),
  );
}

/** Names and texts; numbers and switches are texts too. @param most of them */
export function textMap(most: number): ValueKind<Record<string, string>> {
  const value = z.union([z.string(), z.number(), z.boolean()]).transform(String);
  const written = z
    .record(z.string(), value)
    .refine((texts) => Object.keys(texts).length <= most, `at most ${most} keys`);
  return kind<Record<string, string>>(written, z.record(z.string(), z.string()), (texts) => {
    const entries = Object.entries(texts).map(([key, text]) => `${key}=${shortened(text)}`);
    return entries.length === 0 ? 'none' : entries.join(', ');
  });
}

/** A long text by its length and a checksum (FNV-1a), so that two that differ are told apart. */
function shortened(text: string): string {
  if (text.length <= 80 && !text.includes('\n')) return text;
  let hash = 0x811c9dc5;
  for (const character of text) hash = Math.imul(hash ^ character.codePointAt(0)!, 0x01000193);
  return `${text.length} characters (${(hash >>> 0).toString(16)})`;
}

const NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/** A name that is fit for a file, a table and a metric. */
export const name = kind(
  z.string().regex(NAME, {
    error: (issue) =>
      `${quote(issue.input)} is not a name: use 1 to 63 lower-case letters, digits, dots and dashes, starting with a letter or digit`,
  }),
  z.string(),
  String,
);

/**
 * A value that a plan may be without, as null; a profile cannot write that.
 * @param absent null in words, as `the kernel's range`
 */
export function orNull<T>(of: ValueKind<T>, absent: string): ValueKind<T | null> {
  return {
    written: of.written,
    kept: of.kept.nullable(),
    text: (value) => (value === null ? absent : of.text(value)),
    words: (value) => (value === null ? absent : of.words(value)),
  };
}
