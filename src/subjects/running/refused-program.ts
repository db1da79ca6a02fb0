/**
 * The program for bpftrace(8) that counts refused calls: bind(), connect(), sendto(), sendmsg() and listen() of IPv4 and IPv6, in one network namespace
 * or in all. What a call was about is read only when it was refused, so that the others cost little. Pure.
 *
 * It looks at the end of a system call alone (its tracepoint), where a call that succeeds costs one comparison; of one that was refused the arguments are
 * read from the registers that the program had when it called, which the kernel keeps at the end of its stack (task_pt_regs()). Where that place is
 * not known, on other processors, the arguments are kept at the entry and looked up at the exit.
 *
 * Not counted is what is no refusal: a connect() under way (EINPROGRESS, EALREADY), one that a signal interrupted, and a send that would block.
 * EAGAIN of a socket that has no local port yet is one: UDP found none (udp_v4_get_port() by inet_autobind(), net/ipv4/af_inet.c).
 */
import { BPF_COUNTED, BPF_READY } from './bpf-text.js';

export const REFUSABLE = ['bind', 'connect', 'sendto', 'sendmsg', 'listen'] as const;
export type Refusable = (typeof REFUSABLE)[number];
type WithAddress = Exclude<Refusable, 'listen'>;

/** Where a program looks: at the end of a call, or at both of its ends, which costs three times as much. */
type BpfWay = 'end' | 'both-ends';

/** The way that costs least on a processor. @param architecture as Node names it */
export function bpfWay(architecture: string = process.arch): BpfWay {
  return architecture === 'x64' ? 'end' : 'both-ends';
}

/** How it is asked: listen() on no descriptor, with a backlog that nobody uses. Listening is rare, so the question costs others nothing. */
export const ASK_BACKLOG = 0x6273;

interface Argument {
  /** In which a call has its address, at the tracepoint (include/linux/syscalls.h). */
  readonly name: string;
  /** Of struct pt_regs, which has it on x86-64 (man 2 syscall). */
  readonly register: string;
}

const ADDRESS_OF: Readonly<Record<WithAddress, Argument>> = {
  bind: { name: 'umyaddr', register: 'si' },
  connect: { name: 'uservaddr', register: 'si' },
  sendto: { name: 'addr', register: 'r8' },
  sendmsg: { name: 'msg', register: 'si' },
};

/** Numbers of system calls on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl), by which registers are known to be those of the call. */
const NUMBERS: Readonly<Record<Refusable, number>> = { bind: 49, connect: 42, sendto: 44, sendmsg: 46, listen: 50 };

const NAMESPACE = '((struct task_struct *)curtask)->nsproxy->net_ns->ns.inum';

/**
 * The program.
 * @param inode of the network namespace whose calls are counted; null: of all
 */
export function refusedProgram(inode: number | null, way: BpfWay = bpfWay()): string {
  const where = inode === null ? '' : ` && ${NAMESPACE} == ${inode}`;
  const calls = Object.keys(ADDRESS_OF) as WithAddress[];
  const probes =
    way === 'end'
      ? [...calls.map((call) => atEnd(call, where)), listenAtEnd(where)]
      : [...calls.map((call) => atBothEnds(call, where)), listenAtBothEnds(where)];
  return [`BEGIN { printf("${BPF_READY}\\n"); }`, ...probes].join('\n');
}

const ANSWER = `print(@refused); print(@total); printf("${BPF_COUNTED}\\n");`;

/** Not what is under way or was interrupted, and not what the kernel begins again (ERESTARTSYS and its like). */
const IS_REFUSAL = '$ret < 0 && $ret != -115 && $ret != -114 && $ret != -4 && $ret > -512';

/** The socket behind a descriptor, and what is known of it: protocol (0: it is none) and local port. Whatever cannot be read is 0. */
const SOCKET = `
    $file = (struct file *)*(uint64 *)((uint64)((struct task_struct *)curtask)->files->fdt->fd + 8 * (uint64)$fd);
    $sk = ((struct socket *)$file->private_data)->sk;
    $protocol = (uint64)$sk->sk_protocol;
    $local = (uint64)$sk->__sk_common.skc_num;`;

const KEY = (call: Refusable, address: string) =>
  `@refused[${REFUSABLE.indexOf(call)}, (uint64)(0 - $ret), $protocol, ${address}, pid, (uint64)cgroup, (uint64)${NAMESPACE}, comm] = count();
      @total["n"] = count();`;

/** Counts the refused call that $ret, $at (the address of its address) and $fd are of. */
function countAt(call: WithAddress): string {
  // struct user_msghdr begins with the pointer to the address (include/linux/socket.h).
  const pointer = call === 'sendmsg' ? '*(uint64 *)uptr($at)' : '$at';
  return `
    $from = (uint64)${pointer};
    $family = *(uint16 *)uptr($from);
    if ($from != 0 && ($family == 2 || $family == 10)) {${SOCKET}
      $port = *(uint16 *)uptr($from + 2);
      $high = (uint64)0;
      $low = (uint64)*(uint32 *)uptr($from + 4);
      if ($family == 10) { $high = *(uint64 *)uptr($from + 8); $low = *(uint64 *)uptr($from + 16); }
      if ($ret != -11 || $local == 0) {
      ${KEY(call, '(uint64)$family, $high, $low, (uint64)$port')}
      }
    }`;
}

/** listen() has no address: it is the socket's. */
const COUNT_LISTEN = `${SOCKET}
    $family = (uint64)$sk->__sk_common.skc_family;
    if ($family == 2 || $family == 10) {
      ${KEY('listen', '$family, (uint64)0, (uint64)$sk->__sk_common.skc_rcv_saddr, (uint64)(($local & 0xff) << 8 | $local >> 8)')}
    }`;

/**
 * $regs: the registers with which a call was made, at the end of the kernel's stack: 16 kB, with KASAN 32; since Linux 6.9 with FRED 16 bytes are left
 * free (THREAD_SIZE, TOP_OF_KERNEL_STACK_PADDING). The number of the call says which it is; where none is, the call is in no row, and counts as lost.
 */
function registersOf(call: Refusable): string {
  const isOther = `($regs->orig_ax & 0x3fffffff) != ${NUMBERS[call]}`;
  const [first, ...others] = ['16384', '16384 - 16', '32768', '32768 - 16'].map(
    (size) => `$regs = (struct pt_regs *)($stack + ${size} - sizeof(struct pt_regs));`,
  );
  return `
    $stack = (uint64)((struct task_struct *)curtask)->stack;
    ${[first, ...others.map((other) => `if (${isOther}) { ${other} }`)].join('\n    ')}
    if (${isOther}) { @total["n"] = count(); return; }`;
}

function atEnd(call: WithAddress, where: string): string {
  return `
tracepoint:syscalls:sys_exit_${call} /(int64)args->ret < 0${where}/ {
  $ret = (int64)args->ret;
  if (${IS_REFUSAL}) {${registersOf(call)}
    $at = (uint64)$regs->${ADDRESS_OF[call].register};
    $fd = (uint64)$regs->di & 0xffffffff;
    if ($at != 0) {${countAt(call)}
    }
  }
}`;
}

function listenAtEnd(where: string): string {
  const question = `(uint64)$regs->si == ${ASK_BACKLOG}`;
  return `
tracepoint:syscalls:sys_exit_listen /(int64)args->ret < 0/ {
  $ret = (int64)args->ret;
  if ($ret > -512) {${registersOf('listen')}
    $fd = (uint64)$regs->di & 0xffffffff;
    if ($fd == 0xffffffff) {
      if (${question}) { ${ANSWER} }
    } else if ($ret < 0${where}) {${COUNT_LISTEN}
    }
  }
}`;
}

function atBothEnds(call: WithAddress, where: string): string {
  const argument = `args->${ADDRESS_OF[call].name}`;
  return `
tracepoint:syscalls:sys_enter_${call} /(uint64)${argument} != 0${where}/ {
  @${call}[tid] = ((uint64)${argument}, (uint64)args->fd);
}
tracepoint:syscalls:sys_exit_${call} /@${call}[tid].0 != 0/ {
  $ret = (int64)args->ret;
  if (${IS_REFUSAL}) {
    $at = @${call}[tid].0;
    $fd = @${call}[tid].1;${countAt(call)}
  }
  delete(@${call}[tid]);
}`;
}

function listenAtBothEnds(where: string): string {
  return `
tracepoint:syscalls:sys_enter_listen /args->fd >= 0${where}/ { @listen[tid] = (uint64)args->fd + 1; }
tracepoint:syscalls:sys_exit_listen /@listen[tid] != 0/ {
  $ret = (int64)args->ret;
  if ($ret < 0 && $ret > -512) {
    $fd = @listen[tid] - 1;${COUNT_LISTEN}
  }
  delete(@listen[tid]);
}
tracepoint:syscalls:sys_enter_listen /args->fd == -1 && args->backlog == ${ASK_BACKLOG}/ {
  ${ANSWER}
}`;
}
