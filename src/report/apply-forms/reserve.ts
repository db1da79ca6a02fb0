/**
 * The script that goes with a wider ip_local_port_range: it reserves the ports on which something listens on the machine where it is run. Their
 * numbers are not known here, and those of the lab are none of a machine's, so that it looks for them itself. Pure.
 */
import { parseLocalPortRange } from '../../domain/sysctl-syntax.js';
import { comment, lines } from './form.js';

interface Reserved {
  /** Of the drop-in, as `zz-bindstorm-wider-range`. */
  readonly base: string;
  /** Of the script itself. */
  readonly name: string;
  /** The range that the drop-in sets: `1024 65535`. */
  readonly range: string;
  /** Where drop-ins are. */
  readonly folder: string;
}

/**
 * A script for sh(1), with awk and find, of which every Debian has one. The kernel's search passes over ip_local_reserved_ports, and a bind() that
 * names such a port still gets it (Documentation/networking/ip-sysctl.rst).
 */
export function reserveScript({ base, name, range, folder }: Reserved): string {
  const { low, high } = parseLocalPortRange(range);
  return lines([
    '#!/bin/sh',
    ...comment([
      `bindstorm: reserves the ports within ${low} to ${high} on which something listens on this machine. As root, before the range is made wider:`,
      `  sh ${name}         reserves them, now and at each boot; do it again when a service was added`,
      `  sh ${name} back    goes back to what was reserved before`,
      '',
      'Why: a port within ip_local_port_range is the service’s only while it listens. While the service restarts, an outgoing connection may',
      'take the port, and the service fails with EADDRINUSE until that connection and its TIME_WAIT are over. The kernel gives nobody a port of',
      'ip_local_reserved_ports; a service that names it gets it as before.',
      '',
      'It takes the ports of listening TCP sockets, and those of UDP sockets outside of the range that is in force: within it, a service cannot be',
      'told from a client. Services that are stopped now, or are in another network namespace, are not seen: add their ports by hand.',
    ]),
    `low=${low} high=${high}`,
    'proc=/proc/sys/net/ipv4/ip_local_reserved_ports',
    `file=${folder}/${base}-reserved.conf`,
    `record=${folder}/${base}-reserved.before`,
    `if test "\${1:-}" = back; then`,
    '  if ! test -e "$record" && ! test -e "$file"; then',
    '    echo "Nothing was reserved by this script: there is nothing to go back to."',
    '    exit 0',
    '  fi',
    '  if ! test -s "$record"; then',
    '    echo "$record does not exist, so it is not known what was reserved before. Nothing was changed" >&2',
    '    exit 1',
    '  fi',
    '  rm -f "$file"',
    '  cat "$record" > "$proc" || exit 1',
    '  if ! diff "$record" "$proc"; then',
    '    echo "The reserved ports are not as before (<: recorded, >: in force). Write them to $proc, then delete $record" >&2',
    '    exit 1',
    '  fi',
    '  rm "$record"',
    '  echo "As before."',
    '  exit 0',
    'fi',
    // Not by read: sh takes a byte at a time, and the kernel gives the rest to nobody.
    'own=$(cat /proc/sys/net/ipv4/ip_local_port_range) || exit 1',
    'files=',
    'for table in tcp tcp6 udp udp6; do test -r "/proc/net/$table" && files="$files /proc/net/$table"; done',
    ...comment([
      'Addresses and ports are hexadecimal in these tables, the inode is the tenth field (proc_pid_net(5)). 0A: listening; 07: a UDP socket that is not connected.',
    ]),
    `found=$(awk -v low=$low -v high=$high -v own="$own" '`,
    '  function decimal(text,  i, n) {',
    '    for (i = 1; i <= length(text); i++) n = n * 16 + index("0123456789ABCDEF", substr(text, i, 1)) - 1',
    '    return n',
    '  }',
    '  BEGIN { split(own, mine) }',
    '  FNR > 1 {',
    '    protocol = FILENAME ~ /tcp/ ? "tcp" : "udp"',
    '    split($2, local, ":")',
    '    port = decimal(local[2])',
    '    if ($4 != (protocol == "tcp" ? "0A" : "07") || port < low || port > high) next',
    '    if (protocol == "udp" && port >= mine[1] && port <= mine[2]) next',
    '    if (!seen[port, protocol]++) print port, protocol, $10',
    "  }' $files | sort -n)",
    'if test -z "$found"; then',
    '  echo "Nothing listens within $low to $high: there is nothing to reserve."',
    '  exit 0',
    'fi',
    'test -s "$record" || cat "$proc" > "$record" || exit 1',
    'ports=$(cat "$proc" && echo "$found" | cut -d " " -f 1)',
    `echo "$ports" | grep -v '^$' | paste -s -d , > "$proc" || exit 1`,
    '{',
    '  echo "# Reserved, so that no outgoing connection takes the port of a service that restarts:"',
    '  echo "$found" | while read -r port protocol inode; do',
    '    link=$(find /proc/[0-9]*/fd -lname "socket:\\\\[$inode\\\\]" 2>/dev/null | head -n 1)',
    `    pid=\${link#/proc/}`,
    `    who=$(test -n "$link" && tr -cd "[:alnum:]._-" < "/proc/\${pid%%/*}/comm")`,
    `    echo "#   $port/$protocol \${who:-of a program that is not known}"`,
    '  done',
    '  echo "net.ipv4.ip_local_reserved_ports = $(cat "$proc")"',
    '} > "$file"',
    'cat "$file"',
  ]);
}
