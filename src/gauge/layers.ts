/**
 * Two layers: programs that carry the connections of another network namespace or a guest over sockets of their own, so that what is inside shares
 * their ports outside. None of them passes the errno inside. Pure.
 *
 * Measured on pasta 2023 to 2026, slirp4netns 1.2.0 to 1.3.3, QEMU 7.2 and gvproxy 0.8.1, with 20 ports outside: each takes an ephemeral port for a
 * connection by connect() alone (20 to one destination, 40 to two); a connection that is closed inside first waits in TIME_WAIT in both layers.
 */

import { grouped } from '../domain/grouped.js';
import { printableWords } from '../domain/printable.js';
import type { Process } from '../kernel/socket-owners.js';

interface UserModeNetwork {
  /** The name of the program, as ps(1) shows it, of which the kernel keeps 15 characters. */
  readonly match: RegExp;
  readonly program: string;
  /** What a program inside sees when the ports outside are gone. */
  readonly inside: string;
}

const PROGRAMS: readonly UserModeNetwork[] = [
  {
    match: /^(?:pasta|passt)(?:\.avx2)?$/,
    program: 'pasta',
    inside: 'ECONNREFUSED at once, or no answer at all with versions of 2023',
  },
  { match: /^slirp4netns$/, program: 'slirp4netns', inside: 'ENETUNREACH at once' },
  { match: /^gvproxy$/, program: 'gvproxy', inside: 'ECONNREFUSED at once' },
  { match: /^qemu-system-/, program: 'QEMU with a user network', inside: 'ENETUNREACH at once' },
];

export type Layer =
  | {
      /** One of the owners is such a program: its ports are those of what is inside of it. */
      readonly kind: 'carries';
      readonly pid: number;
      readonly command: string;
      readonly sockets: number;
      readonly program: string;
      readonly inside: string;
    }
  | {
      /** This namespace is inside of one. */
      readonly kind: 'carried';
      /** The TAP device by which its default route leaves. */
      readonly device: string;
    };

/** The layers of a namespace. @param tap the TAP device by which the default route leaves; null: it leaves otherwise */
export function layersOf(owners: readonly (Process & { readonly sockets: number })[], tap: string | null): Layer[] {
  const carriers = owners.flatMap(({ pid, command, sockets }): Layer[] => {
    const known = PROGRAMS.find(({ match }) => match.test(command));
    return known ? [{ kind: 'carries', pid, command, sockets, program: known.program, inside: known.inside }] : [];
  });
  return [...carriers, ...(tap === null ? [] : [{ kind: 'carried', device: tap } as const])];
}

/** A sentence of a layer. */
export function layerText(layer: Layer): string {
  if (layer.kind === 'carries') {
    const { command, pid, sockets, program, inside } = layer;
    return `${printableWords(command)} (${pid}) has ${grouped(sockets)} of these sockets for what is inside of it (${program}): all that is inside shares the ports here, and when they are gone sees no EADDRNOTAVAIL but ${inside}`;
  }
  return `the default route leaves by the TAP device ${layer.device}, as where pasta or slirp4netns carries the connections: they take ports of the layer outside too, which may be gone first; then connect() says ECONNREFUSED or ENETUNREACH at once, and nothing here is full. Look there: bindstorm watch outside of the container`;
}
