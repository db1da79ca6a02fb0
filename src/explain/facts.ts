/**
 * What a line says by itself, whatever program wrote it: an errno, the call nearest to it, protocol, addresses, and the system whose words
 * they are. Pure.
 */
import { type Errno, type Mention, mentionsOf, type System } from './errno.js';

export type Call = 'bind' | 'connect' | 'send' | 'socket' | 'accept' | 'listen' | 'none';

/** An address in a line; port null: none is said. */
export interface Endpoint {
  readonly address: string;
  readonly port: number | null;
}

export interface Facts {
  readonly errno: Errno;
  /** null: the words are those of every system. */
  readonly system: System | null;
  /** `none`: no call is named. */
  readonly call: Call;
  readonly protocol: 'tcp' | 'udp' | 'sctp' | 'unix' | null;
  readonly local: Endpoint | null;
  readonly remote: Endpoint | null;
  /** Where errno and call stand in the line: [from, to[. */
  readonly evidence: readonly (readonly [number, number])[];
}

interface Word {
  readonly call: Call;
  /** How little it says: 0 for the name of a call; any connection may have failed; a socket is hardly a call. */
  readonly weight: number;
  readonly from: number;
  readonly to: number;
}

/** Words that name a call, also inside of identifiers: apr_socket_connect, commBind, ConnectAsync. */
const CALL =
  /(?<!-|re|un|un-|IP_)(bind)(?!Exception|_address_no_port|storm|snoop)(?:ing)?|((?<!dis)connect(?!ions?\b|ion[A-Z_ ]))(?:ing)?|\b(dial)\b|NoRoute(ToHost)|\b(listen)(?:ing|er)?\b|(ServerSocket)|\b(sendto|sendmsg|sendmmsg)\b|(accept)(?=[4(_ ]|\b)|(connection|socket|open)/gi;
const CALLS = ['bind', 'connect', 'connect', 'connect', 'listen', 'listen', 'send', 'accept', null] as const;

/** Most characters between an errno and the call that it is read with. */
const REACH = 400;

function wordsOf(line: string): Word[] {
  return [...line.matchAll(CALL)].flatMap((match) => {
    // The method of HTTP.
    if (match[0] === 'CONNECT') return [];
    const group = match.slice(1).findIndex((text) => text !== undefined);
    const socket = /^socket/i.test(match[0]);
    return {
      call: CALLS[group] ?? (socket ? 'socket' : 'connect'),
      weight: CALLS[group] ? 0 : socket ? 2 : 1,
      from: match.index,
      to: match.index + match[0].length,
    };
  });
}

const HOST = String.raw`(?:\[[\da-f:.%\w]{2,48}\]|\d{1,3}(?:\.\d{1,3}){3}|\*|localhost|(?<![\w:])(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}(?![\w:]))`;
const ENDPOINT = new RegExp(
  `(${HOST})(?:[:#](\\d{1,5})\\b|'?, (\\d{1,5})\\b|"? ?(?:, ?)?port[ =:]{1,2}(\\d{1,5})\\b)?`,
  'gi',
);

/** Whether an address is that of no interface: any of the host. */
export function isWildcard(address: string): boolean {
  return /^(?:0\.0\.0\.0|::|\*)$/.test(address);
}

interface Placed extends Endpoint {
  readonly from: number;
  readonly to: number;
}

function endpointsOf(line: string): Placed[] {
  return [...line.matchAll(ENDPOINT)].map((match) => {
    const port = match[2] ?? match[3] ?? match[4];
    return {
      address: match[1]!.replace(/^\[|\]$/g, '').toLowerCase(),
      port: port === undefined || Number(port) > 65_535 ? null : Number(port),
      from: match.index,
      to: match.index + match[0].length,
    };
  });
}

/** Which of the addresses is the program's own, and which the other end's. */
function placesOf(
  line: string,
  call: Call,
  word: Word | undefined,
): { local: Endpoint | null; remote: Endpoint | null } {
  const ends = endpointsOf(line);
  // Go's form, whose local address may be nothing but a port.
  const arrow = /(\S{0,64}?):(\d{1,5})->(\S{1,64}?)(?::\d{1,5})?(?=[:\s]|$)/.exec(line);
  if (arrow)
    return {
      local: { address: arrow[1]!.replace(/^\[|\]$/g, '') || '0.0.0.0', port: Number(arrow[2]) },
      remote: { address: arrow[3]!.replace(/^\[|\]$/g, ''), port: null },
    };
  const own = ends.find(({ from }) =>
    /(?:local(?: address)?|source(?: ip| address)?|laddr|\bfrom|-b)[ :=(]{0,3}(?:\[AF_INET6?\])?$/i.test(
      line.slice(Math.max(0, from - 24), from),
    ),
  );
  const others = ends.filter((end) => end !== own);
  if (call === 'bind') {
    const after = word && ends.find(({ from }) => from >= word.to && from - word.to < 48);
    const local = own ?? after ?? null;
    return {
      local,
      remote:
        ends.find(
          (end) =>
            end !== local && end.port !== null && /(?:to|host|connect\w*)\W{0,3}$/i.test(line.slice(0, end.from)),
        ) ?? null,
    };
  }
  const towards = others.find(({ from }) =>
    /(?:\bto|address:|host|server|connect\w*(?:\(\d+, )?)\W{0,4}(?:AF=\d+ |\[AF_INET6?\])?$/i.test(
      line.slice(Math.max(0, from - 32), from),
    ),
  );
  return {
    local: own ?? null,
    remote:
      towards ??
      (call === 'connect' || call === 'send' ? (others.findLast(({ address }) => !isWildcard(address)) ?? null) : null),
  };
}

/** The errno that decides: of those that speak of addresses the first, else the first. */
function deciding(mentions: readonly Mention[]): Mention | undefined {
  return mentions.find(({ errno }) => errno === 'EADDRINUSE' || errno === 'EADDRNOTAVAIL') ?? mentions[0];
}

/** @returns null where no errno is named */
export function factsOf(line: string): Facts | null {
  const mentions = mentionsOf(line);
  const errno = deciding(mentions);
  if (!errno) return null;
  const gap = ({ from, to }: Word) => Math.max(from - errno.to, errno.from - to, 0);
  const near = wordsOf(line)
    // A word of the errno's own text is no call: connection refused, each socket address.
    .filter((word) => gap(word) < REACH && !mentions.some(({ from, to }) => from <= word.from && word.to <= to))
    .sort((a, b) => a.weight - b.weight || gap(a) - gap(b));
  // socket() never gives an errno of addresses: the word is that of a class, as .NET's SocketException.
  const word = near.find(({ call }) => call !== 'socket' || !/^EADDR/.test(errno.errno));
  const call = word?.call ?? 'none';
  const same = mentions.filter((mention) => mention.errno === errno.errno);
  return {
    errno: errno.errno,
    system: same.find(({ system }) => system === 'windows' || system === 'bsd')?.system ?? systemOf(line, same),
    call,
    protocol: protocolOf(line),
    ...placesOf(line, call, word),
    evidence: word
      ? [
          [errno.from, errno.to],
          [word.from, word.to],
        ]
      : [[errno.from, errno.to]],
  };
}

function systemOf(line: string, mentions: readonly Mention[]): System | null {
  if (/\bconnectex\b|\bWin(?:Error|sock)|errno: -40\d\d\b/i.test(line)) return 'windows';
  return mentions.some(({ system }) => system === 'linux') ? 'linux' : null;
}

function protocolOf(line: string): Facts['protocol'] {
  if (/\bunix:|AF_UNIX|\.sock\b/.test(line)) return 'unix';
  if (/\bTCP\/UDP\b/i.test(line)) return null;
  if (/\b(?:udp[46]?|dgram|datagram|quic|sendto|sendmsg|h3|http3)\b/i.test(line)) return 'udp';
  if (/\bsctp\b/i.test(line)) return 'sctp';
  return /\btcp[46]?\b/i.test(line) ? 'tcp' : null;
}
