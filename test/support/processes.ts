/**
 * The processes that a test has started, and their namespaces, seen from outside through /proc. A variable of the environment
 * marks them, since it is inherited across namespaces; so tests that run side by side do not see each other's.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { PROXY_KINDS, programOf, proxySubjectOf } from '../../src/subjects/index.js';

const VARIABLE = 'BINDSTORM_TEST_MARK';

export interface Marked {
  readonly pid: number;
  readonly role: 'controller' | 'unshare' | 'agent' | 'origin' | 'proxy-role' | 'proxy' | 'neighbour' | 'other';
  readonly command: readonly string[];
  /** As `net:[4026531840]`. */
  readonly namespaces: readonly string[];
}

export interface Mark {
  readonly env: NodeJS.ProcessEnv;
  /** The marked processes that are alive now. */
  processes(): Marked[];
}

export function newMark(): Mark {
  const value = randomUUID();
  const entry = `${VARIABLE}=${value}`;
  return {
    env: { [VARIABLE]: value },
    processes: () =>
      pids().flatMap((pid) => {
        if (!read(`/proc/${pid}/environ`).split('\0').includes(entry)) return [];
        const command = read(`/proc/${pid}/cmdline`).split('\0').slice(0, -1);
        // It may have ended in between.
        return command.length === 0 ? [] : [{ pid, role: roleOf(command), command, namespaces: namespacesOf(pid) }];
      }),
  };
}

/** Kill one role of a mark's processes. @returns how many there were */
export function killRole(mark: Mark, role: Marked['role'], signal: NodeJS.Signals = 'SIGKILL'): number {
  const found = mark.processes().filter((candidate) => candidate.role === role);
  for (const { pid } of found) process.kill(pid, signal);
  return found.length;
}

/**
 * The agent of a run whose load is under way: some of its connections are in TIME_WAIT already. Undefined while there is none.
 * For loads in a network namespace of their own.
 */
export function loadingAgent(mark: Mark): Marked | undefined {
  return mark
    .processes()
    .find(
      ({ role, pid }) =>
        role === 'agent' && Number(/^TCP:.* tw (\d+)/m.exec(read(`/proc/${pid}/net/sockstat`))?.[1]) > 0,
    );
}

/** The present time on the clock of process starts. */
export function startClock(): number {
  return Number(read('/proc/uptime').split(' ')[0]) * 100;
}

/**
 * Those of `namespaces` that a process is in or holds a descriptor of. The kernel gives the numbers of namespaces that are gone to
 * new ones, so processes that began after `since` are not looked at: their namespaces are others, of the same number.
 * @param since of startClock(), at a time when the namespaces existed
 */
export function stillInUse(namespaces: readonly string[], since: number): string[] {
  const held = new Set(
    pids()
      .filter((pid) => mayHold(pid, since))
      .flatMap((pid) => [...namespacesOf(pid), ...list(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`))]),
  );
  return namespaces.filter((name) => held.has(name));
}

/** Not begun later; and no zombie, which waits only for its parent, PID 1 for those whose controller was killed. */
function mayHold(pid: number, since: number): boolean {
  // proc(5): after the name in parentheses, field 3 is the state and field 22 the start in hundredths of a second.
  const stat = read(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const zombie = fields[0] === 'Z' && list(`/proc/${pid}/task`).length === 1;
  return !zombie && Number(fields[19]) <= since;
}

/** Of a Tor network, each process is a proxy too. */
const PROGRAMS = PROXY_KINDS.map((kind) => programOf(proxySubjectOf(kind).defaults).binary);

function roleOf(command: readonly string[]): Marked['role'] {
  const [program = '', ...rest] = command;
  const script = rest.find((word) => !word.startsWith('--')) ?? '';
  if (basename(program) === 'unshare') return 'unshare';
  if (script.endsWith('/cli/main.js')) return 'controller';
  if (script.endsWith('/agent/entry.js')) return 'agent';
  if (script.endsWith('/agent/roles/origin.js')) return 'origin';
  if (script.endsWith('/agent/roles/proxy-role.js')) return 'proxy-role';
  if (script.endsWith('/agent/roles/neighbour.js')) return 'neighbour';
  if (PROGRAMS.includes(basename(program))) return 'proxy';
  return 'other';
}

export function namespacesOf(pid: number): string[] {
  return ['net', 'user', 'pid'].map((kind) => link(`/proc/${pid}/ns/${kind}`)).filter((name) => name !== '');
}

/** 9229, which Node's debugger listens on unless it is told otherwise, as /proc has it; and the state LISTEN. */
const DEBUGGER = /^ *\d+: [0-9A-F]+:240D [0-9A-F]+:0000 0A(?: +\S+){5} +(\d+)/gm;

/** The sockets by which a process lets a debugger in, as `socket:[12345]`. */
export function debuggerPorts(pid: number): string[] {
  const tables = ['tcp', 'tcp6'].map((name) => read(`/proc/${pid}/net/${name}`)).join('\n');
  const listening = [...tables.matchAll(DEBUGGER)].map(([, inode]) => `socket:[${inode}]`);
  const held = new Set(list(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`)));
  return listening.filter((socket) => held.has(socket));
}

function pids(): number[] {
  return list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function link(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
