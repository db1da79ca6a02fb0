/**
 * A bad profile, and how to make one from a good one.
 */

export interface BadProfile {
  readonly title: string;
  readonly text: string;
  /** The path and the line, as `load.arrival.rate:5`; only the line (`:3`) where the file as a whole is at fault. */
  readonly place: string;
  /** What the message says, the next step included. */
  readonly message: RegExp;
}

/** The good profile that all of the others are made from. Appended lines start at line 8. */
export const GOOD_PROFILE = `name: good
addresses: 10.50.0.0/24
load:
  strategy: bind
  arrival: { shape: constant, rate: 100/s, duration: 1s }
variants:
  - name: one
`;

export function edit(from: string, to: string, text = GOOD_PROFILE): string {
  if (!text.includes(from)) throw new Error(`no ${JSON.stringify(from)} in the profile to edit`);
  return text.replace(from, () => to);
}

export const add = (lines: string) => `${GOOD_PROFILE}${lines}\n`;
export const addresses = (to: string) => edit('addresses: 10.50.0.0/24', `addresses: ${to}`);
export const arrival = (to: string) => edit('{ shape: constant, rate: 100/s, duration: 1s }', to);
export const load = (line: string) => edit('  strategy: bind', `  ${line}`);
export const sysctl = (line: string) => add(`sysctls:\n  ${line}`);
/** The host lab, whose local addresses may be loopback, with targets of the caller's choice. */
export const external = (targets: string, allow = targets) =>
  add(`lab: { kind: host }\nallowHostChanges: true\nallow: ${allow}\ndestinations:\n  targets: ${targets}`);
