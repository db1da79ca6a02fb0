/**
 * The rehearsal: try in a throwaway lab what the experiment will need, so that what cannot work is refused before anything runs.
 */

import { familyOf } from '../../domain/addresses.js';
import { strategyOf } from '../../domain/strategy.js';
import { LOCAL_PORT_RANGE, normaliseSysctl } from '../../domain/sysctl-syntax.js';
import { errnoName } from '../../kernel/errno.js';
import * as libc from '../../kernel/libc.js';
import { sockaddrAt, sockaddrTable } from '../../kernel/sockaddr.js';
import { readSysctl, writeSysctl } from '../../kernel/sysctl.js';
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
  const trySysctl = ([name, value]: readonly [string, string]) => {
    const result = ownNamespace ? writeSysctl(name, normaliseSysctl(value)) : readSysctl(name);
    return { name, value, readBack: result.ok ? result.value : null, errno: result.ok ? null : result.errno };
  };
  const range = readSysctl(LOCAL_PORT_RANGE);
  // Every lab sets something, also where the profile names nothing.
  const readOnly = range.ok
    ? [trySysctl([LOCAL_PORT_RANGE, range.value])].filter(({ errno }) => errno === 'EROFS')
    : [];
  return {
    sysctls: [...readOnly, ...command.sysctls.map(trySysctl)],
    strategies: command.strategies.map((name) => ({ name, missing: familyErrno ? null : missingOption(name, family) })),
    family: { available: familyErrno === null, errno: familyErrno },
    veth: { available: ownNamespace && veth === undefined, errno: veth === undefined ? null : errnoName(veth) },
    programs: await Promise.all((command.proxies ?? []).map(programOf)),
    clocksMissing: command.clocks && familyErrno === null ? clocksMissing(family, ownNamespace) : null,
    internetMissing: command.internet ? internetMissing(ownNamespace) : null,
    ...(command.routers ? { routersMissing: command.routers.map((settings) => natMissing(settings, command)) } : {}),
    notLocal: ownNamespace ? [] : command.addresses.filter((address) => !isLocal(address)),
  };
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
