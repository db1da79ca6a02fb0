/**
 * A socket that is made, prepared and bound through libc as the strategy says, and handed to Node before it is connected.
 */
import { once } from 'node:events';
import { Socket, type SocketConstructorOpts } from 'node:net';
import type { Target } from '../../domain/target.js';
import { EMFILE, ENFILE } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { failureSlot, SLOT_OK, SLOT_SHED } from '../outcome.js';
import type { Recorder } from '../recorder.js';
import { type Dialer, setOptions } from '../strategy.js';
import { count } from '../tally.js';
import { errnoOf } from './http-error.js';

type Dialled =
  | { readonly ok: true; readonly socket: Socket }
  /** SLOT_SHED where this process has no descriptor left. */
  | { readonly ok: false; readonly slot: number };

const lingerZero = libc.nativeBuffer(8);
lingerZero.view.setInt32(0, 1, true);

/** @param reset the close shall send a RST */
export function dial(
  {
    dialer,
    family,
    reset,
    tallies,
  }: {
    readonly dialer: Dialer;
    readonly family: number;
    readonly reset: boolean;
    readonly tallies: Recorder['tallies'];
  },
  address: number,
  visit: number,
): Dialled {
  const fd = libc.socket(family, libc.SOCK_STREAM | libc.SOCK_NONBLOCK | libc.SOCK_CLOEXEC, 0);
  if (fd < 0) {
    const error = libc.errno();
    return { ok: false, slot: error === EMFILE || error === ENFILE ? SLOT_SHED : failureSlot('socket', error) };
  }
  const fail = (slot: number): Dialled => {
    libc.close(fd);
    return { ok: false, slot };
  };
  const optionError = setOptions(fd, dialer.options);
  if (optionError !== 0) return fail(failureSlot('setsockopt', optionError));
  const local = dialer.bindAddress(address, visit);
  if (local !== 0) {
    const before = libc.monotonicMicros();
    if (libc.bind(fd, local, dialer.addressLength) < 0) return fail(failureSlot('bind', libc.errno()));
    count(tallies.bind, libc.monotonicMicros() - before);
  }
  if (reset) libc.setsockopt(fd, libc.SOL_SOCKET, libc.SO_LINGER, lingerZero.address, 8);
  // Without manualStart the socket would read before it is connected. It is in no list of options, but node:net uses it itself.
  const options: SocketConstructorOpts & { manualStart: true } = {
    fd,
    readable: true,
    writable: true,
    manualStart: true,
  };
  return { ok: true, socket: new Socket(options) };
}

/** @returns SLOT_OK, or the slot of the failure */
export async function connectTo(
  socket: Socket,
  { address, port }: Target,
  tallies: Recorder['tallies'],
): Promise<number> {
  const begun = libc.monotonicMicros();
  socket.connect({ host: address, port });
  try {
    await once(socket, 'connect');
  } catch (error) {
    return failureSlot('connect', errnoOf(error));
  }
  count(tallies.connect, libc.monotonicMicros() - begun);
  socket.setNoDelay(true);
  return SLOT_OK;
}
