/** Pure functions of large objects that several parts of a page ask again. Pure. */

/**
 * The same function, which works out the answer for each object once and keeps it as long as the object.
 * @param of a pure function of an object that is not changed any more
 */
export function remembered<K extends object, V extends object>(of: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const found = known.get(key) ?? of(key);
    known.set(key, found);
    return found;
  };
}
