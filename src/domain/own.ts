/**
 * Look-ups by a key that comes from outside: a profile, a log, a command line.
 */

/**
 * What a table itself holds under a key; never what every object inherits (`valueOf`, `constructor`).
 * @returns undefined when it holds nothing there
 * @example own({ a: 1 }, 'toString') // undefined
 */
export function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
