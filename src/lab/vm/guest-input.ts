/**
 * Input for a guest that gets no more at once than it can hold. User-Mode Linux stops listening to a serial line for good when some
 * 4 KB wait in it unread (arch/um/drivers/line.c: line_throttle() drops the descriptor, line_unthrottle() polls it only once), so that
 * an order to stop would never arrive behind a long description of a run. A 16550 in an emulated machine has no flow control either.
 */
import { Writable } from 'node:stream';

/** Half of N_TTY_BUF_SIZE (4096, drivers/tty/n_tty.c): the most that waits unread. */
export const UNREAD_BYTES = 2048;

interface GuestInput {
  readonly input: Writable;
  /** @param total bytes that the guest has read since it began */
  onRead(total: number): void;
}

/** @param line whatever carries the bytes to the guest */
export function guestInput(line: Writable): GuestInput {
  let waiting: Buffer = Buffer.alloc(0);
  let sent = 0;
  let read = 0;
  let written: (() => void) | null = null;

  function pump(): void {
    const room = UNREAD_BYTES - (sent - read);
    if (room > 0 && waiting.length > 0) {
      const piece = waiting.subarray(0, room);
      waiting = waiting.subarray(piece.length);
      sent += piece.length;
      line.write(piece);
    }
    if (waiting.length > 0 || written === null) return;
    const done = written;
    written = null;
    done();
  }

  return {
    input: new Writable({
      write(chunk: Buffer, _encoding, done) {
        waiting = chunk;
        written = done;
        pump();
      },
      final(done) {
        line.end(done);
      },
    }),
    onRead(total) {
      read = total;
      pump();
    },
  };
}
