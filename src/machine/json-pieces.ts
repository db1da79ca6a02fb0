/**
 * The JSON text of a large value in pieces, so that it is written without ever being one string. Pure.
 */

/** Objects and arrays deeper than this are one piece. */
const DEPTH = 4;

/**
 * The text that `JSON.stringify(value, null, 1)` gives, in pieces.
 * @param value of plain objects, arrays, strings, numbers, booleans and null; keys with undefined are left out
 */
export function jsonPieces(value: object): Generator<string> {
  return pieces(value, 0);
}

function* pieces(value: unknown, depth: number): Generator<string> {
  if (typeof value !== 'object' || value === null || depth === DEPTH) {
    yield (JSON.stringify(value ?? null, null, 1) ?? 'null').replaceAll('\n', `\n${' '.repeat(depth)}`);
    return;
  }
  const isArray = Array.isArray(value);
  const entries = isArray
    ? value.map((item: unknown) => ['', item] as const)
    : Object.entries(value).flatMap(([key, item]: [string, unknown]) =>
        item === undefined ? [] : [[`${JSON.stringify(key)}: `, item] as const],
      );
  if (entries.length === 0) {
    yield isArray ? '[]' : '{}';
    return;
  }
  const [open, close] = isArray ? ['[', ']'] : ['{', '}'];
  const inside = `\n${' '.repeat(depth + 1)}`;
  for (const [i, [key, item]] of entries.entries()) {
    yield `${i === 0 ? open : ','}${inside}${key}`;
    yield* pieces(item, depth + 1);
  }
  yield `\n${' '.repeat(depth)}${close}`;
}
