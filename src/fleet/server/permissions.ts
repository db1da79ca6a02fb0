/**
 * What the server lets each role do, as subjects: an agent can take work and say what came of it, and can neither make work nor read what
 * a controller is answered. Pure.
 */
import type { Role } from '../access.js';
import { inboxOf } from '../bus.js';
import { ALL_OWN, STREAMS, SUBJECTS } from '../subjects.js';

interface Permissions {
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
}

const READ = Object.values(STREAMS).flatMap((stream) => [
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}.>`,
]);

/** Subjects that a role may publish to, and listen to. Beside them each may answer what it is asked. */
export const PERMISSIONS: Readonly<Record<Role, Permissions>> = {
  controller: {
    // Streams, consumers, and all that is said; but not as an agent.
    publish: ['$JS.API.>', SUBJECTS.settings, ALL_OWN, '$JS.ACK.>'],
    subscribe: [`${inboxOf('controller')}.>`, SUBJECTS.done('*', '*'), SUBJECTS.live('*'), SUBJECTS.agent('*')],
  },
  agent: {
    publish: [
      '$JS.API.INFO',
      ...READ,
      `$JS.API.CONSUMER.MSG.NEXT.${STREAMS.work}.*`,
      `$JS.ACK.${STREAMS.work}.>`,
      SUBJECTS.agent('*'),
      SUBJECTS.piece('*', '*', '*', '*'),
      SUBJECTS.done('*', '*'),
      SUBJECTS.live('*'),
    ],
    subscribe: [`${inboxOf('agent')}.>`, SUBJECTS.ask('*'), SUBJECTS.job('*'), SUBJECTS.beat('*')],
  },
};
