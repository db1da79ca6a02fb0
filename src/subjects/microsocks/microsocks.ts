/**
 * microsocks (github.com/rofl0r/microsocks): a SOCKS5 server with `-b`, configured by its command line alone. It binds `address:0`
 * before it connects, without any socket option (strace of 1.0.3); where that fails it answers "general failure" and never connects
 * unbound. It does not say its version. Pure.
 */
import { program } from '../define.js';
import { likeItsClient } from '../ending.js';
import { eventBy, gaveUp, type LogRule, OUT_OF_DESCRIPTORS, refused, STANDARD_ERROR } from '../running/log-book.js';
import { binarySetting, CLIENTS, oneAddress, SUITE } from '../settings.js';

export const microsocks = program(
  'microsocks',
  { binary: binarySetting('microsocks'), suite: SUITE, clients: CLIENTS },
  {
    debianPackage: 'microsocks',
    reverse: false,
    protocols: () => ['socks5'],
    strategy: () => 'bind',
    ending: (_, load) => likeItsClient(load, 'client'),
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
    readLine: (log, line) => (log === STANDARD_ERROR ? eventBy(RULES, line) : null),
  },
);

/** perror(3) behind the calls of a connection does not say which of them it was; the errno tells. */
const RULES: readonly LogRule[] = [
  [/Too many open files|failed to accept/, OUT_OF_DESCRIPTORS],
  [/^socket\/connect: Address already in use$/, refused('bind', 'EADDRINUSE')],
  [/^socket\/connect: Cannot assign requested address$/, refused('connect', 'EADDRNOTAVAIL')],
  [/^socket\/connect: .+$/, refused(null, null)],
  [/rejecting connection due to OOM/, { kind: 'trouble', what: 'it had no memory for a further client' }],
  [/^server_setup: (.+)$/, gaveUp],
];
