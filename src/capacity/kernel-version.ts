/**
 * Kernel releases as `uname -r` prints them, parsed and compared. Pure.
 */
import { UserError } from '../domain/error.js';

export interface KernelVersion {
  /** The text that was parsed. */
  readonly release: string;
  readonly major: number;
  readonly minor: number;
  /** 0 where the release has none. */
  readonly patch: number;
  /**
   * Red Hat Enterprise Linux and its rebuilds keep the number of the kernel that they began with and backport into it, so
   * there the build counts: `2.6.32-642.6.2.el6` is release 6, build [642, 6, 2].
   */
  readonly enterprise: { readonly release: number; readonly build: readonly number[] } | null;
  /** Timer interrupts per second that it was built with (CONFIG_HZ); null: not known. */
  readonly hz: number | null;
}

const RELEASE = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,5}))?(?:\.\d+)*(?:[-+_~][!-~]*)?$/;
const ENTERPRISE = /-(\d+(?:\.\d+)*)\.el(\d+)(?:[._]|$)/;

/**
 * Parse a kernel release. What follows the number (a vendor's suffix, `-rc3`) does not count, except the build of an
 * enterprise kernel; a release candidate is taken for the release.
 * @param release `6.18.44-cloud`, `3.10.0-1160.el7.x86_64`, `7.2.13+deb14-cloud-amd64`, `6.3`
 * @param hz its CONFIG_HZ, as 250; no release tells it
 * @throws UserError for a text that is no kernel release
 */
export function parseKernelVersion(release: string, hz?: number | null): KernelVersion {
  const match = RELEASE.exec(release);
  if (!match) {
    const shown = JSON.stringify(release.slice(0, 80));
    throw new UserError(
      `${shown} is not a kernel release; one begins with two or three numbers, for example 6.1.0-28-amd64`,
    );
  }
  const vendor = ENTERPRISE.exec(release);
  return {
    release,
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3] ?? 0),
    enterprise: vendor && { release: Number(vendor[2]), build: vendor[1]!.split('.').map(Number) },
    hz: hz ?? null,
  };
}

/**
 * Whether a kernel is `wanted` or newer, by its number alone (a backport does not show in it).
 * @param wanted `6.3` or `6.1.32`
 * @throws UserError when `wanted` is no release
 */
export function atLeast(version: KernelVersion, wanted: string): boolean {
  const limit = parseKernelVersion(wanted);
  return notBelow([version.major, version.minor, version.patch], [limit.major, limit.minor, limit.patch]);
}

/** `6.18`, or `2.6.32` where the third number tells series apart: the number that documentation speaks of. */
export function kernelSeries(version: KernelVersion): string {
  const series = `${version.major}.${version.minor}`;
  return version.major === 2 ? `${series}.${version.patch}` : series;
}

/** Compare lists of numbers from the left; a missing number is 0. */
export function notBelow(numbers: readonly number[], limit: readonly number[]): boolean {
  for (let i = 0; i < Math.max(numbers.length, limit.length); i++) {
    const difference = (numbers[i] ?? 0) - (limit[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
