/**
 * The kernel's search for a source port of a NAT, simulated: nf_nat_l4proto_unique_tuple() in net/netfilter/nf_nat_core.c. From a random
 * port on it tries 128 ports in a row, then from other random ports 64, 32, 16 and 8, and gives up: 248 tries. What was found before lies
 * in runs, so a window meets taken ports far more often than independent picks would. A range of up to 128 ports is searched whole. Pure.
 */
import type { Random } from '../../domain/random.js';

/** NF_NAT_MAX_ATTEMPTS, and below which window it gives up. */
export const WHOLE = 128;
const SMALLEST = 16;
/** NF_NAT_HARDER_THRESH: with so many tries of a window left, an entry that is closing may be ended. */
export const HARDER = WHOLE / 4;
/** get_random_u16(). */
const OFFSETS = 65_536;

const FREE = 0;
const TAKEN = 1;
/** Held by a connection that is closed (conntrack TIME_WAIT or CLOSE), which since 6.5 may be ended for a new one. */
const CLOSING = 2;

/** One pool: the ports of one NAT address towards one destination. */
export interface PortPool {
  readonly size: number;
  /** Ports that are not free. */
  readonly used: number;
  /** Find a port for a new connection, and take it. @returns its index, or −1: the packet is dropped */
  take(): number;
  /** Take a certain port, as the client's own inside the range. @returns whether it was free */
  keep(port: number): boolean;
  release(port: number): void;
  /** Its connection is closed. */
  close(port: number): void;
}

/** @param evicts whether this kernel ends entries that are closing, when the new sequence number is ahead of the old (one in two) */
export function createPortPool(size: number, random: Random, evicts = false): PortPool {
  const ports = new Uint8Array(size).fill(FREE);
  let used = 0;
  const occupy = (port: number) => {
    if (ports[port] === FREE) used++;
    ports[port] = TAKEN;
    return port;
  };
  return {
    size,
    get used() {
      return used;
    },
    take() {
      for (let window = Math.min(size, WHOLE); ; window = Math.floor(window / 2)) {
        const offset = Math.floor(random() * OFFSETS);
        for (let i = 0; i < window; i++) {
          // The offset has 16 bits, and goes on at 0.
          const port = ((offset + i) % OFFSETS) % size;
          if (ports[port] === FREE) return occupy(port);
          if (evicts && ports[port] === CLOSING && window - i <= HARDER && random() < 0.5) return occupy(port);
        }
        if (window >= size || window < SMALLEST) return -1;
      }
    },
    keep(port) {
      if (ports[port] !== FREE) return false;
      occupy(port);
      return true;
    },
    release(port) {
      if (ports[port] !== FREE) used--;
      ports[port] = FREE;
    },
    close(port) {
      if (ports[port] === TAKEN) ports[port] = CLOSING;
    },
  };
}
