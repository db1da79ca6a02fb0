import type { Program } from '../pattern.js';

/** Node.js and whatever runs on libuv. */
export const NODE: Program = {
  name: 'Node.js (libuv)',
  patterns: [
    { match: /\blisten (?<errno>EADDRINUSE|EADDRNOTAVAIL)\b|syscall: 'listen'/, call: 'listen', errno: 'EADDRINUSE' },
    {
      match: /\bconnect (?<errno>EADDRINUSE)(?: (?<address>\S+?):\d+)?(?: |$)/,
      call: 'bind',
      strategy: 'bind-reuseaddr',
      version: 'with localAddress',
      note: 'the call that failed is bind(): libuv keeps its errno until connect(), and always sets SO_REUSEADDR, so ip_autobind_reuse=1 acts (Linux 5.7)',
    },
    {
      // A port of 0 is not printed, and only dgram binds the wildcard without one.
      match: /\bbind (?<errno>EADDRINUSE) (?:0\.0\.0\.0|::)(?!:?\d|\S)/,
      call: 'bind',
      protocol: 'udp',
      version: 'node:dgram, which binds 0.0.0.0 before its first send',
    },
    { match: /\bquery[A-Z][a-zA-Z]{0,8} ETIMEOUT\b/, cause: 'udp-answer', version: 'dns.resolve (c-ares)' },
    {
      match: /\bbind (?<errno>EADDRINUSE|EADDRNOTAVAIL)(?: (?<address>[0-9a-f.:]*?)(?::(?<port>\d+))?)?(?: |$)/,
      call: 'bind',
      strategy: 'bind-reuseaddr',
      version: 'with localAddress',
    },
    {
      match: /\bconnect (?<errno>EADDRNOTAVAIL)(?: (?<address>\S+?):\d+)?(?: - Local \([^)]{0,64}\))?(?: |$)/,
      call: 'connect',
      strategy: 'connect',
      version: 'without localAddress',
    },
    { match: /\b(?:connect|socket|accept|open) (?<errno>EMFILE|ENFILE)\b/, call: 'socket' },
    {
      match: /\bconnect (?<errno>ETIMEDOUT|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)\b/,
      call: 'connect',
      strategy: 'connect',
    },
  ],
};
