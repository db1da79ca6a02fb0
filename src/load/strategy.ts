/**
 * A strategy as system calls: the options to set and the address to bind, prepared once, so that an attempt only calls.
 */

import { optionsOf, type SocketOption, type StrategyName, strategyOf } from '../domain/strategy.js';
import { type PortRange, portCount } from '../domain/units.js';
import { ENOPROTOOPT } from '../kernel/errno.js';
import * as libc from '../kernel/libc.js';
import { setPort, sockaddrAt, sockaddrTable } from '../kernel/sockaddr.js';

/** A setsockopt(2) of 32 bits. */
interface OptionCall {
  readonly level: number;
  readonly name: number;
  /** Kept as long as it may be set. */
  readonly value: libc.NativeBuffer;
  /** An attempt goes on where the kernel does not know it. */
  readonly optional: boolean;
}

export interface Dialer {
  /** The strategy's socket options, in this order. */
  readonly options: readonly OptionCall[];
  /** Whether {@link bindAddress} ever names an address. */
  readonly binds: boolean;
  /**
   * The sockaddr to bind to for this attempt.
   * @param address index of the local address
   * @param visit how often this pair was dialled before (picker.ts); chooses the port of the program's own list
   * @returns its native address, or 0 when the strategy does not bind
   */
  bindAddress(address: number, visit: number): number;
  readonly addressLength: number;
}

interface DialerInput {
  readonly strategy: StrategyName;
  readonly addresses: readonly string[];
  /** Options beside those of the strategy; absent: none. */
  readonly socketOptions?: readonly SocketOption[] | undefined;
  /** The program's own port list (`bind-explicit-port*`), or the range for IP_LOCAL_PORT_RANGE. */
  readonly ports: PortRange;
}

const OPTION_NUMBERS: Record<SocketOption, readonly [level: number, name: number]> = {
  SO_REUSEADDR: [libc.SOL_SOCKET, libc.SO_REUSEADDR],
  SO_REUSEPORT: [libc.SOL_SOCKET, libc.SO_REUSEPORT],
  IP_BIND_ADDRESS_NO_PORT: [libc.SOL_IP, libc.IP_BIND_ADDRESS_NO_PORT],
  IP_LOCAL_PORT_RANGE: [libc.SOL_IP, libc.IP_LOCAL_PORT_RANGE],
};

/** The 32 bits that an option is set to; for IP_LOCAL_PORT_RANGE high and low port in one (ip(7)). */
function optionValue(option: SocketOption, { low, high }: PortRange): number {
  return option === 'IP_LOCAL_PORT_RANGE' ? ((high << 16) | low) >>> 0 : 1;
}

/** Set a dialer's options on a socket. @returns 0, or the errno of the option that failed */
export function setOptions(fd: number, options: Dialer['options']): number {
  for (let i = 0; i < options.length; i++) {
    const { level, name, value, optional } = options[i]!;
    if (libc.setsockopt(fd, level, name, value.address, 4) >= 0) continue;
    const error = libc.errno();
    if (!optional || error !== ENOPROTOOPT) return error;
  }
  return 0;
}

/** Set one option of a strategy on a socket. @returns 0 or the errno */
export function setStrategyOption(fd: number, option: SocketOption, ports: PortRange): number {
  const value = libc.nativeBuffer(4);
  value.view.setUint32(0, optionValue(option, ports), true);
  const [level, name] = OPTION_NUMBERS[option];
  return libc.setsockopt(fd, level, name, value.address, 4) < 0 ? libc.errno() : 0;
}

/** Prepare a strategy. */
export function createDialer(input: DialerInput): Dialer {
  const { address, port } = strategyOf(input.strategy);
  const options = optionsOf(input.strategy, input.socketOptions);
  const calls = options.map((option) => {
    const value = libc.nativeBuffer(4);
    value.view.setUint32(0, optionValue(option, input.ports), true);
    const [level, name] = OPTION_NUMBERS[option];
    return { level, name, value, optional: false };
  });
  const anyAddress = input.addresses[0]?.includes(':') ? '::' : '0.0.0.0';
  const locals = sockaddrTable(
    (address === 'any' ? [anyAddress] : input.addresses).map((text) => ({ address: text, port: 0 })),
  );

  return { options: calls, binds: address !== 'none', bindAddress: bindAddressOf(), addressLength: locals.length };

  function bindAddressOf(): Dialer['bindAddress'] {
    if (address === 'none') return () => 0;
    if (address === 'any') return () => sockaddrAt(locals, 0);
    if (port !== 'program') return (i) => sockaddrAt(locals, i);
    // The program's own allocator, as HAProxy's: each (address, destination) pair walks the port list in order.
    const count = portCount(input.ports);
    return (i, visit) => {
      setPort(locals, i, input.ports.low + (visit % count));
      return sockaddrAt(locals, i);
    };
  }
}

/**
 * The dialer of a proxy's clients, which must never be what runs out of ports: IP_BIND_ADDRESS_NO_PORT, and the addresses of a
 * group in turn.
 * @param addresses equally many in a row for each group
 * @param groups how many; the picker's address is the number of a group
 */
export function createClientDialer(addresses: readonly string[], groups: number): Dialer {
  const dialer = createDialer({ strategy: 'bind-no-port', addresses, ports: { low: 1, high: 65_535 } });
  const size = addresses.length / groups;
  // Of each group: one turn for all would give a group the same address again and again where the number of groups is a multiple of the size.
  const turns = new Uint32Array(groups);
  return {
    ...dialer,
    // Before Linux 4.2 bind() takes a port of the clients' range, which there are addresses enough for.
    options: dialer.options.map((option) => ({ ...option, optional: true })),
    bindAddress(group, visit) {
      const turn = turns[group]!;
      turns[group] = turn + 1 < size ? turn + 1 : 0;
      return dialer.bindAddress(group * size + turn, visit);
    },
  };
}
