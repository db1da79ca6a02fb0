/**
 * The bind() and connect() calls of a proxy that the kernel refused, counted from what bpftrace(8) prints. Only calls for IPv4 and
 * IPv6; a connect() that goes on (EINPROGRESS) is no failure. Pure.
 */
import { errnoName } from '../../kernel/errno.js';
import type { SyscallCount, Syscalls } from '../proxy-report.js';
import { BPF_COUNTED, BPF_READY, mapsOf } from './bpf-text.js';

type Call = 'bind' | 'connect';

/**
 * Tracepoints of both calls in one network namespace. The maps `@calls[call]` and `@failed[call, pid, errno]` are printed when somebody in
 * the namespace calls bind() with the family {@link BPF_ASK}, then {@link BPF_COUNTED}: all in one event, which stays in order.
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

/** An address family that no kernel has; bind() with it fails and does nothing. */
export const BPF_ASK = 0xffff;

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

function listed(failures: ReadonlyMap<string, number>): Syscalls['failures'] {
  return [...failures]
    .map(([key, count]) => {
      const [pid, call, errno] = key.split(' ');
      return { pid: Number(pid), call: call as Call, errno: errno!, count };
    })
    .sort((a, b) => b.count - a.count || a.pid - b.pid);
}
