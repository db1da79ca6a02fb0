/** What became of a proxy that did not do what it was started for. The message says what, the tail is of its log. */
export class ProxyError extends Error {
  override name = 'ProxyError';
  readonly tail: readonly string[];
  constructor(message: string, tail: readonly string[]) {
    super(message);
    this.tail = tail;
  }
}
