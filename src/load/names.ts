/**
 * Names that are only known when they come, as those of a proxy's error pages: a small table in shared memory, in which the first
 * worker that meets a name gives it its index, the same for all of them.
 */

/** The last is for all that find the table full. */
export const NAME_SLOTS = 64;
const TEXT_BYTES = 96;

export interface NameTable {
  /** [0]: 1 while a worker writes. [1]: names so far. */
  readonly control: Int32Array;
  /** NAME_SLOTS texts, each a length byte and that many bytes of ASCII. */
  readonly texts: Uint8Array;
}

/** An empty table, in memory that threads share. */
export function createNameTable(): NameTable {
  return {
    control: new Int32Array(new SharedArrayBuffer(8)),
    texts: new Uint8Array(new SharedArrayBuffer(NAME_SLOTS * TEXT_BYTES)),
  };
}

/** The index of a name of printable ASCII, which is cut to 95 characters; a new name gets the next. */
type NameIndex = (name: string) => number;

/** One worker's way into the table, which remembers what it has looked up. */
export function nameIndexer(table: NameTable): NameIndex {
  const known = new Map<string, number>();
  return (name) => {
    const found = known.get(name);
    if (found !== undefined) return found;
    const index = register(table, name.slice(0, TEXT_BYTES - 1));
    known.set(name, index);
    return index;
  };
}

function register(table: NameTable, name: string): number {
  const { control, texts } = table;
  while (Atomics.compareExchange(control, 0, 0, 1) !== 0) Atomics.wait(control, 0, 1, 1);
  const names = namesIn(table);
  let index = names.indexOf(name);
  if (index < 0) {
    index = Math.min(names.length, NAME_SLOTS - 1);
    if (index < NAME_SLOTS - 1) {
      texts[index * TEXT_BYTES] = name.length;
      for (let i = 0; i < name.length; i++) texts[index * TEXT_BYTES + 1 + i] = name.charCodeAt(i);
      Atomics.store(control, 1, index + 1);
    }
  }
  Atomics.store(control, 0, 0);
  Atomics.notify(control, 0);
  return index;
}

/** The names so far, by their index. */
export function namesIn({ control, texts }: NameTable): string[] {
  return Array.from({ length: Atomics.load(control, 1) }, (_, i) => {
    const at = i * TEXT_BYTES;
    return String.fromCharCode(...texts.subarray(at + 1, at + 1 + texts[at]!));
  });
}
