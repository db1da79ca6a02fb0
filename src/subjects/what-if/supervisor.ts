/**
 * Entry of the thread that answers the bind() calls of a subject: it sets the options of the what-if on each socket.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { SystemCallError } from '../../kernel/errno.js';
import {
  AF_INET,
  AF_INET6,
  errno,
  getsockopt,
  IP_BIND_ADDRESS_NO_PORT,
  IP_LOCAL_PORT_RANGE,
  nativeBuffer,
  SO_REUSEADDR,
  SO_TYPE,
  SOCK_STREAM,
  SOL_IP,
  SOL_SOCKET,
  setsockopt,
  close as sysClose,
} from '../../kernel/libc.js';
import { type BindCall, superviseBinds, takeDescriptor } from '../../kernel/seccomp.js';
import type { WhatIf } from './what-if.js';

/** What the thread is given. `counts`: [0] changed, [1] not changed though it should be, [2] errno of the last of these, [3] 1: end. */
export interface SupervisorInput {
  readonly whatIf: WhatIf;
  readonly pid: number;
  readonly fd: number;
  readonly counts: Int32Array;
}

/** How often it looks whether it shall end. */
const POLL_MS = 50;

if (parentPort === null) throw new Error('what-if/supervisor.js is the entry of a worker thread');
const { whatIf, pid, fd, counts } = workerData as SupervisorInput;
const value = nativeBuffer(4);
const size = nativeBuffer(4);

/** @returns 0 or an errno */
function set(socket: number, level: number, name: number, to: number): number {
  value.view.setUint32(0, to, true);
  return setsockopt(socket, level, name, value.address, 4) < 0 ? errno() : 0;
}

/** @returns 0, an errno, or undefined for a socket that it is not about */
function change(socket: number): number | undefined {
  size.view.setUint32(0, 4, true);
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, value.address, size.address) < 0) return errno();
  if (value.view.getInt32(0, true) !== SOCK_STREAM) return undefined;
  const { bind, reuseaddr, portRange } = whatIf;
  return (
    (bind ? set(socket, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1) : 0) ||
    (reuseaddr ? set(socket, SOL_SOCKET, SO_REUSEADDR, 0) : 0) ||
    (portRange ? set(socket, SOL_IP, IP_LOCAL_PORT_RANGE, ((portRange.high << 16) | portRange.low) >>> 0) : 0)
  );
}

function look(call: BindCall): void {
  if ((call.family !== AF_INET && call.family !== AF_INET6) || call.port !== 0) return;
  let result: number | undefined;
  try {
    const socket = call.take();
    result = call.isStill() ? change(socket) : undefined;
    sysClose(socket);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    result = error.errno;
  }
  if (result === undefined) return;
  counts[result === 0 ? 0 : 1]!++;
  if (result !== 0) counts[2] = result;
}

const listener = takeDescriptor(pid, fd);
parentPort.postMessage('supervising');
superviseBinds(listener, look, () => counts[3] !== 0, POLL_MS);
sysClose(listener);
