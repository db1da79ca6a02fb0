/**
 * `struct mmsghdr` (sendmmsg(2), recvmmsg(2)): several datagrams in native memory, each in a place of its own, without control messages. The layout
 * is that of 64-bit systems: a struct msghdr of 56 bytes, and the number of bytes that were sent or received.
 */
import { AF_INET, type NativeBuffer, nativeBuffer } from './libc.js';

const HEADER = 64;
const VECTOR = 16;
/** Where fields begin. */
const NAME = 0;
const NAME_LENGTH = 8;
const VECTORS = 16;
const VECTOR_COUNT = 24;
const DONE = 56;
/** sizeof(struct sockaddr_in6) is 28. */
const PEER_ROOM = 32;

export interface Messages {
  readonly count: number;
  /** The places of the datagrams, and how far they are apart. */
  readonly memory: NativeBuffer;
  readonly room: number;
  /** The places of their peers, where these are kept, and how far they are apart. */
  readonly peers: NativeBuffer;
  readonly peerRoom: number;
  /** The native address of the header of the i-th. */
  header(i: number): number;
  /** Have the peer of each in a place of its own: that of what was received, and of what is sent. */
  keepPeers(): void;
  /** Say where the i-th goes to, by the native address of a sockaddr. */
  setPeer(i: number, sockaddr: number): void;
  /** Say how many bytes the i-th has, or has room for, and its sockaddr. */
  setLengths(i: number, bytes: number, peerLength: number): void;
  /** Whether the peer that is kept of the i-th has an IPv4 address. */
  isIpv4(i: number): boolean;
  /** Bytes of the i-th that were received. */
  received(i: number): number;
}

/**
 * @param count datagrams
 * @param bytes of each: what is sent of it, or the most that is kept of what comes; the rest of a longer one is lost
 * @param peerLength of the sockaddr of each; 0: there is none
 */
export function createMessages(count: number, bytes: number, peerLength: number): Messages {
  // So that no two share a line of the cache.
  const room = Math.ceil(bytes / 64) * 64;
  const memory = nativeBuffer(count * room);
  const peers = nativeBuffer(count * PEER_ROOM);
  const headers = nativeBuffer(count * HEADER);
  const vectors = nativeBuffer(count * VECTOR);
  const headerWords = new Uint32Array(headers.bytes.buffer);
  const vectorWords = new Uint32Array(vectors.bytes.buffer);
  for (let i = 0; i < count; i++) {
    vectors.view.setBigUint64(i * VECTOR, BigInt(memory.address + i * room), true);
    vectors.view.setBigUint64(i * VECTOR + 8, BigInt(bytes), true);
    headers.view.setUint32(i * HEADER + NAME_LENGTH, peerLength, true);
    headers.view.setBigUint64(i * HEADER + VECTORS, BigInt(vectors.address + i * VECTOR), true);
    headers.view.setBigUint64(i * HEADER + VECTOR_COUNT, 1n, true);
  }

  function setPeer(i: number, sockaddr: number): void {
    // As two words: a BigInt would be allocated. An address has less than 2^53.
    const at = (i * HEADER + NAME) >> 2;
    const high = Math.floor(sockaddr / 0x1_0000_0000);
    headerWords[at] = sockaddr - high * 0x1_0000_0000;
    headerWords[at + 1] = high;
  }

  return {
    count,
    memory,
    room,
    peers,
    peerRoom: PEER_ROOM,
    header: (i) => headers.address + i * HEADER,
    keepPeers() {
      for (let i = 0; i < count; i++) setPeer(i, peers.address + i * PEER_ROOM);
    },
    setPeer,
    setLengths(i, length, peer) {
      vectorWords[(i * VECTOR + 8) >> 2] = length;
      headerWords[(i * HEADER + NAME_LENGTH) >> 2] = peer;
    },
    isIpv4: (i) => peers.view.getUint16(i * PEER_ROOM, true) === AF_INET,
    received: (i) => headerWords[(i * HEADER + DONE) >> 2]!,
  };
}
