/**
 * What people print with bpftrace, bpftool and ftrace: maps, and lines of their own around a call of the kernel and what it returned, which is an
 * errno with a minus sign, or the same as an unsigned number.
 */
import type { Program } from '../pattern.js';

const NOTE =
  'a tracer shows the errno and not how the port was chosen: bindstorm programs NAME says that of known programs, strace of any';

/** Functions and tracepoints by the call that they are part of: net/ipv4/af_inet.c, inet_connection_sock.c, inet_hashtables.c, tcp_ipv4.c. */
const BIND = '(?:sys_exit_bind|sys_bind|inet_bind|inet6_bind|inet_csk_get_port)(?:_sk)?';
const CONNECT =
  '(?:sys_exit_connect|sys_connect|tcp_v4_connect|tcp_v6_connect|inet_hash_connect|inet6_hash_connect|inet_stream_connect)';
const BETWEEN = String.raw`\b[^"\n]{0,100}?`;

/** The negative of 98 and 99 as 32 or 64 bits without a sign. */
const UNSIGNED = { 98: '(?:0xf{6}(?:f{8})?9e|18446744073709551518)', 99: '(?:0xf{6}(?:f{8})?9d|18446744073709551517)' };

const ERRNOS = [
  [98, 'EADDRINUSE'],
  [99, 'EADDRNOTAVAIL'],
] as const;

/** What stands between a call and what it returned, in lines of one's own. */
const SIGNS = [': ', '(): ', '() = ', '()=', ' = ', '=', ' -> ', '() -> ', ', ', '] ', ' rc=', ' err='];

/** `bind: -98`. Whole texts, by which a line is found. */
function saying(call: string, number: number): RegExp {
  const escaped = SIGNS.map((sign) => `${call}${sign}-${number}`.replace(/[()[\]]/g, '\\$&'));
  return new RegExp(`\\b(?:${escaped.join('|')})(?!\\d)`);
}

export const TRACERS: Program = {
  name: 'a tracer of the kernel',
  patterns: [
    { match: new RegExp(`${BIND}${BETWEEN}(?<errno>-9[89])(?!\\d)`), call: 'bind', note: NOTE },
    { match: new RegExp(`${CONNECT}${BETWEEN}(?<errno>-9[89])(?!\\d)`), call: 'connect', note: NOTE },
    {
      match: new RegExp(`${BIND}${BETWEEN}${UNSIGNED[98]}(?![\\da-f])`),
      call: 'bind',
      errno: 'EADDRINUSE',
      note: NOTE,
    },
    {
      match: new RegExp(`${BIND}${BETWEEN}${UNSIGNED[99]}(?![\\da-f])`),
      call: 'bind',
      errno: 'EADDRNOTAVAIL',
      note: NOTE,
    },
    {
      match: new RegExp(`${CONNECT}${BETWEEN}${UNSIGNED[99]}(?![\\da-f])`),
      call: 'connect',
      errno: 'EADDRNOTAVAIL',
      note: NOTE,
    },
    // A port of UDP is taken by bind(), or by connect() and sendto() where there was none.
    { match: /\budp_v[46]_get_port\b[^"\n]{0,100}?(?<errno>-98)(?!\d)/, call: 'bind', protocol: 'udp', note: NOTE },
    // A line of one's own that says what a call returned: `squid 4711 bind ret=-98`, `connect() by java returned -99`.
    {
      match:
        /\b(?<call>bind|connect)\b[^"\n]{0,80}?(?:returned -|retval=-|retval -|result=-|result -| ret=-| ret: -| ret -)(?<errno>9[89])(?!\d)/,
      note: NOTE,
    },
    ...ERRNOS.flatMap(([number, errno]) => [
      ...(['bind', 'connect'] as const).map((call) => ({ match: saying(call, number), call, errno, note: NOTE })),
      // Keys of a map with their count: `@[squid, 1234, -98]: 17`, `@bind_err[nginx, -99]: 5`.
      ...([['bind', 'bind'] as const, ['conn', 'connect'] as const] as const).map(([word, call]) => ({
        match: new RegExp(`^\\s{0,16}@\\w{0,40}${word}\\w{0,40}\\[[^\\]]{0,200}?-${number}\\]: \\d`),
        call,
        errno,
        note: NOTE,
      })),
      { match: new RegExp(`^\\s{0,16}@\\w{0,80}\\[[^\\]]{0,200}?-${number}\\]: \\d`), errno, note: NOTE },
      {
        match: new RegExp(`^\\s{0,16}@\\w{0,80}\\[[^\\]]{0,200}?-${number}, [^\\]]{0,80}\\]: \\d`),
        errno,
        note: NOTE,
      },
    ]),
    // The same of bpftrace -f json.
    { match: /"type": ?"map"[^\n]{0,300}?[",](?<errno>-9[89])[",]/, note: NOTE },
  ],
};
