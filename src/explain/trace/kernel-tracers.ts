/**
 * Output of tracers that look from inside the kernel: perf-trace(1), and bindsnoop of bcc and of libbpf-tools. Pure.
 */
import { errnoOf } from '../errno.js';
import { type CallEvent, optionOf } from './event.js';

/** `0.849 ( 0.021 ms): python3/7230 bind(fd: 3, umyaddr: { .family: INET, port: 0, addr: 10.9.0.1 }, addrlen: 16) = 0` */
const PERF =
  /^\s{0,16}[\d.]{1,20} \(\s{0,12}[\d.]{1,16} ms\): [^(]{1,64}?\/(\d{1,10}) (socket|setsockopt|bind|connect|listen|accept4?|close|sendto)\((.*)\)\s{1,80}= (-?\d+)(?: (E[A-Z]+))?/;

/** @returns the call of a line of perf-trace(1); null: it is none */
export function perfEvent(line: string): CallEvent | null {
  const match = PERF.exec(line);
  if (!match) return null;
  const [, pid, name, args, result, errno] = match;
  const value = (field: string) => new RegExp(`\\b${field}: ([\\w.:|]{1,64})`).exec(args!)?.[1];
  const event = {
    pid: pid!,
    name: (name === 'sendto' ? 'send' : name === 'accept4' ? 'accept' : name) as CallEvent['name'],
    syscall: name!,
    fd: name === 'socket' ? Number(result) : Number(value('fd')),
    result: Number(result),
    errno: errno === undefined ? null : (errnoOf(errno) ?? null),
    refusal: errno ?? null,
    underWay: errno === 'EINPROGRESS',
  };
  if (name === 'socket') {
    const type = value('type') ?? '';
    const inet = /^INET6?$/.test(value('family') ?? '');
    return { ...event, protocol: !inet ? null : /DGRAM/.test(type) ? 'udp' : /STREAM/.test(type) ? 'tcp' : null };
  }
  if (name === 'setsockopt')
    return { ...event, option: event.result === 0 ? optionOf(value('level') ?? '', value('optname') ?? '') : null };
  // An older perf shows nothing but a pointer: the address is not known, but the call is.
  const family = value('family');
  const port = value('port');
  const to =
    family !== undefined && !/^INET6?$/.test(family)
      ? null
      : { address: value('addr') ?? '', port: port === undefined ? null : Number(port) };
  return { ...event, to, opens: /FASTOPEN/.test(args!) };
}

/** Letters of bindsnoop: IP_FREEBIND, IP_TRANSPARENT, IP_BIND_ADDRESS_NO_PORT, SO_REUSEADDR, SO_REUSEPORT. */
const OPTIONS = /(?<![\w.])[F.][T.]([N.])([R.])([r.])(?![\w.])/;

/**
 * The calls of a line of bindsnoop: socket(), its options, and bind(). The port that it shows is the one that bind() gave, so it does not
 * tell whether the program named it.
 * @returns [] where it is none
 */
export function bindsnoopEvents(line: string): readonly CallEvent[] {
  const options = OPTIONS.exec(line);
  const head =
    /^\s{0,16}(?:[\d.:]{1,20}\s{1,16})?(?:\d{1,10}\s{1,16})?(\d{1,10}) (.{1,20}?)\s(?:\s{0,16}(-?\d{1,4})\s{1,8})?\s{0,16}(TCP|UDP)(?:v?6)?\s/.exec(
      line,
    );
  if (!options || !head) return [];
  const [, pid, , ret = '0', protocol] = head;
  const address =
    /(?<=\s)(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{0,4}(?::[\da-f]{0,4}){2,7})(?=\s|$)/i.exec(line)?.[0] ?? '';
  const base = { pid: pid!, syscall: 'bind', fd: 0, result: 0, errno: null, refusal: null, underWay: false };
  const set = (['IP_BIND_ADDRESS_NO_PORT', 'SO_REUSEADDR', 'SO_REUSEPORT'] as const).filter(
    (_, i) => options[i + 1] !== '.',
  );
  return [
    { ...base, name: 'socket', protocol: protocol === 'UDP' ? 'udp' : 'tcp' },
    ...set.map((option) => ({ ...base, name: 'setsockopt' as const, option })),
    {
      ...base,
      name: 'bind',
      result: Number(ret),
      errno: Number(ret) < 0 ? (errnoOf(ret) ?? null) : null,
      to: { address, port: Number(ret) < 0 ? 0 : null },
    },
  ];
}
