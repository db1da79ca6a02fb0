/**
 * microsocks (github.com/rofl0r/microsocks): a SOCKS5 server with `-b`, configured by its command line alone. It binds `address:0`
 * before it connects, without any socket option (strace of 1.0.3); where that fails it answers "general failure" and never connects
 * unbound. It does not say its version. Pure.
 */
import { program } from '../define.js';
import { type LogEvent, STANDARD_ERROR } from '../running/log-book.js';
import { binarySetting, CLIENTS, oneAddress } from '../settings.js';

export const microsocks = program(
  'microsocks',
  { binary: binarySetting('microsocks'), clients: CLIENTS },
  {
    debianPackage: 'microsocks',
    reverse: false,
    protocols: () => ['socks5'],
    strategy: () => 'bind',
    check: (_, { addresses }, say) => oneAddress(addresses, 'microsocks has one -b', say),
    fixRow: {
      load: 'connections',
      addresses: 1,
      cannot: {
        'explicit-ports': '-b takes an address, and no ports',
        'more-addresses': 'it takes one address',
        persistent: "a SOCKS connection is its client's alone",
        reset: 'it has no such setting towards origins',
      },
    },
    configure: (_, path, { listen: [{ address, port }], outgoing }) => ({
      files: {},
      argv: [path, '-i', address, '-p', String(port), ...outgoing.slice(0, 1).flatMap((own) => ['-b', own])],
      logs: [],
      stop: { signal: 'SIGKILL', deadlineMs: 4000 },
    }),
    readLine,
  },
);

/** perror(3) behind the calls of a connection, without a word which of them it was; the errno tells. */
const NOT_CONNECTED = /^socket\/connect: (.+)$/;
const CALLS: Readonly<Record<string, { readonly call: 'bind' | 'connect'; readonly errno: string }>> = {
  'Address already in use': { call: 'bind', errno: 'EADDRINUSE' },
  'Cannot assign requested address': { call: 'connect', errno: 'EADDRNOTAVAIL' },
};
const OUT_OF_DESCRIPTORS = /Too many open files|failed to accept/;
const OUT_OF_MEMORY = /rejecting connection due to OOM/;
const FATAL = /^server_setup: (.+)$/;

function readLine(log: string, line: string): LogEvent | null {
  if (log !== STANDARD_ERROR) return null;
  const why = NOT_CONNECTED.exec(line)?.[1];
  if (OUT_OF_DESCRIPTORS.test(line)) return { kind: 'trouble', what: 'it ran out of descriptors' };
  if (why !== undefined) return { kind: 'failure', ...(CALLS[why] ?? { call: null, errno: null }) };
  if (OUT_OF_MEMORY.test(line)) return { kind: 'trouble', what: 'it had no memory for a further client' };
  const fatal = FATAL.exec(line)?.[1];
  return fatal === undefined ? null : { kind: 'trouble', what: `it gave up: ${fatal}` };
}
