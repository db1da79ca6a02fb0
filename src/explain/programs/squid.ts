import type { Program } from '../pattern.js';

const OLD = '5 and older (6 sets IP_BIND_ADDRESS_NO_PORT)';

/** Squid: cache.log, access.log, the error page and its header. */
export const SQUID: Program = {
  name: 'Squid',
  profile: 'squid-2014',
  patterns: [
    {
      // A listening port is part of the address; a port that the kernel is to choose is not shown.
      match:
        /FATAL: Cannot open HTTP Port|commBind:? Cannot bind socket FD \d+ to (?:\*|\[[0-9A-Fa-f.:]+\]|[\d.]+):\d+:? \((?<errno>98|99)\)/,
      call: 'listen',
      errno: 'EADDRINUSE',
    },
    {
      // The local address stands after "to", and is missing where it was cut from a report.
      match:
        /commBind:? Cannot bind socket (?:\.\.\. : |FD \d+ to )(?:(?<address>[0-9A-Fa-f.:[\]*]+):? )?\((?<errno>98|99)\)/,
      call: 'bind',
      strategy: 'bind',
      version: OLD,
      note: 'a DNS name with several addresses makes one line for each, so lines are not requests; of several tcp_outgoing_address lines Squid takes the first whose ACLs match, so without ACLs the first one has all the load; FD is the lowest descriptor that was free, so at least as many are open in that process, and it may be far more: the largest FD of many lines comes nearer, and ls /proc/PID/fd | wc -l is exact (a tunnel takes two, TIME_WAIT none)',
    },
    {
      match:
        /ERR_SOCKET_FAILURE (?<errno>\d+)|Socket Failure The system returned: \(98\)|unable to create a TCP socket/,
      call: 'bind',
      errno: 'EADDRINUSE',
      strategy: 'bind',
      version: '3 and older',
    },
    {
      match: /X-Squid-Error: ERR_CONNECT_FAIL 0\b/,
      call: 'bind',
      errno: 'EADDRINUSE',
      strategy: 'bind',
      version: OLD,
      note: 'errno 0 is how Squid 5 tells a failed bind() to its client; cache.log has the commBind line',
    },
    {
      match: /X-Squid-Error: ERR_CONNECT_FAIL (?<errno>99)/,
      call: 'connect',
      cause: 'four-tuples',
      strategy: 'bind-no-port',
      version: '6 with tcp_outgoing_address, or any without',
      note: 'cache.log says nothing of it',
    },
    {
      match: /X-Squid-Error: ERR_CONNECT_FAIL (?<errno>\d+)/,
      call: 'connect',
      strategy: 'bind-no-port',
      version: '6 with tcp_outgoing_address, or any without',
      note: 'cache.log says nothing of it',
    },
    { match: /Your cache is running out of filedescriptors/, cause: 'descriptors', call: 'socket', errno: 'EMFILE' },
  ],
};
