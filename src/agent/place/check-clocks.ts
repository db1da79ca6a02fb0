/**
 * Whether connections can be given TCP timestamp clocks here (load/clocks.ts): tried on a connection to a listener of our own.
 */
import { EINPROGRESS, errnoName } from '../../kernel/errno.js';
import {
  AF_INET6,
  bind,
  connect,
  errno,
  getsockname,
  getsockopt,
  listen,
  nativeBuffer,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SOL_TCP,
  socket,
  close as sysClose,
  TCP_TIMESTAMP,
} from '../../kernel/libc.js';
import { openRouteControl } from '../../kernel/rtnetlink.js';
import { sockaddrAt, sockaddrTable } from '../../kernel/sockaddr.js';
import { CLOCK_STEP, createClocks } from '../../load/socket/clocks.js';

/** More ticks than pass during the trial, and few beside the distance of two clocks. */
const SLACK = 100_000;

/**
 * Why not, or null.
 * @param ownNamespace the lab is a fresh namespace, whose loopback device is still down
 */
export function clocksMissing(family: number, ownNamespace: boolean): string | null {
  if (ownNamespace) {
    const control = openRouteControl();
    control.linkUp('lo');
    control.close();
  }
  const type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
  const table = sockaddrTable([{ address: family === AF_INET6 ? '::1' : '127.0.0.1', port: 0 }]);
  const address = sockaddrAt(table, 0);
  const clocks = createClocks(2, family);
  const [listener, fd] = [socket(family, type, 0), socket(family, type, 0)];
  try {
    const before = timestampOf(fd);
    if (before === undefined) return `TCP_TIMESTAMP: ${errnoName(errno())}`;
    const size = nativeBuffer(4);
    size.view.setUint32(0, table.length, true);
    if (bind(listener, address, table.length) < 0 || listen(listener, 1) < 0) return `bind: ${errnoName(errno())}`;
    getsockname(listener, address, size.address);
    const unset = clocks.before(fd, 1);
    if (unset !== 0) return `TCP_REPAIR: ${errnoName(unset)}`;
    if (connect(fd, address, table.length) === 0) {
      const refused = clocks.afterDeferred(fd, 1) || clocks.release(fd);
      if (refused !== 0 && refused !== EINPROGRESS) return `TCP_FASTOPEN_CONNECT: ${errnoName(refused)}`;
    }
    // As signed 32-bit numbers: the clocks go round.
    const behind = (before - (timestampOf(fd) ?? 0)) | 0;
    return Math.abs(behind - CLOCK_STEP) < SLACK ? null : 'connect() gave the connection a clock of its own';
  } finally {
    sysClose(listener);
    sysClose(fd);
    clocks.close();
  }
}

function timestampOf(fd: number): number | undefined {
  const [value, size] = [nativeBuffer(4), nativeBuffer(4)];
  size.view.setUint32(0, 4, true);
  return getsockopt(fd, SOL_TCP, TCP_TIMESTAMP, value.address, size.address) < 0
    ? undefined
    : value.view.getInt32(0, true);
}
