/**
 * Whether the name and the value of a sysctl are of the form that may reach a path under /proc/sys. Pure syntax: whether the
 * kernel has it, and whether it is per-namespace, is known elsewhere. Source: sysctl(8), Documentation/admin-guide/sysctl.
 */
import { own } from './own.js';
import { type PortRange, parsePortList, parsePortRange, quote, UnitError } from './units.js';

const MAX_NAME = 128;
const MAX_VALUE = 256;
const ROOTS = ['net', 'vm', 'fs', 'kernel'];
/** `eth0`, `veth-1`, and `eth0/100` for the interface eth0.100, as sysctl(8) writes it. */
const INTERFACE = '[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*';
const NAME = new RegExp(
  `^(?:net\\.ipv[46]\\.(?:conf|neigh)\\.${INTERFACE}\\.[a-z0-9_-]+|(?:net|vm|fs|kernel)(?:\\.[a-z0-9_-]+)+)$`,
);

/**
 * Why a name cannot be a sysctl's, what is allowed, and what to write.
 * @param name as `net.ipv4.tcp_tw_reuse`
 * @returns undefined when the name is fit
 */
export function checkSysctlName(name: string): string | undefined {
  if (name.length <= MAX_NAME && NAME.test(name)) return undefined;
  const rule = `a name is lower-case words joined by dots, at most ${MAX_NAME} characters, for example net.ipv4.tcp_tw_reuse`;
  if (name.length > MAX_NAME) return `the name of this sysctl has ${name.length} characters; ${rule}`;
  const dotted = name.replace(/^\/?(?:proc\/sys\/)?/, '').replaceAll('/', '.');
  if (name.includes('/')) return `the sysctl ${quote(name)} is a path; ${rule}${suggest(dotted)}`;
  if (name.includes('..') || name.startsWith('.') || name.endsWith('.'))
    return `the sysctl ${quote(name)} has an empty word between its dots; ${rule}`;
  if (/^[\w.-]+$/.test(name)) {
    if (name !== name.toLowerCase())
      return `the sysctl ${quote(name)} has upper-case letters; ${rule}${suggest(name.toLowerCase())}`;
    const known = /^(?:tcp|ip)_\w+$/.test(name) ? `net.ipv4.${name}` : /^ipv[46]\./.test(name) ? `net.${name}` : '';
    return `${quote(name)} is not the name of a sysctl; a name starts with ${ROOTS.join('., ')}. and continues with a word${suggest(known)}`;
  }
  return `the sysctl ${quote(name)} has characters that no sysctl name has; ${rule}`;
}

function suggest(name: string): string {
  return NAME.test(name) ? `: write ${name}` : '';
}

/** The ports that the kernel gives out. It serves IPv6 too. */
export const LOCAL_PORT_RANGE = 'net.ipv4.ip_local_port_range';

const NUMBERS = /^-?\d+(?:[ \t]-?\d+)*$/;
const WORD = /^[A-Za-z0-9_-]+$/;
/** Sysctls whose values have a form of their own. */
const FORMS: Readonly<Record<string, (value: string) => unknown>> = {
  [LOCAL_PORT_RANGE]: parseLocalPortRange,
  'net.ipv4.ip_local_reserved_ports': parsePortList,
};
const SWITCHES: Record<string, string> = { yes: '1', true: '1', on: '1', no: '0', false: '0', off: '0' };

/**
 * Why a value cannot be a sysctl's.
 * @param name decides where a sysctl has a form of its own (port ranges and lists)
 * @param value numbers (`1024 65535`), one word (`cubic`), or a list of ports (`8080,9000-9100`)
 * @returns undefined when the value is fit
 */
export function checkSysctlValue(name: string, value: string): string | undefined {
  const rule =
    'a value is numbers with one space between them (1024 65535), one word (cubic), or a port list (8080,9000-9100)';
  if (value.length > MAX_VALUE)
    return `the value has ${value.length} characters and may have at most ${MAX_VALUE}; ${rule}`;
  const digit = own(SWITCHES, value.toLowerCase());
  if (digit !== undefined)
    return `${quote(value)} is not a number, and the kernel's switches are numbers; write ${digit}`;
  const form = own(FORMS, name);
  if (form) return problemOf(form, value);
  if (NUMBERS.test(value) || WORD.test(value) || problemOf(parsePortList, value || ' ') === undefined) return undefined;
  if (/[\n\r]/.test(value)) return `${quote(value)} has a line break; ${rule}: write it on one line`;
  if (value.trim() === '') return `the value is empty; ${rule}`;
  const tidy = normaliseSysctl(value);
  return `${quote(value)} is not a value of a sysctl; ${rule}${NUMBERS.test(tidy) ? `: write ${quote(tidy)}` : ''}`;
}

function problemOf(parse: (value: string) => unknown, value: string): string | undefined {
  try {
    parse(value);
    return undefined;
  } catch (error) {
    if (error instanceof UnitError) return error.message;
    throw error;
  }
}

/**
 * Parse a value of ip_local_port_range, as a profile writes it or as the kernel shows it. The kernel reads two numbers with a blank
 * between them; it does not read a dash, which `load.ports` may have.
 * @param value `1024 65535`, both ends included
 * @throws UnitError
 */
export function parseLocalPortRange(value: string): PortRange {
  if (!/^\d+[ \t]\d+$/.test(value)) {
    throw new UnitError(
      `${quote(value)} is not a range of local ports; write two ports from 1 to 65535 with one space between them, for example "1024 65535"`,
    );
  }
  return parsePortRange(value);
}

/**
 * One space between the fields of a value, none around it. The kernel shows several values with tabs between them and reads both.
 * Whatever compares or keeps a value uses this form.
 */
export function normaliseSysctl(value: string): string {
  return value.trim().replace(/\s+/g, ' ');
}
