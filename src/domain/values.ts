/**
 * The common kinds of values that settings have: how a profile writes them, how a plan keeps them, and how they are said.
 */
import { z } from 'zod';
import { formatDuration, formatRate } from './format.js';
import type { ValueKind } from './setting.js';
import {
  type PortRange,
  parseDuration,
  parsePercent,
  parsePortRange,
  parseRate,
  quote,
  RATE,
  UnitError,
} from './units.js';

/** A text that a function of units.ts can parse; its UnitError becomes the issue's message. */
function parsed<T>(parse: (text: string) => T, pattern: RegExp): z.ZodType<T> {
  return z
    .string()
    .regex(pattern, { error: (issue) => messageOf(parse, String(issue.input)), abort: true })
    .transform((text, context): T => {
      try {
        return parse(text);
      } catch (error) {
        if (!(error instanceof UnitError)) throw error;
        context.addIssue({ code: 'custom', message: error.message, input: text });
        return z.NEVER;
      }
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
export const percent = kind(parsed(parsePercent, /^\s*\d+(\.\d+)?\s*%\s*$/), z.number(), (share) => `${share * 100}%`);

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

/** One of a list of words. */
export function oneOf<const T extends string>(values: readonly [T, ...T[]]): ValueKind<T> {
  return kind<T>(z.enum(values), z.enum(values), String);
}

/** A text of so many characters. */
export function text(min: number, max: number): ValueKind<string> {
  return kind(z.string().min(min).max(max), z.string(), String);
}

/** A list of texts, in sentences each in quotes. */
export function texts(most: number, characters: number): ValueKind<string[]> {
  return kind(z.array(z.string().max(characters)).max(most), z.array(z.string()), (lines) =>
    lines.length === 0 ? 'none' : lines.map((line) => `"${line}"`).join(', '),
  );
}

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
