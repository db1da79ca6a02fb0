/**
 * The load's own sockets as the subject: nothing but the kernel decides. Pure.
 */
import type { Subject } from '../subject.js';

export const direct = {
  kind: 'direct',
  role: 'client',
  settings: {},
  // A direct connection has nobody to speak HTTP to.
  protocols: () => ['tcp', 'udp', 'dns'],
} as const satisfies Subject;
