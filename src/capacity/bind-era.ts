/**
 * The eras of `bind(address, 0)` (inet_csk_get_port() and inet_csk_find_open_port(), net/ipv4/inet_connection_sock.c), and
 * which kernels have which strategy. Pure.
 */
import { optionSince, type SocketOption, type StrategyName, strategyOf } from '../domain/strategy.js';
import { atLeast, type KernelVersion, notBelow } from './kernel-version.js';

/**
 * What makes a port unusable for `bind(address, 0)`:
 * - `A` to 3.2: any bucket on the port, whatever its address: one pool for the whole namespace (a9d8f9110d7e)
 * - `B` 3.3, 3.4: a conflict with the same address; SO_REUSEADDR sockets share from the first collision on (2b05ad33e1e6)
 * - `C` 3.5 to 4.1: SO_REUSEADDR shares only when the range is used up (aacd9289af8b)
 * - `C2` 4.2 to 4.5: … when the lower half is used up (946f9eb226da)
 * - `D` 4.6 to 4.10: … when the odd ports of the lower half are used up (ea8add2b1903)
 * - `E` 4.11 to 5.6: SO_REUSEADDR no longer shares (b9470c27607b)
 * - `F` from 5.7: … unless ip_autobind_reuse is 1 (4b01a9674231)
 */
export type BindEra = 'A' | 'B' | 'C' | 'C2' | 'D' | 'E' | 'F';

const MAINLINE: readonly (readonly [since: string, era: BindEra])[] = [
  ['5.7', 'F'],
  ['4.11', 'E'],
  ['4.6', 'D'],
  ['4.2', 'C2'],
  ['3.5', 'C'],
  ['3.3', 'B'],
];

/** RHEL 7 took attempt_half in after build 229 (its source has none of it) and by 862 (reports of half a range); which build did is not known. */
const RHEL7_SHARES_HALF = { notIn: [229], in: [862] } as const;

/**
 * RHEL 6 and 7 took these changes into 2.6.32 and 3.10; the builds are the first known to have them, or, for RHEL 7, the first that may: half
 * of the ports is the lower ceiling of the two.
 */
const ENTERPRISE: readonly (readonly [release: number, build: readonly number[], era: BindEra])[] = [
  [7, [230], 'C2'],
  [6, [642], 'C2'],
  [6, [358, 18, 1], 'C'],
  [6, [220, 12, 1], 'B'],
];

/** Whether nobody knows which of two eras a vendor's build has. */
export function isEraUncertain({ enterprise }: KernelVersion): boolean {
  if (enterprise?.release !== 7) return false;
  const { build } = enterprise;
  return notBelow(build, [RHEL7_SHARES_HALF.notIn[0] + 1]) && !notBelow(build, RHEL7_SHARES_HALF.in);
}

/** The era of a kernel. */
export function bindEra(kernel: KernelVersion): BindEra {
  const vendor = kernel.enterprise;
  const backport =
    vendor && ENTERPRISE.find(([release, build]) => vendor.release === release && notBelow(vendor.build, build));
  return backport?.[2] ?? MAINLINE.find(([since]) => atLeast(kernel, since))?.[1] ?? 'A';
}

/**
 * Whether a kernel has the socket options of a strategy; where it has not, setsockopt() fails with ENOPROTOOPT.
 * @returns `unknown` for an enterprise kernel older than the option, which may have it by a backport
 */
export function hasStrategy(kernel: KernelVersion, name: StrategyName): 'yes' | 'no' | 'unknown' {
  return strategyOf(name)
    .options.map((option) => hasOption(kernel, option))
    .reduce((all, each) => (all === 'yes' ? each : all), 'yes');
}

/** The same of one option. */
export function hasOption(kernel: KernelVersion, option: SocketOption): 'yes' | 'no' | 'unknown' {
  const since = optionSince(option);
  if (since === undefined || atLeast(kernel, since)) return 'yes';
  // The long-term 6.1 got this one from 6.3.
  const stable = kernel.major === 6 && kernel.minor === 1 && kernel.patch >= 32;
  if (stable && option === 'IP_LOCAL_PORT_RANGE') return 'yes';
  return kernel.enterprise ? 'unknown' : 'no';
}
