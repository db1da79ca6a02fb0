/**
 * Output of strace(1) in any of its forms: with pids, times, instruction pointers, call numbers, paths of descriptors, numbers instead of
 * names, and whatever a log has put before it. Pure.
 */
import { errnoOf } from '../errno.js';
import type { Endpoint } from '../facts.js';
import { type CallEvent, optionOf } from './event.js';

// None of them may take the square of a line's length: bounded where two parts could share the same text, and no `\s*` before a text that is sought.
const PREFIX = String.raw`^([^("']{0,160}?)(?<![\w.-])`;
const CALLS = 'socket|setsockopt|bind|connect|listen|accept4?|close|sendto|sendmsg|sendmmsg';
const RESULT = String.raw`\)\s{1,64}=\s{1,8}(-?\d+)(?:<[^>]{0,128}>)?(?:\s{1,8}(E[A-Z]+|\(errno (\d{1,5})\)))?`;
const COMPLETE = new RegExp(`${PREFIX}(${CALLS})\\((.*)${RESULT}`);
const UNFINISHED = new RegExp(`${PREFIX}(${CALLS})\\((.*)<unfinished \\.\\.\\.>`);
const RESUMED = new RegExp(`${PREFIX}<\\.\\.\\. (${CALLS}) resumed>(.*)${RESULT}`);
/** Lines that are part of a trace and say nothing here. */
const OTHER =
  /^[^("']{0,160}?(?<![\w.-])(?:[a-z_0-9]{1,64}\(.*(?:=\s{1,8}(?:-?\d+|\?|0x[0-9a-f]+)|<unfinished \.\.\.>)|<\.\.\. \w+ resumed>|\+\+\+ .*\+\+\+|--- SIG.*---|strace: )/;

/** A line of a trace ends the result of a call with one of these, or tells of a signal, an exit, or strace itself; bindsnoop fills a column. */
export const TRACE_NEEDLES = [
  ' = ',
  '<unfinished ...>',
  ' resumed>',
  '+++ ',
  '--- sig',
  'strace: ',
  'tcp  ',
  'udp  ',
] as const;

const UNKNOWN: Endpoint = { address: '', port: null };

/** Calls that were begun and are remembered: more than a program has threads, and less than a hostile file could name. */
const MOST_PENDING = 1024;

/** Reads the lines of strace in their order. */
export interface StraceReader {
  /** @returns the call of a line; `part`: it belongs to a trace and says nothing yet; null: it is no line of strace */
  read(line: string): CallEvent | 'part' | null;
}

/** A reader that has read nothing. */
export function createStraceReader(): StraceReader {
  const pending = new Map<string, string>();
  return {
    read(line) {
      const unfinished = UNFINISHED.exec(line);
      if (unfinished) {
        const [, prefix, name, args] = unfinished;
        // A copy: a part of a line keeps all of the text that the line was read with.
        pending.set(`${pidOf(prefix!)} ${name}`, Buffer.from(args!.trimEnd().replace(/,$/, '')).toString());
        if (pending.size > MOST_PENDING) pending.delete(pending.keys().next().value!);
        return 'part';
      }
      const resumed = RESUMED.exec(line);
      const match = resumed ?? COMPLETE.exec(line);
      if (!match) return OTHER.test(line) ? 'part' : null;
      const [, prefix, name, rest, result, errno, number] = match;
      const pid = pidOf(prefix!);
      let args = rest!;
      if (resumed) {
        const before = pending.get(`${pid} ${name}`);
        pending.delete(`${pid} ${name}`);
        const after = args.trimStart().replace(/^,/, '').trimStart();
        args = before === undefined ? after : after === '' ? before : `${before}, ${after}`;
      }
      return eventOf(pid, name!, args, Number(result), number ?? errno ?? null);
    },
  };
}

/** The pid before a call: `[pid 12]`, `[pid 12<name>]`, or a number at the beginning that is no time. */
function pidOf(prefix: string): string {
  const match = /\[pid\s{1,8}(\d{1,10})(?:<[^>]{0,64}>)?\]|^(\d{1,10})(?:<[^>]{0,64}>)?\s/.exec(prefix);
  return match?.[1] ?? match?.[2] ?? '';
}

/** @param said the errno as the trace has it; what returns the kernel's own number, as -98, names none */
function eventOf(pid: string, name: string, args: string, result: number, said: string | null): CallEvent {
  const errno = said ?? (result < -1 ? String(-result) : null);
  const plain = name.startsWith('accept') ? 'accept' : name.startsWith('send') ? 'send' : (name as CallEvent['name']);
  const event = {
    pid,
    name: plain,
    syscall: name,
    fd: plain === 'socket' ? result : Number.parseInt(args, 10),
    result,
    errno: errno === null ? null : (errnoOf(errno) ?? null),
    refusal: errno,
    underWay: errno === 'EINPROGRESS' || errno === '115',
  };
  if (plain === 'socket') return { ...event, protocol: protocolOf(args) };
  if (plain === 'setsockopt') {
    const [, level, option, value] = args.split(/, /);
    const bare = (text = '') => text.replace(/ ?\/\*.*?\*\//, '');
    const set = result === 0 && value !== '[0]';
    return {
      ...event,
      option: set ? optionOf(bare(level), /\b[A-Z]+_[A-Z_]+\b/.exec(option ?? '')?.[0] ?? bare(option)) : null,
    };
  }
  if (plain === 'send') return { ...event, to: addressOf(args), opens: /MSG_FASTOPEN|0x20000000/.test(args) };
  if (plain !== 'bind' && plain !== 'connect') return event;
  // A line of one's own may show no address, which is then not known.
  return { ...event, to: addressOf(args) ?? (args.trim() === '' && said === null ? UNKNOWN : null) };
}

function protocolOf(args: string): 'tcp' | 'udp' | 'sctp' | null {
  if (!/^(?:AF_INET6?\b|0x(?:2|a)\b|(?:2|10),)/.test(args)) return null;
  const [, type = '', protocol = ''] = args.split(', ');
  if (/IPPROTO_SCTP|^(?:132|0x84)\b/.test(protocol)) return 'sctp';
  if (/SOCK_DGRAM|^(?:0x)?2\b/.test(type)) return 'udp';
  return /SOCK_STREAM|^(?:0x)?1\b/.test(type) ? 'tcp' : null;
}

function addressOf(args: string): Endpoint | null {
  if (!/sa_family=(?:AF_INET6?\b|0x(?:2|a)\b)/.test(args)) return null;
  const port = /htons\((\d+)\)/.exec(args)?.[1];
  const raw = /sin6?_port="((?:\\x[0-9a-f]{2}){2})"/.exec(args)?.[1];
  if (port === undefined && raw === undefined) return null;
  // An address that was cut from a report is an empty text.
  const address =
    /(?:inet_addr\(|inet_pton\(AF_INET6, )"([^"]{0,64})"/.exec(args)?.[1] ??
    /sin6?_addr="((?:\\x[0-9a-f]{2}){4,16})"/.exec(args)?.[1]?.split('\\x').slice(1);
  return {
    address: (typeof address === 'object' ? textOf(address) : (address ?? '')).replace(/^::ffff:(?=\d+\.)/, ''),
    port: port === undefined ? Number.parseInt(raw!.replaceAll('\\x', ''), 16) : Number(port),
  };
}

/** The text of an address that is given as bytes. */
function textOf(bytes: readonly string[]): string {
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const words = Array.from({ length: 8 }, (_, i) => `${bytes[2 * i]}${bytes[2 * i + 1]}`.replace(/^0+(?=.)/, ''));
  const text = words.join(':');
  return text === '0:0:0:0:0:0:0:0' ? '::' : text === '0:0:0:0:0:0:0:1' ? '::1' : text;
}
