import { type Program, tagged } from '../pattern.js';

const UNBOUND =
  'it goes on with the same socket: the connection leaves from another address than the one that was asked for, and works';

/**
 * Programs that say call and errno in common words, and how each gets its local port: measured with eight ports, one and two destinations, and
 * a trace of each (docs/programs.md).
 */
export const SURVEYED: readonly Program[] = [
  tagged('Tcl', /couldn't open socket: /, { bind: 'bind-reuseaddr', connect: 'connect' }),
  tagged('Apache httpd', /\b(?:AH00938|AH00956): /, { bind: 'bind' }, { version: 'ProxySourceAddress', note: UNBOUND }),
  tagged('Apache httpd', /\b(?:AH00939|AH00940|AH00957): /, { connect: 'connect' }),
  tagged(
    'ApacheBench (ab)',
    /^apr_socket_connect\(\):/,
    { connect: 'connect' },
    { note: '-r does not help: it ends after ten' },
  ),
  tagged(
    'aria2',
    /\[SocketCore\.cc:\d+\].*Failed to find given interface/,
    {},
    {
      call: 'bind',
      cause: 'either',
      note: 'aria2 says so of an address that is not here and of one without a free port alike',
    },
  ),
  tagged('aria2', /\[SocketCore\.cc:\d+\]/, { bind: 'bind-reuseaddr', connect: 'connect' }),
  {
    name: 'BIND (named)',
    patterns: [
      {
        match: /\baddress not available resolving '/,
        call: 'connect',
        cause: 'after-refused-bind',
        strategy: 'bind-any-reuseaddr',
        version: '9.18 or older over TCP; 9.20 sets IP_BIND_ADDRESS_NO_PORT',
        note: 'it does not log the refused bind(); without query-source it binds 0.0.0.0, so all servers share one pool of ports',
      },
    ],
  },
  tagged(
    'dig',
    /^;; (?:Connection to|communications error to).*address not available/,
    { connect: 'bind-any-reuseaddr' },
    { cause: 'after-refused-bind', version: '9.18 or older' },
  ),
  tagged(
    'dnsdist',
    /\bdownstream server \S+ failed: connecting to/,
    { connect: 'bind-no-port-reuseaddr' },
    { version: 'with source; without it, the strategy is connect' },
  ),
  tagged(
    'Exim',
    /\bH=\S+ \[[\d.a-f:]+\](?::\d+)? (?:Address already|Cannot assign)/,
    { bind: 'bind', connect: 'connect' },
    {
      version: 'for EADDRINUSE with interface',
      note: 'it writes the failure into its retry database against the remote host: mail to it waits (15 minutes by default) also when ports are free again',
    },
  ),
  { name: 'Exim', patterns: [{ match: /retry time not reached for any host/, cause: 'marked-down-by-itself' }] },
  tagged('httperf', /^httperf: /, { connect: 'connect' }, { note: 'its counter addrunavail stays 0: look at other' }),
  tagged('httping', /\bproblem connecting to host:|\berror binding to interface \(/, {
    bind: 'bind-reuseaddr',
    connect: 'connect',
  }),
  tagged('iperf3', /\biperf3: error - /, { bind: 'bind', connect: 'connect' }, { version: 'for EADDRINUSE with -B' }),
  tagged('iperf 2', /^tcp connect failed:/, { connect: 'connect' }),
  tagged(
    'kdig',
    /;; WARNING: can't assign address/,
    {},
    { call: 'bind', errno: 'EADDRINUSE', strategy: 'bind', version: '-b' },
  ),
  tagged('kdig', /;; WARNING: can't send query to \S+\(UDP\)/, {}, { call: 'send', errno: 'EAGAIN', protocol: 'udp' }),
  tagged('ldns (drill)', /\bGeneral LDNS error\b/, {}, { cause: 'either', note: 'it does not name the errno' }),
  tagged(
    'OpenLDAP client',
    /\bCan't contact LDAP server \(-1\)/,
    {},
    { cause: 'either', note: 'it does not name the errno: a refused connection looks the same' },
  ),
  tagged(
    'lftp',
    /^\*\*\*\* (?:bind|connect)\b/,
    { bind: 'bind', connect: 'connect' },
    { note: `for bind(): ${UNBOUND}` },
  ),
  tagged(
    'lighttpd',
    /\((?:gw_backend|mod_proxy)\.c[.:]\d+\)/,
    { connect: 'connect' },
    {
      note: 'after one failure its handlers count as down for a moment, and further requests fail without a connect()',
    },
  ),
  tagged('MariaDB or MySQL client', /ERROR 200[23] \(HY000\)/, { connect: 'connect' }),
  tagged('mitmproxy', /\berror establishing server connection:/, { connect: 'connect' }),
  tagged('msmtp', /^msmtp: /, { bind: 'bind', connect: 'connect' }),
  tagged('Ncat', /\blibnsock \w+\(\): Bind to/, { bind: 'bind-reuseaddr' }, { version: '-s', note: UNBOUND }),
  tagged('Ncat', /^Ncat: /, { bind: 'bind-reuseaddr', connect: 'connect' }),
  tagged(
    'OpenVPN',
    /\bTCP\/UDP: Socket bind failed\b|\bTCP: connect to \[AF_INET/,
    { bind: 'bind-reuseaddr', connect: 'connect' },
    { note: 'tcp-client binds only with --local or --lport' },
  ),
  {
    name: 'pen',
    patterns: [
      {
        match: /\bServer \d+ failed, retry in \d+ sec: (?<errno>\d+)$/,
        call: 'connect',
        strategy: 'connect',
        note: 'it leaves that server out for 30 s, also when ports are free again',
      },
    ],
  },
  tagged(
    'Perl (LWP)',
    /\b500 Can't connect to \S+ \(/,
    { bind: 'bind', connect: 'connect' },
    { version: 'for EADDRINUSE with local_address' },
  ),
  tagged(
    'PHP',
    /\bstream_socket_client\(\)|\bfsockopen\(\)|\bfile_get_contents\(|\bSQLSTATE\[HY000\]|\bRedisException\b/,
    { bind: 'bind-explicit-port-exclusive', connect: 'connect' },
    { version: 'with bindto it sets IP_BIND_ADDRESS_NO_PORT' },
  ),
  tagged('Postfix', /\bsmtp_connect_addr: bind /, { bind: 'bind' }, { version: 'smtp_bind_address', note: UNBOUND }),
  tagged('Postfix', /\bpostfix\/\w+\[\d+\]: .{0,200}connect to /, { connect: 'connect' }),
  tagged('Privoxy', / Connect: Could not connect to \[/, { connect: 'connect' }),
  tagged('Redis or Valkey client', /\bCould not connect to (?:Redis|Valkey) at\b|\bError \d+ connecting to \S+:\d+\./, {
    connect: 'connect',
  }),
  tagged('rinetd', /\brinetd error: /, { bind: 'bind', connect: 'connect' }, { note: `for bind(): ${UNBOUND}` }),
  tagged('rsync', /\brsync: /, { bind: 'bind', connect: 'connect' }),
  tagged('simpleproxy', /\bsimpleproxy\[\d+\]:/, { connect: 'connect' }),
  tagged('sniproxy', /\bFailed to open connection to \S+: /, { connect: 'connect' }),
  tagged(
    'socat',
    /\bsocat\[\d+\] [EWN] /,
    { bind: 'bind', connect: 'connect' },
    { note: 'with reuseaddr the strategy is bind-reuseaddr' },
  ),
  tagged('sslh', /\bforward to \S+ failed:/, { connect: 'connect' }),
  tagged('stunnel', /\bLOG\d\[\d+\]: (?:bind \(ephemeral port\)|s_connect: connect)/, {
    bind: 'bind',
    connect: 'connect',
  }),
  tagged('tnftp', /\b(?:tn)?ftp: Can't (?:bind|connect) to `/, { bind: 'bind', connect: 'connect' }),
  tagged('twemproxy', /^-ERR /, { connect: 'connect' }, { note: 'this is the answer to its client, not its log' }),
  {
    name: 'Varnish',
    patterns: [
      {
        match: /\bFetchError\b.{0,200}: fail errno (?<errno>[1-9]\d*)/,
        call: 'connect',
        strategy: 'connect',
        note: 'after one such failure it does not try that backend for a while and logs each further fetch as “fail errno 0 (Success)”',
      },
      { match: /\bFetchError\b.{0,200}: fail errno 0 \(Success\)/, cause: 'marked-down-by-itself' },
    ],
  },
  tagged(
    'Wget2',
    /^Failed to bind \((?:hostname=|\d)/,
    { bind: 'bind-reuseaddr' },
    { note: '2.2.0 then exits with 0, with nothing downloaded' },
  ),
  tagged(
    'Wget2',
    /^Failed to write \d+ bytes \(/,
    { connect: 'connect' },
    { note: 'it connects by sendto() with MSG_FASTOPEN' },
  ),
  tagged(
    'shadowsocks-libev',
    /\bbind_to_addr:/,
    { bind: 'bind-reuseaddr' },
    { note: 'it sets SO_REUSEADDR, so ip_autobind_reuse=1 acts (Linux 5.7)' },
  ),
  tagged(
    'Erlang/OTP',
    /\beaddrinuse\b/,
    { bind: 'bind-any' },
    { after: /connect/, version: 'before OTP 24, which binds 0.0.0.0:0 first; or {ip, …}, which is bind' },
  ),
  tagged('Erlang/OTP', /(?<!E)\beaddr(?:inuse|notavail)\b/, { connect: 'connect' }),
  tagged(
    '.NET',
    /\bSystem\.Net\.(?:Sockets\.SocketException|Http\.HttpRequestException)|\bSocketException \(\d+\)/,
    { bind: 'bind', connect: 'connect' },
    { near: /ConnectAsync|ConnectHelper|\.Connect\(|SocketConnect/ },
  ),
  tagged('.NET', /\bSystem\.Net\.Sockets\.SocketException\b/, {}),
  tagged('Rust', /\btcp bind local error:/, { bind: 'bind' }, { version: 'hyper or reqwest with local_address' }),
  tagged('Rust', /\(os error \d+\)|\bkind: Addr(?:InUse|NotAvailable)\b|\btcp connect error:/, { connect: 'connect' }),
  tagged('Bun', /\bEADDRNOTAVAIL: Was there a typo in the url or port\?/, { connect: 'connect' }),
  {
    name: 'curl (HTTP/3)',
    patterns: [
      {
        match: /\bERR_HANDSHAKE_TIMEOUT\b/,
        cause: 'udp-answer',
        note: 'with --http3 curl falls back to TCP in silence',
      },
    ],
  },
  {
    name: 'the resolver',
    patterns: [
      {
        match: /\bEAI_AGAIN\b|\bTemporary failure in name resolution\b|\bgetaddrinfo: Try again\b/,
        cause: 'name-lookup',
      },
    ],
  },
  {
    name: 'unbound',
    patterns: [
      {
        match: /\bfailed to find an open port, drop msg\b/,
        protocol: 'udp',
        cause: 'own-udp-port-list',
        strategy: 'bind-explicit-port-exclusive',
        note: 'it has tried five times for that query, each with such a line, and then answers SERVFAIL; the profile resolver-ports shows it and what helps',
      },
      // Of its statistics in the log, and of unbound-control stats; what is zero says nothing.
      { match: /\brequestlist\b.*\bexceeded[ =][1-9]/, protocol: 'udp', cause: 'waiting-queries' },
    ],
  },
  {
    name: 'coturn',
    patterns: [
      {
        match: /\berror 508: Cannot create socket\b/,
        protocol: 'udp',
        cause: 'own-udp-port-list',
        strategy: 'bind-explicit-port-exclusive',
        note: 'a relay keeps its port for 10 minutes, if its client does not end it',
      },
    ],
  },
  { name: 'Cilium', patterns: [{ match: /\bNo mapping for NAT masquerade\b/, cause: 'nat-ports' }] },
  {
    name: 'Google Cloud NAT',
    patterns: [
      {
        match: /\ballocation_?[sS]tatus\W{1,4}DROPPED\b|\bnat\/dropped_sent_packets_count\b/,
        cause: 'nat-ports',
      },
    ],
  },
  {
    name: 'conntrack -S',
    // found=…, invalid=… of one CPU; what is zero says nothing.
    patterns: [{ match: /\bcpu=\d+\s.*\binsert_failed=[1-9]/, cause: 'nat-ports' }],
  },
  {
    name: 'a connection that came late',
    patterns: [
      {
        // By the time of a later SYN: 1, 2, 3, 4, 5, 7, 11, 15, 19 s and some milliseconds.
        match:
          /\b(?:time_connect|connect(?:ed|ion)?(?: [\w.:]+){0,3} (?:after|in|took))\W{1,3}(?:[123457]|1[159])\.0\d{1,5}\s?(?:s\b|sec|$)/i,
        cause: 'late-syn',
      },
      {
        // As people tell it: by the first retransmission, and the second of before 6.5.
        match:
          /\b(?:works?|worked|succeeds?|succeeded) on (?:a |the )?retry\b.{0,20}\b[13] ?s(?:ec(?:onds?)?)?\b|\b(?:additional|extra|exactly) [13] ?s(?:ec(?:onds?)?)? (?:of )?(?:latency|delay)\b/i,
        cause: 'late-syn',
      },
    ],
  },
  { name: 'AWS NAT gateway', patterns: [{ match: /\bErrorPortAllocation\b/, cause: 'nat-ports' }] },
  {
    name: 'Azure',
    patterns: [{ match: /\bSNAT port(?:s)? exhaust|\bSnatConnectionCount\b|\bSNAT exhaustion\b/i, cause: 'nat-ports' }],
  },
];
