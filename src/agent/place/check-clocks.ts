/**
 * Whether connections can be given TCP timestamp clocks here (load/clocks.ts): tried on a connection to a listener of our own.
 */
import { EINPROGRESS, errnoName } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
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
  const type = libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC;
  const table = sockaddrTable([{ address: family === libc.AF_INET6 ? '::1' : '127.0.0.1', port: 0 }]);
  const address = sockaddrAt(table, 0);
  const clocks = createClocks(2, family);
  const [listener, fd] = [libc.socket(family, type, 0), libc.socket(family, type, 0)];
  try {
    const before = timestampOf(fd);
    if (before === undefined) return `TCP_TIMESTAMP: ${errnoName(libc.errno())}`;
    const size = libc.nativeBuffer(4);
    size.view.setUint32(0, table.length, true);
    if (libc.bind(listener, address, table.length) < 0 || libc.listen(listener, 1) < 0)
      return `bind: ${errnoName(libc.errno())}`;
    libc.getsockname(listener, address, size.address);
    const unset = clocks.before(fd, 1);
    if (unset !== 0) return `TCP_REPAIR: ${errnoName(unset)}`;
    if (libc.connect(fd, address, table.length) === 0) {
      const refused = clocks.afterDeferred(fd, 1) || clocks.release(fd);
      if (refused !== 0 && refused !== EINPROGRESS) return `TCP_FASTOPEN_CONNECT: ${errnoName(refused)}`;
    }
    // As signed 32-bit numbers: the clocks go round.
    const behind = (before - (timestampOf(fd) ?? 0)) | 0;
    return Math.abs(behind - CLOCK_STEP) < SLACK ? null : 'connect() gave the connection a clock of its own';
  } finally {
    libc.close(listener);
    libc.close(fd);
    clocks.close();
  }
}

function timestampOf(fd: number): number | undefined {
  const [value, size] = [libc.nativeBuffer(4), libc.nativeBuffer(4)];
  size.view.setUint32(0, 4, true);
  return libc.getsockopt(fd, libc.SOL_TCP, libc.TCP_TIMESTAMP, value.address, size.address) < 0
    ? undefined
    : value.view.getInt32(0, true);
}
