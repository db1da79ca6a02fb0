/**
 * Parsers of the texts that options take; apart from `options.ts`, because `watch` starts without what other options need.
 */
import { InvalidArgumentError } from 'commander';
import { UserError } from '../domain/error.js';
import { parseDuration, parseRate, UnitError } from '../domain/units.js';

/** Makes a parser of the domain one of commander, which says which option is wrong. @example parsed(parseDuration) */
export function parsed<T>(parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (error instanceof UserError) throw new InvalidArgumentError(`${error.message}.`);
      throw error;
    }
  };
}

/** A whole number within bounds. @param name of the option, as the message has it */
export function integer(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`${name} takes a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** A parser that takes some words only, which the completion of a shell offers. */
interface WordParser<T> {
  (text: string): T;
  readonly allowed: readonly string[];
}

/** The words that an option or an argument takes; empty: any. */
export function allowedWords(parser: unknown): readonly string[] {
  return typeof parser === 'function' && 'allowed' in parser ? (parser as WordParser<unknown>).allowed : [];
}

/** One of some words. */
export function oneOf<T extends string>(allowed: readonly T[]): WordParser<T> {
  const parse = (text: string) => {
    const found = allowed.find((name) => name === text);
    if (found === undefined) throw new InvalidArgumentError(`Allowed are ${allowed.join(', ')}.`);
    return found;
  };
  return Object.assign(parse, { allowed });
}

/** Words separated by commas, each once; of those that are allowed, or of any. @example names(['bind', 'connect'])('bind,connect') */
export function names<T extends string>(allowed: readonly T[]): WordParser<T[]> {
  const parse = (text: string) => {
    const found = text.split(',').map((name) => {
      const known = allowed.find((word) => word === name.trim());
      if (known === undefined)
        throw new InvalidArgumentError(`"${name}" is not allowed; allowed are ${allowed.join(', ')}.`);
      return known;
    });
    return [...new Set(found)];
  };
  return Object.assign(parse, { allowed });
}

/** A rate of any size: a fleet has rates that no load generator has. */
export const rateOption = parsed((text) => parseRate(text, Number.POSITIVE_INFINITY));

/** A share, as a percentage or a number, in (0, most]. @param name of the option @param most 1 at most */
export function share(name: string, most: number): (text: string) => number {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
    const value = Number(match?.[1]) / (match?.[2] === '%' ? 100 : 1);
    if (!match || !(value > 0 && value <= most))
      throw new InvalidArgumentError(
        `${name} takes a share above 0 and up to ${most * 100} %, for example 0.01% or 0.0001.`,
      );
    return value;
  };
}

/** `status=500,close=true` → name and value each, a number or a flag as such; without a value it is true. */
export function choices(text: string): Record<string, unknown> {
  return Object.fromEntries(
    text.split(',').map((part) => {
      const [name, value = 'true'] = part.split('=', 2);
      return [name, /^(?:true|false|\d+)$/.test(value) ? JSON.parse(value) : value];
    }),
  );
}

/** `NAME=VALUE`, beside those that were given before. @throws InvalidArgumentError for a text without a name or without = */
export function assignment(text: string, before: Record<string, string>): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('--env takes a name and a value, for example --env KEEP_ALIVE=1.');
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** Milliseconds. */
const LEAST_INTERVAL_MS = 100;

/** The time between two looks, as `250ms`; in milliseconds. @throws UnitError */
export function parseInterval(text: string): number {
  const ms = parseDuration(text);
  if (ms < LEAST_INTERVAL_MS) throw new UnitError(`the shortest interval is ${LEAST_INTERVAL_MS}ms`);
  return ms;
}
