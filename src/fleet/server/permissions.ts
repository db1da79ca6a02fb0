/**
 * What the server lets each role do, as subjects: an agent can take work and say what came of it, and can neither make work nor read what
 * a controller is answered. Pure.
 */
import { ROLES, type Role } from '../access.js';
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
    publish: ['$JS.API.>', SUBJECTS.settings, SUBJECTS.buildPiece('*', '*'), SUBJECTS.take('*'), ALL_OWN, '$JS.ACK.>'],
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
    subscribe: [`${inboxOf('agent')}.>`, SUBJECTS.ask('*'), SUBJECTS.take('*'), SUBJECTS.job('*'), SUBJECTS.beat('*')],
  },
};

/** What a role's user has in the configuration of nats-server. */
export function permissionsOf(role: Role) {
  const { publish, subscribe } = PERMISSIONS[role];
  return {
    publish: { allow: publish },
    subscribe: { allow: subscribe },
    allow_responses: { max: 1, expires: '24h' },
  };
}

/** The same for a person: users without what lets them in. */
export function permissionsText(): string {
  return ROLES.map(
    (role) =>
      `# Of ${role}s: put it into their user, beside its nkey or its password.\npermissions: ${JSON.stringify(permissionsOf(role), null, 2)}\n`,
  ).join('\n');
}
