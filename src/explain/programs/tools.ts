import { ERRNO_TEXT } from '../errno.js';
import type { Program } from '../pattern.js';

/** curl and libcurl. */
export const CURL: Program = {
  name: 'curl',
  patterns: [
    {
      match: /bind failed with errno (?<errno>99): /,
      call: 'bind',
      version: '--interface with an address that is not here',
    },
    {
      match: /bind failed with errno (?<errno>98): /,
      call: 'bind',
      strategy: 'bind-explicit-port-exclusive',
      version: '--local-port; or --interface in a version without IP_BIND_ADDRESS_NO_PORT',
    },
    {
      match:
        /Immediate connect fail for (?<address>\S+): (?<errno>Cannot assign requested address|Address not available)/,
      call: 'connect',
      strategy: 'bind-no-port',
      version: 'with --interface; without it, the strategy is connect',
      note: 'without -v curl only says “Couldn’t connect to server” (7)',
    },
  ],
};

/** Wget: the errno of bind() stands where that of connect() would. */
export const WGET: Program = {
  name: 'Wget',
  patterns: [
    {
      after: /^Connecting to /,
      match: /(?:\.\.\.|…) failed: (?<errno>Address already in use)/,
      call: 'bind',
      strategy: 'bind',
      version: 'with --bind-address',
    },
    {
      after: /^Connecting to (?<address>\S+?)(?:\||:\d)/,
      match: new RegExp(`(?:\\.\\.\\.|…) failed: (?<errno>${ERRNO_TEXT})`, 'i'),
      call: 'connect',
      strategy: 'connect',
    },
  ],
};

/** OpenSSH's client. */
export const SSH: Program = {
  name: 'OpenSSH',
  patterns: [
    {
      match: /^bind (?<address>[0-9a-f.:]+): (?<errno>Address already in use)/,
      call: 'bind',
      strategy: 'bind',
      version: 'with -b',
    },
    {
      match: new RegExp(`^ssh: connect to host (?<address>\\S+) port \\d+: (?<errno>${ERRNO_TEXT})`, 'i'),
      call: 'connect',
      strategy: 'connect',
    },
  ],
};

/** libpq: psql and whatever uses it. */
export const POSTGRES: Program = {
  name: 'PostgreSQL client (libpq)',
  patterns: [
    {
      match: new RegExp(
        `connection to server at "[^"]{1,256}" \\((?<address>[^)]{1,64})\\), port \\d+ failed: (?<errno>${ERRNO_TEXT})`,
        'i',
      ),
      call: 'connect',
      strategy: 'connect',
    },
    {
      match: new RegExp(`connection to server at "(?<address>[^"]+)", port \\d+ failed: (?<errno>${ERRNO_TEXT})`, 'i'),
      call: 'connect',
      strategy: 'connect',
    },
    {
      match: new RegExp(`could not connect to server: (?<errno>${ERRNO_TEXT})`, 'i'),
      call: 'connect',
      strategy: 'connect',
      version: '13 or older',
    },
  ],
};

/** The kernel's own messages. */
export const KERNEL: Program = {
  name: 'Linux kernel',
  patterns: [
    { match: /(?:nf|ip)_conntrack: table full, dropping packet/, cause: 'conntrack' },
    { match: /TCP: time wait bucket table overflow|TCPTimeWaitOverflow: [1-9]/, cause: 'time-wait-table' },
    { match: /TCP: out of memory -- consider tuning tcp_mem|too many orphaned sockets/, cause: 'memory' },
    { match: /VFS: file-max limit \d+ reached/, cause: 'descriptors', errno: 'ENFILE' },
    {
      match: /possible SYN flooding on port/,
      cause: 'no-answer',
      note: 'the accept queue of a listener on this host is full',
    },
  ],
};
