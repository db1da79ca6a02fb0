/**
 * A command below a filter of seccomp(2) that refuses system calls, as the default profile of a container's engine does.
 */

/** x86-64 (arch/x86/entry/syscalls/syscall_64.tbl), and the generic numbers of arm64 and riscv64. */
const NUMBERS =
  process.arch === 'x64'
    ? { bpf: 321, perf_event_open: 298, setns: 308, socket: 41 }
    : { bpf: 280, perf_event_open: 241, setns: 268, socket: 198 };
export type Filtered = keyof typeof NUMBERS;
export const ERRNOS = { EPERM: 1, ENOSYS: 38 } as const;

/**
 * PR_SET_NO_NEW_PRIVS, then seccomp(SECCOMP_SET_MODE_FILTER) with a program of BPF: load the number of the call (seccomp_data.nr), compare it with each
 * that is refused, and return SECCOMP_RET_ALLOW or SECCOMP_RET_ERRNO.
 */
const SCRIPT = `
import ctypes, os, platform, struct, sys
errno, numbers, command = int(sys.argv[1]), [int(n) for n in sys.argv[2].split(',')], sys.argv[3:]
rows = [(0x20, 0, 0, 0)] + [(0x15, len(numbers) - i, 0, n) for i, n in enumerate(numbers)]
rows += [(6, 0, 0, 0x7fff0000), (6, 0, 0, 0x00050000 | errno)]
filter = ctypes.create_string_buffer(b''.join(struct.pack('HBBI', *row) for row in rows))
program = ctypes.create_string_buffer(struct.pack('HxxxxxxQ', len(rows), ctypes.addressof(filter)))
libc = ctypes.CDLL(None, use_errno=True)
number = 317 if platform.machine() == 'x86_64' else 277
if libc.prctl(38, 1, 0, 0, 0) != 0 or libc.syscall(number, 1, 0, ctypes.byref(program)) != 0:
    sys.exit('no filter: ' + os.strerror(ctypes.get_errno()))
os.execvp(command[0], command)
`;

/** What stands before a command, with python3. @param calls that are refused, whatever they ask */
export function filteredWith(errno: keyof typeof ERRNOS, ...calls: readonly Filtered[]): string[] {
  return ['python3', '-c', SCRIPT, String(ERRNOS[errno]), calls.map((call) => NUMBERS[call]).join(',')];
}
