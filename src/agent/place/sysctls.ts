/**
 * Sysctls of a role: written in its own namespace and read back, and what they say of the ephemeral ports.
 */

import { LOCAL_PORT_RANGE, normaliseSysctl, parseLocalPortRange } from '../../domain/sysctl-syntax.js';
import { type PortRange, portsWithin } from '../../domain/units.js';
import { readSysctl, readSysctls, writeSysctl } from '../../kernel/sysctl.js';

/**
 * What every lab sets unless the profile says otherwise. Client and origin run on different CPUs, and a veth pair can hand over
 * the origin's last ACK behind its FIN. The client, in TIME_WAIT, then answers with an ACK, the origin with an RST, and the RST
 * ends the TIME_WAIT (RFC 1337, "TIME-WAIT assassination"): some runs would get a few ports back that a real network, which keeps
 * the order, does not give. Measured: 3 of 45 runs of 1000 sockets without this, 0 of 45 with it.
 */
export const LAB_SYSCTLS: Readonly<Record<string, string>> = { 'net.ipv4.tcp_rfc1337': '1' };

/** Set what every lab sets, in the namespace of the calling process. */
export function applyLabSysctls(): void {
  // Before Linux 4.15 a namespace has no value of its own; then the kernel's default stays.
  for (const [name, value] of Object.entries(LAB_SYSCTLS)) writeSysctl(name, value);
}

/** Write sysctls. @returns what the kernel then says of them. Throws when the kernel refuses one */
export function applySysctls(wanted: Readonly<Record<string, string>>): Record<string, string> {
  for (const [name, value] of Object.entries(wanted)) {
    const result = writeSysctl(name, normaliseSysctl(value));
    if (!result.ok) throw new Error(`the kernel refused ${name} = ${value} (${result.errno})`);
  }
  return readSysctls(Object.keys(wanted));
}

/** The range of local ports in the namespace of the calling process. */
export function ephemeralRange(): PortRange {
  const result = readSysctl(LOCAL_PORT_RANGE);
  if (!result.ok) throw new Error(`${LOCAL_PORT_RANGE} cannot be read (${result.errno})`);
  return parseLocalPortRange(result.value);
}

/** How many ports of the range are reserved (ip_local_reserved_ports: `8080,9000-9100`). */
export function reservedIn(range: PortRange): number {
  const result = readSysctl('net.ipv4.ip_local_reserved_ports');
  return result.ok ? portsWithin(result.value, range).size : 0;
}
