/**
 * The form of a sysctl's name and value: what may be written into a file under /proc/sys at all. Pure.
 */
import { parsePortRange, quote, UnitError } from '../profile/units.js';

export interface Sysctl {
  readonly name: string;
  /** As sysctl(8) writes it; several numbers are separated by one space. */
  readonly value: string;
}

const MAX_NAME = 128;
const MAX_VALUE = 1024;

/** `eth0`, `veth-1`, and `eth0/100` for the interface eth0.100, as sysctl(8) writes it. */
const INTERFACE = '[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*';
const WORD = '[a-z0-9_-]+';
const NAME = new RegExp(
  `^(?:net\\.ipv[46]\\.(?:conf|neigh)\\.${INTERFACE}\\.${WORD}|(?:net|vm|fs|kernel)(?:\\.${WORD})+)$`,
);

const NUMBERS = /^-?\d{1,20}(?: -?\d{1,20}){0,15}$/;
const ALGORITHM = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;
const PORTS = /^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*$/;

/**
 * Check the form of a sysctl. Whether the key exists, and where it may be set, is `judgeSysctl`'s to say.
 * @param name dotted lower-case words below net, vm, fs or kernel. A dot in an interface's name is written `/`, as in
 *   `net.ipv4.conf.eth0/100.rp_filter`; a path with slashes is refused.
 * @param value numbers separated by spaces or tabs, one word (`cubic`), or a port list (`8080,9000-9100`); empty only for
 *   `net.ipv4.ip_local_reserved_ports`
 * @returns the sysctl, or a sentence that says what was found and what is allowed
 */
export function parseSysctl(name: string, value: string | number): Sysctl | string {
  if (name.length > MAX_NAME)
    return `found a sysctl name of ${name.length} characters; at most ${MAX_NAME} are allowed`;
  if (!NAME.test(name)) return `found the sysctl name ${quote(name)}; ${nameHint(name)}`;
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    return `found ${value} for ${name}; a number must be a whole one`;
  const raw = String(value);
  if (raw.length > MAX_VALUE)
    return `the value of ${name} has ${raw.length} characters; at most ${MAX_VALUE} are allowed`;
  const text = raw.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '');
  const problem = valueProblem(name, text);
  return problem === undefined ? { name, value: text } : `found ${quote(raw)} for ${name}; ${problem}`;
}

/**
 * The file of a sysctl below /proc/sys, as `net/ipv4/conf/eth0.100/rp_filter`. Only for names that parseSysctl accepts:
 * those cannot leave /proc/sys, since no part of them is empty or made of dots.
 */
export function sysctlPath(name: string): string {
  return name.replace(/[./]/g, (separator) => (separator === '.' ? '/' : '.'));
}

/** The ports of `ip_local_reserved_ports`, as inclusive ranges. Texts that parseSysctl refuses give none. */
export function reservedRanges(value: string): { low: number; high: number }[] {
  if (!PORTS.test(value)) return [];
  return value.split(',').map((part) => {
    const [low, high] = part.split('-').map(Number);
    return { low: low!, high: high ?? low! };
  });
}

function nameHint(name: string): string {
  const dotted = /^\/?(?:proc\/sys\/)?(net|vm|fs|kernel)\/[a-z0-9_/-]+$/.test(name);
  if (dotted) return `write it with dots, as ${name.replace(/^\/?(?:proc\/sys\/)?/, '').replaceAll('/', '.')}`;
  return 'a name is lower-case words and dots that begins with net., vm., fs. or kernel., as net.ipv4.ip_local_port_range';
}

function valueProblem(name: string, value: string): string | undefined {
  if (name === 'net.ipv4.ip_local_port_range') {
    return isPortRange(value) ? undefined : 'expected two ports from 1 to 65535 and a space, low first, as 1024 65535';
  }
  if (name === 'net.ipv4.ip_local_reserved_ports') {
    return value === '' || isPortList(value)
      ? undefined
      : 'expected ports and ranges from 1 to 65535 with commas and no spaces, as 8080,9000-9100';
  }
  if (NUMBERS.test(value) || ALGORITHM.test(value) || isPortList(value)) return undefined;
  return 'expected numbers separated by spaces, one word, or a list as 8080,9000-9100';
}

function isPortRange(value: string): boolean {
  if (!/^\d+ \d+$/.test(value)) return false;
  try {
    parsePortRange(value);
    return true;
  } catch (error) {
    if (error instanceof UnitError) return false;
    throw error;
  }
}

function isPortList(value: string): boolean {
  const ranges = reservedRanges(value);
  return ranges.length > 0 && ranges.every(({ low, high }) => low >= 1 && high <= 65535 && low <= high);
}
