import { ERRNO_TEXT } from '../errno.js';
import type { Program } from '../pattern.js';

/** Go's net package: operation, local and remote address, call, errno. */
export const GO: Program = {
  name: 'Go (net package)',
  patterns: [
    { match: /\blisten (?:tcp|udp)[46]? \S*: bind: (?<errno>[a-z ]+)/, call: 'listen' },
    {
      match:
        /\bdial tcp[46]? (?<address>|0\.0\.0\.0|\[::\]):(?<port>0)->\S{1,64}: bind: (?<errno>address already in use)/,
      call: 'bind',
      strategy: 'bind-any',
      version: 'a Dialer whose LocalAddr has no address',
      note: 'one pool of ports for all destinations; without LocalAddr there would be one for each destination',
    },
    {
      match: /\bdial tcp[46]? \S{0,64}:0->\S{1,64}: bind: (?<errno>address already in use)/,
      call: 'bind',
      strategy: 'bind',
      version: 'a Dialer with LocalAddr',
    },
    {
      match: /\bdial tcp[46]? \S{0,64}:(?<port>[1-9]\d{0,4})->\S{1,64}: bind: (?<errno>address already in use)/,
      call: 'bind',
      strategy: 'bind-explicit-port-exclusive',
      version: 'a Dialer whose LocalAddr has a port',
    },
    {
      match: /\bdial tcp[46]? \S+: bind: (?<errno>[a-z ]+)/,
      call: 'bind',
      strategy: 'bind',
      version: 'a Dialer with LocalAddr',
    },
    {
      match:
        /\bdial tcp[46]? (?:\S{1,64}->)?(?<address>\[[^\]]{1,64}\]|[^:\s]{1,256}):\d{1,5}: (?:connect: )?(?<errno>(?:cannot assign|can't assign) requested address|too many open files|connection refused|no route to host|network is unreachable)/,
      call: 'connect',
      strategy: 'connect',
      note: 'a response body that is not read to its end and closed keeps its connection from being reused',
    },
    { match: /\bdial tcp[46]? \S+: socket: (?<errno>too many open files)/, call: 'socket' },
  ],
};

/** Python: an OSError, and the line above it that says which call. */
export const PYTHON: Program = {
  name: 'Python',
  patterns: [
    {
      // A server has a port that is not 0.
      match: /while attempting to bind on address \('(?<address>[^']{0,64})', (?<port>0)\)/,
      call: 'bind',
      strategy: 'bind',
      version: 'asyncio or aiohttp with local_addr',
    },
    { match: /while attempting to bind on address \(/, call: 'listen' },
    {
      after: /NewConnectionError|ConnectTimeoutError|MaxRetryError|HTTPConnectionPool/,
      match: /\[Errno (?<errno>98|99|110|111|113|101)\]/,
      by: { bind: 'bind', connect: 'connect' },
      version: 'requests (urllib3); for EADDRINUSE with source_address',
    },
    {
      match: /\b(?:httpx|httpcore)\.ConnectError: \[Errno (?<errno>98)\]/,
      call: 'bind',
      strategy: 'bind',
      version: 'httpx with local_address',
    },
    {
      match: /\b(?:OSError|socket\.error|PermissionError)\b:? ?\[Errno (?<errno>98)\]/,
      near: /\.bind\((?:source_address|local_addr|sa|laddr)|create_connection/,
      call: 'bind',
      strategy: 'bind',
      version: 'create_connection with source_address',
    },
    {
      after: /(?:OSError|socket\.error|URLError|ConnectError|NewConnectionError|ClientConnectorError|RequestError)\b/,
      match: /\[Errno (?<errno>99|24|110|111|113|101)\]/,
      call: 'connect',
      strategy: 'connect',
    },
    { match: /\bOSError\((?<errno>99), /, call: 'connect', strategy: 'connect' },
    { match: /\bClientConnectorError\b/, by: { bind: 'bind', connect: 'connect' }, version: 'aiohttp' },
    {
      match: /\b(?:OSError|socket\.error|PermissionError): \[Errno (?<errno>98)\]/,
      near: /listen|server|serve/i,
      call: 'listen',
    },
    { match: /\bBlockingIOError: \[Errno (?<errno>11)\]/, near: /\.(?:sendto|connect)\(/, call: 'connect' },
    { match: /\bBlockingIOError: \[Errno (?<errno>11)\]/, cause: 'udp-ports-or-wait' },
    {
      match: /\b(?:OSError|socket\.error):? ?(?:\[Errno |\()(?<errno>98)\b/,
      cause: 'either',
      note: 'the traceback above it says whether it was a server or source_address',
    },
  ],
};

/** Java: BindException for both calls; the stack says which. */
export const JAVA: Program = {
  name: 'Java',
  patterns: [
    {
      match: /(?:BindException|SocketException): (?<errno>Address already in use|Cannot assign requested address)/,
      near: /ServerSocket|ServerBootstrap|Acceptor|\bListener\b/,
      call: 'listen',
    },
    {
      match:
        /(?:AnnotatedSocketException|BindException|NoRouteToHostException|ConnectException|SocketException): (?<errno>Cannot assign requested address)(?:: [^/\s]*\/(?<address>\S+?):\d+)?/,
      near: /Net\.(?:connect|pollConnect)|\.connect\(|AnnotatedSocketException/,
      call: 'connect',
      strategy: 'connect',
      note: 'Java calls it a BindException, and the call that failed is connect()',
    },
    {
      match: /\bNoRouteToHostException\b.{0,64}: (?<errno>Cannot assign requested address)/,
      call: 'connect',
      strategy: 'connect',
    },
    {
      // Both bind 0.0.0.0 before they connect or send.
      match: /BindException: (?<errno>Address already in use)/,
      near: /DatagramChannelImpl|DatagramSocket/,
      call: 'bind',
      protocol: 'udp',
      version: 'DatagramSocket and DatagramChannel, which bind the wildcard before they connect or send',
    },
    {
      match: /BindException: (?<errno>Address already in use)/,
      near: /Socket\.bind|Net\.bind|ClientBootstrap|\.bind\(/,
      call: 'bind',
      strategy: 'bind',
      version: 'a Socket that is bound to a local address before it connects',
      note: 'with setReuseAddress(true) the strategy is bind-reuseaddr',
    },
    { match: /BindException: (?<errno>Cannot assign requested address)/, near: /Net\.bind|\.bind\(/, call: 'bind' },
    {
      match: /BindException: (?:Address already in use|Cannot assign requested address)/,
      cause: 'either',
      note: 'Java uses BindException for bind() and connect() alike: the stack below it tells (Net.bind0, Net.connect0)',
    },
    { match: /SocketException: (?<errno>Too many open files)/, call: 'socket' },
  ],
};

/** Ruby: Errno::NAME before or behind the message, which names the call. TCPSocket sets SO_REUSEADDR, Net::HTTP does not. */
export const RUBY: Program = {
  name: 'Ruby',
  patterns: [
    {
      match: /Failed to open TCP connection to .{0,300}- bind\(2\) for "?(?<address>[^"\s)]+)/,
      call: 'bind',
      strategy: 'bind',
      version: 'Net::HTTP with local_host',
    },
    {
      after: /Errno::E[A-Z]+|- bind\(2\)/,
      match: /(?:bind\(2\))? for "?(?<address>[^"\s)]+)"?(?: port)?(?: (?<port>\d+))?(?: \(Errno::|$)/,
      without: /connect\(2\)/,
      call: 'bind',
      strategy: 'bind-reuseaddr',
      version: 'TCPSocket with a local host',
    },
    { match: /- connect\(2\) for "?(?<address>\[[^\]]+\]|[^"\s):]+)/, call: 'connect', strategy: 'connect' },
  ],
};

/** Perl's IO::Socket. */
export const PERL: Program = {
  name: 'Perl (IO::Socket)',
  patterns: [
    {
      match: new RegExp(`IO::Socket::\\w+: connect: (?<errno>${ERRNO_TEXT})`, 'i'),
      call: 'connect',
      strategy: 'connect',
    },
    {
      match: /IO::Socket::\w+: (?<errno>Address already in use)/,
      call: 'bind',
      strategy: 'bind',
      version: 'with LocalAddr',
    },
  ],
};
