/**
 * The origin of a load that says nothing, or exchanges bytes: it answers, and closes first if so told, with epoll straight through libc,
 * so that it costs less per connection than the client does.
 */
import { EAGAIN, EINTR } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { longer } from '../socket/fd-list.js';
import { type Ender, FIRST_ROOM, type OriginThreadInput, serveConnections } from './listen.js';

/** Serve until stopped. With `close: server` each connection is closed after its exchange and its hold. */
export function serveBytes(input: OriginThreadInput): void {
  const { exchange, close, holdMs } = input.plan;
  let toReceive = new Int32Array(FIRST_ROOM);
  let toSend = new Int32Array(FIRST_ROOM);
  const closesFirst = close === 'server';
  const scratch = libc.nativeBuffer(Math.max(exchange?.response ?? 0, 65_536));
  serveConnections(input, (connections) => {
    function end(fd: number, ender: Ender): false {
      connections.close(fd, ender);
      return false;
    }

    /** The connection's own work is done; now it waits for whoever closes. @returns false when it was closed */
    function finish(fd: number): boolean {
      if (!closesFirst) return true;
      if (holdMs === 0) return end(fd, 'server');
      connections.postpone(fd);
      return true;
    }

    /** Read, answer, see the end. @returns false when the connection was closed */
    function proceed(fd: number): boolean {
      for (;;) {
        if (toReceive[fd]! <= 0 && toSend[fd]! > 0) {
          const n = libc.send(fd, scratch.address, toSend[fd]!, libc.MSG_NOSIGNAL);
          if (n < 0) {
            const error = libc.errno();
            if (error === EINTR) continue;
            return error === EAGAIN ? true : end(fd, 'reset');
          }
          toSend[fd]! -= n;
          if (toSend[fd]! > 0) continue;
          connections.answered(fd);
          if (!finish(fd)) return false;
        }
        const n = libc.recv(fd, scratch.address, 65_536, 0);
        if (n > 0) {
          toReceive[fd]! -= n;
          continue;
        }
        const error = n < 0 ? libc.errno() : 0;
        if (error === EINTR) continue;
        return error === EAGAIN ? true : end(fd, n === 0 ? 'client' : 'reset');
      }
    }

    return {
      events: (libc.EPOLLIN | libc.EPOLLRDHUP | libc.EPOLLET | (exchange ? libc.EPOLLOUT : 0)) >>> 0,
      delay: holdMs === null ? Number.POSITIVE_INFINITY : holdMs * 1000,
      begin(fd) {
        toReceive[fd] = exchange?.request ?? 0;
        toSend[fd] = exchange?.response ?? 0;
        return (exchange !== null || finish(fd)) && proceed(fd);
      },
      proceed,
      due: (fd) => end(fd, 'server'),
      grow(descriptors) {
        toReceive = longer(toReceive, descriptors);
        toSend = longer(toSend, descriptors);
      },
    };
  });
}
