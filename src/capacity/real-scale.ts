/**
 * From the values of a lab to those of a machine. A lab is often a model: a range of 100 ports fails in a second where 28,232 take a
 * minute. What held there by arithmetic holds on a machine for as many times more, and the value that is to be written there is
 * another. Pure; sizes of the machine are those that a fresh lab of the same kernel had, else the kernel's own.
 */

import { grouped } from '../domain/grouped.js';
import { checkSysctlValue, LOCAL_PORT_RANGE, normaliseSysctl, parseLocalPortRange } from '../domain/sysctl-syntax.js';
import { type PortRange, portCount, portsWithin } from '../domain/units.js';

export const RESERVED_PORTS = 'net.ipv4.ip_local_reserved_ports';

/** Name → value. */
export type Sysctls = Readonly<Record<string, string>>;

/** A change of one sysctl, with what else was in force around it. */
export interface LabChange {
  readonly name: string;
  readonly value: string;
  /** In force in the baseline, and with the change; a name that is absent was not recorded. */
  readonly before: Sysctls;
  readonly after: Sysctls;
  /** Of a fresh lab, before anything was written: what a machine has. */
  readonly usual: Sysctls;
}

export type RealScale =
  /** `note`: what the lab's values stood for; null where they are those of a machine. */
  | { readonly kind: 'value'; readonly value: string; readonly note: string | null }
  /** No value of a machine follows from it. The reason reads on from the name and value: "leaves 20 of …". */
  | { readonly kind: 'none'; readonly reason: string };

/** 32768 to 60999, the kernel's own since 4.2 (inet_init_net(), net/ipv4/af_inet.c). */
const USUAL_RANGE: PortRange = { low: 32_768, high: 60_999 };
/** Below are the ports that only root may bind (ip_unprivileged_port_start), and services are. */
const LOWEST = 1024;
const HIGHEST = 65_535;
/** All ports from 1024 on. */
const MOST_PORTS = HIGHEST - LOWEST + 1;

/** A machine reserves the ports of its services. What leaves it less than this share of its own range is there to make it small. */
const LEAST_LEFT = 0.5;

/**
 * The most of something that a machine holds or queues, by which it is also protected from too little memory. The kernel chooses it by
 * memory and release, so that the value of a fresh lab is the only one to compare with.
 */
const LIMITS: readonly string[] = [
  'net.core.netdev_max_backlog',
  'net.core.optmem_max',
  'net.core.rmem_max',
  'net.core.somaxconn',
  'net.core.wmem_max',
  'net.ipv4.tcp_max_orphans',
  'net.ipv4.tcp_max_syn_backlog',
  'net.ipv4.tcp_max_tw_buckets',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  'net.netfilter.nf_conntrack_buckets',
  'net.netfilter.nf_conntrack_max',
  'net.nf_conntrack_max',
  'fs.file-max',
  'fs.nr_open',
];

/** Those limits that a network namespace has for itself: a fresh lab's values of them are worth recording. */
export const RECORDED_LIMITS: readonly string[] = ['net.core.somaxconn', 'net.ipv4.tcp_max_syn_backlog'];

/** What a change of the lab is on a machine. */
export function atRealScale(change: LabChange): RealScale {
  if (!isFit(change.name, change.value)) return none('cannot be written to a file');
  if (change.name === LOCAL_PORT_RANGE) return scaledRange(change);
  if (change.name === RESERVED_PORTS) return scaledReservation(change);
  return LIMITS.includes(change.name) ? scaledLimit(change) : asMeasured(change.value);
}

/**
 * What the number of ports in the baseline's lab stood for.
 * @returns null where it was as many as a machine has, or more
 */
export function modelOf(before: Sysctls, usual: Sysctls): { readonly ports: number; readonly usual: number } | null {
  const counts = { ports: usable(before, usual), usual: usable(usual, usual) };
  return isModel(counts.ports, before, usual) ? counts : null;
}

function asMeasured(value: string, note: string | null = null): RealScale {
  return { kind: 'value', value, note };
}

function none(reason: string): RealScale {
  return { kind: 'none', reason };
}

function scaledRange({ value, before, after, usual }: LabChange): RealScale {
  const range = rangeOf({ [LOCAL_PORT_RANGE]: value }, usual);
  // Where all was reserved there was no port, and no number of times as many.
  const from = Math.max(1, usable(before, usual));
  const [to, real] = [usable(after, usual), usable(usual, usual)];
  const model = modelOf(before, usual) !== null;
  const stood = `in the lab ${counted(from)} stood for ${number(real)}`;
  // A range of a real size, though most of it may have been reserved.
  if (portCount(range) >= portCount(rangeOf(usual, usual)))
    return asMeasured(
      value,
      !model
        ? null
        : isAlike(to / from, portCount(range) / real)
          ? stood
          : `${stood}: the step there was ${times(to / from)}, here it is ${times(portCount(range) / real)} at most`,
    );
  if (!model && to >= real * LEAST_LEFT) return asMeasured(value);
  if (to <= from) return none(modelReason(to, real));
  const wanted = Math.round((real * to) / from);
  const ports = Math.min(MOST_PORTS, even(wanted));
  const { low, high } = placed(ports, rangeOf(usual, usual));
  const less = wanted > MOST_PORTS && !isAlike(wanted, MOST_PORTS);
  const step = `${stood}, and ${number(to)}, ${times(to / from)}, for ${number(less ? wanted : Math.min(wanted, MOST_PORTS))}`;
  const capped = less
    ? `; there are ${number(MOST_PORTS)} from ${LOWEST} on, ${times(MOST_PORTS / real)}, so this is less of a step than was measured`
    : '';
  return asMeasured(`${low} ${high}`, `${step}${capped}`);
}

/** A list that reserves ports of a model is of no use on a machine, which has nothing reserved that could be given back. */
function scaledReservation({ value, after, usual }: LabChange): RealScale {
  const [ports, real] = [usable(after, usual), usable(usual, usual)];
  const range = rangeOf(after, usual);
  const touches = portsWithin(value, range).size > 0;
  const small = portCount(range) < portCount(rangeOf(usual, usual));
  return touches && (small || ports < real * LEAST_LEFT) ? none(modelReason(ports, real)) : asMeasured(value);
}

function scaledLimit({ name, value, before, usual }: LabChange): RealScale {
  const own = usual[name] ?? before[name];
  if (own === undefined) return asMeasured(value);
  // Of three values (least, usual, most) the last is the limit.
  const most = (text: string) => Number(normaliseSysctl(text).split(' ').at(-1));
  return most(value) < most(own)
    ? none(`is less than this kernel’s own ${number(most(own))}, a limit of the lab’s size`)
    : asMeasured(value);
}

/** Ports that the kernel gives out: the range without what is reserved. */
function usable(sysctls: Sysctls, usual: Sysctls): number {
  const range = rangeOf(sysctls, usual);
  const reserved = sysctls[RESERVED_PORTS] ?? usual[RESERVED_PORTS] ?? '';
  return portCount(range) - (isFit(RESERVED_PORTS, reserved) ? portsWithin(reserved, range).size : 0);
}

function isModel(ports: number, sysctls: Sysctls, usual: Sysctls): boolean {
  return (
    portCount(rangeOf(sysctls, usual)) < portCount(rangeOf(usual, usual)) || ports < usable(usual, usual) * LEAST_LEFT
  );
}

function rangeOf(sysctls: Sysctls, usual: Sysctls): PortRange {
  const text = normaliseSysctl(sysctls[LOCAL_PORT_RANGE] ?? usual[LOCAL_PORT_RANGE] ?? '');
  return isFit(LOCAL_PORT_RANGE, text) ? parseLocalPortRange(text) : USUAL_RANGE;
}

/** Results may come from anywhere. */
function isFit(name: string, value: string): boolean {
  return checkSysctlValue(name, value) === undefined;
}

/** An even number of ports has ends of different parity, which the kernel's search prefers (ip-sysctl.rst). */
function even(count: number): number {
  return count - (count % 2);
}

/** As many ports, up to the usual upper end where they fit below it. */
function placed(ports: number, { high }: PortRange): PortRange {
  const low = Math.max(LOWEST, high - ports + 1);
  return { low, high: low + ports - 1 };
}

function modelReason(ports: number, real: number): string {
  return `leaves ${counted(ports)}, a scaled-down model of the ${number(real)} of a machine`;
}

function counted(ports: number): string {
  return `${number(ports)} ${ports === 1 ? 'port' : 'ports'}`;
}

function number(value: number): string {
  return grouped(value);
}

/** Steps that differ by less than this share are told as one. */
const ALIKE = 0.05;

function isAlike(a: number, b: number): boolean {
  return Math.abs(a - b) < ALIKE * Math.max(a, b);
}

/** `2.3 times as many`. */
function times(factor: number): string {
  const rounded = factor < 10 ? Math.round(factor * 10) / 10 : Math.round(factor);
  return `${number(rounded)} times as many`;
}
