/**
 * The bind() and connect() calls of a proxy that the kernel refused, counted from what bpftrace(8) prints. Only calls for IPv4 and
 * IPv6; a connect() that goes on (EINPROGRESS) is no failure. Pure.
 */
import { unlessThrown } from '../../domain/error.js';
import { errnoName } from '../../kernel/errno.js';
import type { SyscallCount, Syscalls } from '../proxy-report.js';

type Call = 'bind' | 'connect';

/**
 * Tracepoints of both calls in one network namespace. The maps `@calls[call]` and `@failed[call, pid, errno]` are printed when somebody in
 * the namespace calls bind() with the family {@link BPF_ASK}, then {@link BPF_COUNTED}: all in one event, which stays in order. What
 * bpftrace prints at its end comes only after it has detached, for which the kernel waits for grace periods of RCU, each as long as it
 * takes until every CPU and task was once somewhere else: under load more than half a minute was seen.
 * @param inode of the namespace, as `/proc/self/ns/net` names it
 */
export function bpfProgram(inode: number): string {
  const here = `((struct task_struct *)curtask)->nsproxy->net_ns->ns.inum == ${inode}`;
  const probes = (call: Call, address: string, asked: string) => `
tracepoint:syscalls:sys_enter_${call} /${here}/ {
  @${call}[tid] = (uint64)*(uint16 *)args->${address};${asked}
}
tracepoint:syscalls:sys_exit_${call} /@${call}[tid]/ {
  $family = @${call}[tid];
  if ($family == 2 || $family == 10) {
    @calls["${call}"] = count();
    if (args->ret < 0 && args->ret != -115) { @failed["${call}", pid, -args->ret] = count(); }
  }
  delete(@${call}[tid]);
}`;
  const answer = `
  if (@bind[tid] == ${BPF_ASK}) { print(@calls); print(@failed); printf("${BPF_COUNTED}\\n"); }`;
  return `BEGIN { printf("${BPF_READY}\\n"); }${probes('bind', 'umyaddr', answer)}${probes('connect', 'uservaddr', '')}`;
}

/** What the program prints when its probes are attached. */
export const BPF_READY = 'bindstorm-ready';
/** An address family that no kernel has; bind() with it fails and does nothing. */
export const BPF_ASK = 0xffff;
/** What the program prints behind the maps that it was asked for. */
export const BPF_COUNTED = 'bindstorm-counted';

/** Counts what the program above prints with `bpftrace -f json`; each print has the whole. */
export function countBpf(): SyscallCount {
  const calls = { bind: 0, connect: 0 };
  const failures = new Map<string, number>();
  return {
    add(line) {
      const maps = mapsOf(line);
      for (const [call, n] of Object.entries(maps['@calls'] ?? {})) {
        if (call === 'bind' || call === 'connect') calls[call] = n;
      }
      for (const [key, n] of Object.entries(maps['@failed'] ?? {})) {
        const [call, pid, errno] = key.split(',');
        failures.set(`${pid} ${call} ${errnoName(Number(errno))}`, n);
      }
    },
    hasEnded: () => false,
    result: () => ({ by: 'ebpf', calls, failures: listed(failures) }),
  };
}

function mapsOf(line: string): Record<string, Record<string, number>> {
  const value: { type?: unknown; data?: unknown } = unlessThrown(() => JSON.parse(line), {});
  return value.type === 'map' ? (value.data as Record<string, Record<string, number>>) : {};
}

function listed(failures: ReadonlyMap<string, number>): Syscalls['failures'] {
  return [...failures]
    .map(([key, count]) => {
      const [pid, call, errno] = key.split(' ');
      return { pid: Number(pid), call: call as Call, errno: errno!, count };
    })
    .sort((a, b) => b.count - a.count || a.pid - b.pid);
}
