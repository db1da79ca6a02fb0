/**
 * The subject of an arm: a proxy with its settings filled in, the sysctls of its roles, and a load that fits it. Pure.
 */
import type { Report } from './blame.js';
import { PROTOCOL_OF, SQUID } from './defaults.js';
import { formatDuration } from './format.js';
import type { LoadInput } from './merge.js';
import type { Experiment, LoadPlan, RoleSysctls } from './plan.js';
import type { Path } from './problem.js';
import type { ProfileInput } from './schema.js';
import type { Protocol, ProxyKind, ProxySettings, SubjectKind } from './subject.js';
import { quote } from './units.js';

export type SubjectInput = Omit<NonNullable<ProfileInput['subject']>, 'kind'>;

/** What the clients of each kind of proxy can say to it. */
const SPEAKS: Readonly<Record<ProxyKind, readonly Protocol[]>> = { squid: ['connect', 'get'] };

const KEYS: readonly (keyof SubjectInput)[] = ['binary', 'persistent', 'outgoing', 'config', 'descriptors'];

/**
 * The proxy of an arm.
 * @param input the baseline's settings overlaid with the variant's
 * @returns undefined for `direct`
 */
export function checkSubject(
  kind: SubjectKind,
  input: SubjectInput,
  lab: Experiment['lab'],
  report: Report,
): ProxySettings | undefined {
  if (kind === 'direct') {
    const named = KEYS.find((key) => input[key] !== undefined);
    if (named !== undefined)
      report(`found ${named}, which is a setting of a proxy; the subject is direct: name a kind, as "kind: squid"`, [
        'subject',
        named,
      ]);
    return undefined;
  }
  if (lab === 'host') {
    report(
      `found the subject ${kind} in the host lab; a proxy gets roles of its own, which this machine itself has not: use lab: { kind: netns }`,
      ['subject', 'kind'],
    );
  }
  for (const [i, line] of (input.config ?? []).entries()) {
    if (/[\n\r\0]/.test(line))
      report(`found ${quote(line)}, which is more than one line; write each line as an item of its own`, [
        'subject',
        'config',
        i,
      ]);
  }
  return { ...SQUID, ...input, kind, config: input.config ?? SQUID.config };
}

/** What in a load does not go with the subject. */
export function checkLoadOfSubject(load: LoadPlan, named: LoadInput, kind: SubjectKind, report: Report): void {
  if (kind === 'direct') {
    if (load.protocol === 'get' && load.engine === 'socket')
      report(
        'found protocol get without a proxy, which the HTTP engine can do: add "engine: http", or remove protocol',
        ['load', 'protocol'],
      );
    else if (load.protocol !== 'tcp' && load.protocol !== 'get')
      report(
        `found protocol ${load.protocol}, which a client speaks to a proxy, but the subject is direct: remove protocol, or name a proxy, as subject: { kind: squid }`,
        ['load', 'protocol'],
      );
  } else {
    const spoken = SPEAKS[kind];
    if (!spoken.includes(load.protocol))
      report(
        `found protocol ${load.protocol}, which ${kind} is not spoken to with here; allowed are ${spoken.join(', ')}: write "protocol: ${PROTOCOL_OF[kind]}"`,
        ['load', 'protocol'],
      );
    for (const key of ['strategy', 'ports'] as const) {
      if (named[key] !== undefined)
        report(
          `found ${key}, but the subject is ${kind}, which chooses its local ports itself: remove ${key}, or change the settings of the subject`,
          ['load', key],
        );
    }
  }
  if (load.body > 0 && load.protocol !== 'get' && load.engine === 'socket') {
    report('found a body, which only the answer to a GET has: add "protocol: get", or use exchange', ['load', 'body']);
  }
  if (load.tls && load.protocol === 'get' && kind !== 'direct')
    report(
      `found tls with protocol get, but ${kind} must read a GET: write "protocol: connect", for TLS inside of the tunnel`,
      ['load', 'tls'],
    );
  if (load.protocol === 'get') checkGet(load, report);
}

function checkGet(load: LoadPlan, report: Report): void {
  if (load.exchange !== null && load.engine === 'socket')
    report('found an exchange beside protocol get; a GET is an exchange itself: remove exchange, and give body', [
      'load',
      'exchange',
    ]);
  if (load.sink === 'listen-only' && load.engine === 'socket')
    report('found sink listen-only, but with protocol get the origin must answer: write "sink: accept"', [
      'load',
      'sink',
    ]);
  if (load.holdMs !== null && load.holdMs >= load.timeoutMs)
    report(
      `found hold ${formatDuration(load.holdMs)}, for which the origin waits before it answers a GET, and timeout ${formatDuration(load.timeoutMs)}: no attempt could be ok; raise the timeout`,
      ['load', 'hold'],
      ['load', 'timeout'],
    );
}

/** Reads the sysctls at a path. */
type ReadSysctls = (sysctls: ProfileInput['sysctls'], path: Path) => Record<string, string>;

/** Sysctls by role: those of the role under test, and those of the others. */
export interface SysctlsByRole {
  readonly sysctls: Record<string, string>;
  readonly roles: RoleSysctls;
}

/**
 * Sort sysctls to their roles, over those of the baseline.
 * @param path where `sysctls` and `roles` stand: the top, or a variant
 */
export function sysctlsByRole(
  input: Pick<ProfileInput, 'sysctls' | 'roles'>,
  kind: SubjectKind,
  path: Path,
  base: SysctlsByRole,
  read: ReadSysctls,
  report: Report,
): SysctlsByRole {
  const of = (role: 'client' | 'proxy' | 'origin') =>
    read(input.roles?.[role]?.sysctls, [...path, 'roles', role, 'sysctls']);
  const own = read(input.sysctls, [...path, 'sysctls']);
  const [client, proxy, origin] = [of('client'), of('proxy'), of('origin')];
  if (kind === 'direct' && input.roles?.proxy !== undefined)
    report('found the role proxy, but the subject is direct: there are the roles client and origin', [
      'roles',
      'proxy',
    ]);
  const [tested, otherClient] = kind === 'direct' ? [client, {}] : [proxy, client];
  return {
    sysctls: { ...base.sysctls, ...own, ...tested },
    roles: {
      client: { ...base.roles.client, ...otherClient },
      origin: { ...base.roles.origin, ...origin },
    },
  };
}

/** Whether any role but the one under test has sysctls of its own. */
export function namesOthers(roles: RoleSysctls): boolean {
  return Object.keys(roles.client).length + Object.keys(roles.origin).length > 0;
}
