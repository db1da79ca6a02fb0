/**
 * The rehearsal: try in a throwaway lab what the experiment will need, so that what cannot work is refused before anything runs.
 */

import { familyOf } from '../../domain/addresses.js';
import { strategyOf } from '../../domain/strategy.js';
import { LOCAL_PORT_RANGE, normaliseSysctl } from '../../domain/sysctl-syntax.js';
import { errnoName } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { withFreshNamespace } from '../../kernel/namespace.js';
import { sockaddrAt, sockaddrTable } from '../../kernel/sockaddr.js';
import { readSysctl, writeOwnSysctl, writeSysctl } from '../../kernel/sysctl.js';
import { setStrategyOption } from '../../load/strategy.js';
import { examineProgram } from '../../subjects/examine.js';
import type { ProgramName } from '../../subjects/index.js';
import type { Check, Command } from '../protocol.js';
import { clocksMissing } from './check-clocks.js';
import { internetMissing } from './check-internet.js';
import { applyNat } from './nat.js';
import { vethRefusal } from './network.js';
import { translatedTo } from './router-network.js';

/**
 * @param ownNamespace the lab is a fresh namespace: sysctls are really written. Otherwise (host lab) they are only read.
 */
export async function runCheck(command: Extract<Command, { type: 'check' }>, ownNamespace: boolean): Promise<Check> {
  const family = familyOf(command.addresses[0] ?? '0.0.0.0') === 6 ? libc.AF_INET6 : libc.AF_INET;
  const probe = libc.socket(family, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, 0);
  const familyErrno = probe < 0 ? errnoName(libc.errno()) : null;
  if (probe >= 0) libc.close(probe);
  const veth = ownNamespace ? vethRefusal() : undefined;
  const apart = ownNamespace && veth === undefined;
  const trySysctl = ([name, value]: Named) =>
    tried(name, value, ownNamespace ? writeSysctl(name, normaliseSysctl(value)) : readSysctl(name));
  const range = readSysctl(LOCAL_PORT_RANGE);
  // Every lab sets something, also where the profile names nothing.
  const readOnly = range.ok
    ? [trySysctl([LOCAL_PORT_RANGE, range.value])].filter(({ errno }) => errno === 'EROFS')
    : [];
  // First: a kernel that has connection tracking as a module has its sysctls once a rule has asked for it.
  const routersMissing = command.routers?.map((settings) => natMissing(settings, command));
  return {
    sysctls: [...readOnly, ...command.sysctls.map(trySysctl)],
    ...(command.roleSysctls ? { roleSysctls: tryForRoles(command.roleSysctls, apart, trySysctl) } : {}),
    strategies: command.strategies.map((name) => ({ name, missing: familyErrno ? null : missingOption(name, family) })),
    family: { available: familyErrno === null, errno: familyErrno },
    veth: { available: apart, errno: veth === undefined ? null : errnoName(veth) },
    programs: await Promise.all((command.proxies ?? []).map(programOf)),
    clocksMissing: command.clocks && familyErrno === null ? clocksMissing(family, ownNamespace) : null,
    internetMissing: command.internet ? internetMissing(ownNamespace) : null,
    ...(routersMissing ? { routersMissing } : {}),
    notLocal: ownNamespace ? [] : command.addresses.filter((address) => !isLocal(address)),
  };
}

type Named = readonly [name: string, value: string];
type Tried = Check['sysctls'][number];

function tried(name: string, value: string, result: ReturnType<typeof readSysctl>): Tried {
  return { name, value, readBack: result.ok ? result.value : null, errno: result.ok ? null : result.errno };
}

/**
 * Sysctls as a role beside the one under test can write them: in a namespace below, which may only read what is one value for all of them.
 * @param apart whether roles have namespaces of their own here @param here how it is tried where they do not
 */
function tryForRoles(sysctls: readonly Named[], apart: boolean, here: (named: Named) => Tried): Tried[] {
  if (!apart) return sysctls.map(here);
  return withFreshNamespace(() =>
    sysctls.map(([name, value]) => tried(name, value, writeOwnSysctl(name, normaliseSysctl(value)))),
  );
}

/** Why the rules of a NAT cannot be made here; the namespace is gone after the check. */
function natMissing(
  settings: NonNullable<Extract<Command, { type: 'check' }>['routers']>[number],
  { addresses }: Pick<Extract<Command, { type: 'check' }>, 'addresses'>,
): string | null {
  const family = familyOf(addresses[0] ?? '0.0.0.0');
  return applyNat(settings, translatedTo(settings, family), addresses) ?? null;
}

async function programOf(name: ProgramName): Promise<NonNullable<Check['programs']>[number]> {
  const found = await examineProgram(name);
  return found.ok
    ? { binary: name.binary, version: found.version, problem: null }
    : { binary: name.binary, version: null, problem: `${found.reason}; ${found.remedy}` };
}

/** The first option of a strategy that this kernel refuses, with its errno. */
function missingOption(name: Check['strategies'][number]['name'], family: number): string | null {
  const fd = libc.socket(family, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, 0);
  try {
    for (const option of strategyOf(name).options) {
      const error = setStrategyOption(fd, option, { low: 40000, high: 40001 });
      if (error !== 0) return `${option}: ${errnoName(error)}`;
    }
    return null;
  } finally {
    libc.close(fd);
  }
}

/** bind(2) says EADDRNOTAVAIL for an address that is not this machine's. */
function isLocal(address: string): boolean {
  const table = sockaddrTable([{ address, port: 0 }]);
  const fd = libc.socket(table.family, libc.SOCK_STREAM | libc.SOCK_CLOEXEC, 0);
  const bound = libc.bind(fd, sockaddrAt(table, 0), table.length) === 0;
  libc.close(fd);
  return bound;
}
