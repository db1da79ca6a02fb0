/**
 * The kernel's view of a proxy: its bind() and connect() calls that failed. By eBPF where that works, else by strace, which makes
 * each of these calls slower by some 20 µs; so this is done in a run of its own, of which no time is used.
 */
import { existsSync, statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { mount } from '../../kernel/boot.js';
import { bind, nativeBuffer } from '../../kernel/libc.js';
import { findProgram } from '../../machine/programs.js';
import type { ObservationWay, SyscallCount, Syscalls } from '../proxy-report.js';
import { startBpf } from './bpf.js';
import { BPF_ASK, bpfProgram, countBpf } from './syscalls.js';
import { type Tail, tailFile } from './tail.js';

export interface Observation {
  /** What stands before the command of the nth program that is observed. */
  prefix(nth: number): readonly string[];
  /** What was counted so far; absent: it is known only in the end. */
  look?(): Syscalls;
  /**
   * After the end of the proxy: what was counted. Rejects when it cannot be had.
   * @param pid of the program, whose end is waited for in the trace
   */
  finish(pid?: number): Promise<Syscalls>;
}

/**
 * The calls that say how connections get their ports. strace is asked by the kernel for these alone (--seccomp-bpf), others run at full speed.
 * A call that a what-if stops is none of these: the kernel heeds the filter that asks for a notification and not that of strace (seccomp(2):
 * SECCOMP_RET_USER_NOTIF before SECCOMP_RET_TRACE), so that strace then stops the program at all its calls.
 */
const TRACED = 'trace=socket,setsockopt,bind,connect,listen,close,sendto,sendmsg';
/** The tracer reads what the kernel tells it of a program that has ended. */
const LAST_LINES_MS = 2_000;
/** Compiling and attaching takes one to two seconds. */
const ATTACH_DEADLINE_MS = 15_000;
const TRACEFS = '/sys/kernel/tracing';

/**
 * Begin to observe the calls of this network namespace, or of the program that is started with the prefix.
 * @param way what to try first
 * @param file where strace writes, a number behind it, readable by this process only
 * @param root the caller is root of the machine; others may not use eBPF
 * @param createCount counts the lines of strace
 * @param supervised its bind() calls are stopped by a what-if
 * @returns a text that says why nothing is observed, where neither way is open
 */
export async function startObservation(
  way: ObservationWay,
  file: string,
  root: boolean,
  createCount: () => SyscallCount,
  supervised = false,
): Promise<Observation | string> {
  const bpftrace = way === 'ebpf' && root ? findProgram('bpftrace') : undefined;
  const byBpf = bpftrace === undefined ? undefined : await observeByBpf(bpftrace);
  if (byBpf !== undefined) return byBpf;
  const strace = findProgram('strace');
  if (strace === undefined)
    return 'program strace not found; install it, for example: apt-get install --no-install-recommends strace (or bpftrace, for root)';
  const tails: Tail[] = [];
  const count = createCount();
  const look = () => {
    for (const tail of tails) for (const line of tail()) count.add(line);
    return count.result();
  };
  return {
    prefix(nth) {
      const path = `${file}.${nth}`;
      tails.push(tailFile(path));
      // -DD: the program is the child of whoever starts it, and not of the tracer, so that it ends and is ended as without.
      // -q and not -qq, which would leave out the line that says that a process has ended, and finish() would wait for it in vain.
      const how = ['-f', '-DD', '-q', ...(supervised ? [] : ['--seccomp-bpf']), '-s', '0'];
      return [strace, ...how, '-e', TRACED, '-e', 'signal=none', '-o', path, '--'];
    },
    look,
    async finish(pid) {
      const deadline = performance.now() + LAST_LINES_MS;
      look();
      while (pid !== undefined && !count.hasEnded(pid) && performance.now() < deadline) {
        await wait(2);
        look();
      }
      return look();
    },
  };
}

/** @returns undefined where eBPF, its tracepoints or the types of the kernel are not available */
async function observeByBpf(bpftrace: string): Promise<Observation | undefined> {
  if (!mayTrace()) return undefined;
  const count = countBpf();
  const text = bpfProgram(statSync('/proc/self/ns/net').ino);
  const bpf = await startBpf({
    command: [bpftrace],
    text,
    attachMs: ATTACH_DEADLINE_MS,
    ask: askBpf,
    onLine: count.add,
  });
  if (typeof bpf === 'string') return undefined;
  return {
    prefix: () => [],
    async finish() {
      await bpf.read().finally(bpf.close);
      return count.result();
    },
  };
}

const ASK_LENGTH = 16;

/** Called in the namespace that is observed. The tracepoint comes before the kernel looks at the descriptor, which is none. */
function askBpf(): void {
  const address = nativeBuffer(ASK_LENGTH);
  address.view.setUint16(0, BPF_ASK, true);
  bind(-1, address.address, ASK_LENGTH);
}

/** The tracepoints are in tracefs, which need not be mounted; the mount is of this mount namespace only. */
function mayTrace(): boolean {
  const isThere = () => existsSync(`${TRACEFS}/events/syscalls/sys_enter_bind`);
  if (isThere()) return true;
  try {
    mount('tracefs', TRACEFS);
  } catch {
    return false;
  }
  return isThere();
}
