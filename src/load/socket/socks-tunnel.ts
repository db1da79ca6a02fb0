/**
 * A tunnel through a SOCKS5 server for the HTTP engine: the dialogue of RFC 1928 on a socket of Node's, which afterwards is as it was
 * before, with nothing read that is not SOCKS.
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import {
  connectRequest,
  GREETING,
  NO_AUTHENTICATION,
  NO_METHOD,
  parseMethod,
  parseReply,
  replyName,
  SUCCEEDED,
} from '../../domain/socks.js';
import type { Target } from '../../domain/target.js';
import { errnoOf } from '../http/http-error.js';
import { EOF, failureSlot, SLOT_OK } from '../outcome.js';
import type { Recorder } from '../recorder.js';

const { EPROTO } = constants.errno;

/** A message of the server, or the slot of the failure. */
type Received = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly slot: number };

/**
 * @param abandoned the attempt has its outcome already
 * @returns SLOT_OK, or the slot of the failure
 */
export async function openSocksTunnel(
  socket: Socket,
  target: Target,
  recorder: Recorder,
  abandoned: () => boolean,
): Promise<number> {
  socket.write(GREETING);
  const method = await receive(socket, parseMethod);
  if (!method.ok) return method.slot;
  if (abandoned()) return SLOT_OK;
  if (method.bytes[1] !== NO_AUTHENTICATION) return recorder.replied(NO_METHOD, `method ${method.bytes[1]}`);
  socket.write(connectRequest(target));
  const reply = await receive(socket, parseReply);
  if (!reply.ok) return reply.slot;
  const code = reply.bytes[1]!;
  if (abandoned() || code === SUCCEEDED) return SLOT_OK;
  return recorder.replied(replyName(code), `reply ${code}`);
}

/** Read one message; what comes behind it stays in the socket. @param parse its length, 0: more must come, -1: it is none */
function receive(socket: Socket, parse: (bytes: Uint8Array) => number): Promise<Received> {
  return new Promise((resolve) => {
    let bytes: Buffer = Buffer.alloc(0);
    const finish = (result: Received) => {
      socket.off('readable', onReadable).off('error', onError).off('end', onEnd).off('close', onEnd);
      resolve(result);
    };
    const fail = (errno: number) => finish({ ok: false, slot: failureSlot('response', errno) });
    const onError = (error: Error) => fail(errnoOf(error));
    const onEnd = () => fail(EOF);
    const onReadable = () => {
      for (let piece = socket.read() as Buffer | null; piece !== null; piece = socket.read() as Buffer | null) {
        bytes = Buffer.concat([bytes, piece]);
        const length = parse(bytes);
        if (length < 0) return fail(EPROTO);
        if (length === 0) continue;
        if (bytes.length > length) socket.unshift(bytes.subarray(length));
        return finish({ ok: true, bytes: bytes.subarray(0, length) });
      }
    };
    socket.on('readable', onReadable).on('error', onError).on('end', onEnd).on('close', onEnd);
    onReadable();
  });
}
