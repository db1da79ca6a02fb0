/**
 * The units a profile is written in: rates (`2000/s`), durations (`250ms`), sizes of port ranges (`1024-65535`).
 * Pure: text in, numbers out, and an error that says what is wrong and what to write.
 */
import { UserError } from './error.js';

/** A text in a profile that has the right type and the wrong form. The message says what is wrong and what to write. */
export class UnitError extends UserError {
  override name = 'UnitError';
}

/** What `parse` returns; undefined where it throws UnitError, whose message is reported. Throws whatever else it throws. */
export function orReport<T>(parse: () => T, report: (message: string) => void): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof UnitError)) throw error;
    report(error.message);
    return undefined;
  }
}

/** The form of a rate; schemas have it as a pattern. */
export const RATE = /^\s*(\d+(?:\.\d+)?)([kM]?)\/(s|sec|m|min)\s*$/;
const FACTORS: Readonly<Record<string, number>> = { '': 1, k: 1000, M: 1_000_000 };
/** No generator makes more attempts per second. */
const MOST_PER_SECOND = 1_000_000;

/**
 * Parse a rate.
 * @param text `2000/s`, `0.5/s`, `20k/s`, `1M/s`, `600/min`
 * @param most per second; a fleet has rates that no load generator has
 * @returns attempts per second, greater than 0 and at most `most`
 * @throws UnitError
 */
export function parseRate(text: string, most = MOST_PER_SECOND): number {
  const match = RATE.exec(text);
  if (!match)
    throw new UnitError(
      `${quote(text)} is not a rate; write a number per second or minute: 2000/s, 20k/s, 1M/s, 600/min`,
    );
  const value = Number(match[1]) * FACTORS[match[2]!]!;
  const perSecond = match[3]!.startsWith('m') ? value / 60 : value;
  if (perSecond <= 0) throw new UnitError(`the rate ${quote(text)} must be greater than 0`);
  if (perSecond > most) throw new UnitError(`the rate ${quote(text)} is too high; a rate may be at most ${most}/s`);
  return perSecond;
}

const DURATION = /^(\d+(?:\.\d+)?)(us|µs|ms|s|m|min|h)$/;
const MILLISECONDS: Record<string, number> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
};

/**
 * Parse a duration.
 * @param text `10s`, `250ms`, `500us`, `2m`, `1h`
 * @returns milliseconds, 0 or more and at most 24 hours
 * @throws UnitError
 */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text.trim());
  if (!match)
    throw new UnitError(
      `${quote(text)} is not a duration; write a number and a unit (us, ms, s, m, h), for example 250ms or 10s`,
    );
  const ms = Number(match[1]) * MILLISECONDS[match[2]!]!;
  if (ms > 86_400_000) throw new UnitError(`the duration ${quote(text)} is too long; it may be at most 24h`);
  return ms;
}

/**
 * Parse a share.
 * @param text `2%`, `0.5 %`
 * @returns above 0 and below 1
 * @throws UnitError
 */
export function parsePercent(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  const value = Number(match?.[1]) / 100;
  if (!match || value <= 0 || value >= 1)
    throw new UnitError(`${quote(text)} is not a share; write a percentage above 0 and below 100, for example 2%`);
  return value;
}

export interface PortRange {
  readonly low: number;
  readonly high: number;
}

/**
 * Parse a port range as `ip_local_port_range` shows it, or with a dash.
 * @param text `32768 60999` or `32768-60999`, both ends inclusive
 * @throws UnitError
 */
export function parsePortRange(text: string): PortRange {
  const match = /^\s*(\d{1,5})(?:\s*-\s*|\s+)(\d{1,5})\s*$/.exec(text);
  const low = Number(match?.[1]);
  const high = Number(match?.[2]);
  if (!match || low < 1 || high > 65535 || low > high) {
    throw new UnitError(
      `${quote(text)} is not a port range; write two ports from 1 to 65535, the lower first, for example 32768-60999`,
    );
  }
  return { low, high };
}

const PORT_LIST = /^\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*$/;

/**
 * Parse a list of ports and ranges, as `ip_local_reserved_ports` shows it.
 * @param text `8080,9000-9100`; empty for none
 * @throws UnitError
 */
export function parsePortList(text: string): PortRange[] {
  if (text === '') return [];
  const ranges = text.split(',').map((part) => {
    const [low, high] = part.split('-').map(Number);
    return { low: low!, high: high ?? low! };
  });
  if (!PORT_LIST.test(text) || !ranges.every(({ low, high }) => low >= 1 && high <= 65535 && low <= high)) {
    throw new UnitError(
      `${quote(text)} is not a port list; write ports and ranges from 1 to 65535 with commas and no spaces, for example 8080,9000-9100`,
    );
  }
  return ranges;
}

/** The ports of a list, whose ranges may overlap, that lie within a range. @param list as ip_local_reserved_ports @throws UnitError */
export function portsWithin(list: string, { low, high }: PortRange): ReadonlySet<number> {
  const inside = new Set<number>();
  for (const range of parsePortList(list.trim()))
    for (let port = Math.max(low, range.low); port <= Math.min(high, range.high); port++) inside.add(port);
  return inside;
}

/** Ports in a range, both ends included. */
export function portCount(range: PortRange): number {
  return range.high - range.low + 1;
}

/** A value of a profile as an error shows it: short, on one line. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
