/** To become another program. */
import { errno, execvp, fcntl, nativeBuffer, signal } from './libc.js';

const SIGPIPE = 13;
const F_SETFD = 2;

/**
 * Become another program, with the same pid and descriptors.
 * @param command its name, which is looked for on the PATH, and its arguments
 * @throws Error when it cannot be executed
 */
export function become(command: readonly string[]): never {
  const texts = command.map((word) => Buffer.from(`${word}\0`));
  const memory = nativeBuffer(texts.reduce((size, text) => size + text.length, 0));
  const words = nativeBuffer(8 * (texts.length + 1));
  let at = 0;
  for (const [i, text] of texts.entries()) {
    memory.bytes.set(text, at);
    words.view.setBigUint64(8 * i, BigInt(memory.address + at), true);
    at += text.length;
  }
  // Node has its standard streams closed at exec (uv_disable_stdio_inheritance()), and then a socket of the program would be its stderr.
  for (const fd of [0, 1, 2]) fcntl(fd, F_SETFD, 0);
  // Node ignores it, and what is ignored stays so.
  signal(SIGPIPE, 0);
  execvp(memory.address, words.address);
  throw new Error(`${command[0]} cannot be executed (errno ${errno()})`);
}
