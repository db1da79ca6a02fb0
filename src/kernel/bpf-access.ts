/**
 * Whether this process may use eBPF on tracepoints: two system calls asked for what they cannot do. Where they may be used they say so; a filter, or a
 * kernel without them, answers otherwise.
 */
import { EACCES, ENOSYS, EPERM } from './errno.js';
import { errno, nativeBuffer, syscall, syscall5 } from './libc.js';

/** x86-64 (arch/x86/entry/syscalls/syscall_64.tbl), and the generic numbers of arm64 and riscv64. */
const NUMBERS = process.arch === 'x64' ? { bpf: 321, perfEventOpen: 298 } : { bpf: 280, perfEventOpen: 241 };
/** No command of bpf(2): EINVAL. */
const NO_COMMAND = 0x7fffffff;
const ATTRIBUTES = 16;
const REFUSALS: readonly number[] = [EPERM, EACCES, ENOSYS];

/** The first of bpf(2) and perf_event_open(2) that is refused whatever it is asked; null: neither is. */
export function refusedBpfCall(): { readonly call: string; readonly errno: number } | null {
  const attributes = nativeBuffer(ATTRIBUTES);
  const calls = [
    { call: 'bpf', ask: () => syscall(NUMBERS.bpf, NO_COMMAND, attributes.address, ATTRIBUTES) },
    // Without attributes, of no process and no CPU: EFAULT.
    { call: 'perf_event_open', ask: () => syscall5(NUMBERS.perfEventOpen, 0, -1, -1, -1, 0) },
  ];
  for (const { call, ask } of calls) {
    if (ask() >= 0) continue;
    const error = errno();
    if (REFUSALS.includes(error)) return { call, errno: error };
  }
  return null;
}
