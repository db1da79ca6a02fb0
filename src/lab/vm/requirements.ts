/**
 * What a kernel image from elsewhere must contain to be a guest of this lab; and, from what a guest said before it was lost, what
 * it lacked. Pure.
 */

/** Built in, as a guest loads no module before Node runs. Names as in a kernel's .config, without CONFIG_. */
const MUST = [
  '64BIT',
  'BLK_DEV_INITRD (its root filesystem, uncompressed)',
  'BINFMT_ELF',
  'PRINTK, TTY, SERIAL_8250 and SERIAL_8250_CONSOLE with three ports',
  'PROC_FS, PROC_SYSCTL, SYSFS',
  'NET, INET, UNIX, NET_NS',
  'FUTEX, EPOLL, EVENTFD, POSIX_TIMERS, SHMEM',
] as const;
const SHOULD = [
  'DEVTMPFS',
  'PCI and ACPI (to switch off)',
  'IPV6',
  'VETH (or client and origin share a namespace)',
  'INET_DIAG and INET_TCP_DIAG (or sockets are not counted)',
] as const;

/** For a remedy, in one sentence. */
export const IMAGE_NEEDS = `a kernel image for a guest has built in: ${MUST.join('; ')}. It should have: ${SHOULD.join('; ')}. Modules are loaded where /lib/modules of this machine, or lib/modules beside the image's folder, has those of its release`;

interface Symptom {
  readonly pattern: RegExp;
  readonly lacks: string;
}

const SYMPTOMS: readonly Symptom[] = [
  {
    pattern: /VFS: (?:Unable to mount|Cannot open) root/,
    lacks: 'it found no root filesystem: BLK_DEV_INITRD is missing, or the memory was too small for the image',
  },
  {
    pattern: /Failed to execute \/init \(error -8\)|No working init found/,
    lacks: 'it cannot start a program for x86-64: BINFMT_ELF or 64BIT is missing',
  },
  { pattern: /FATAL: kernel too old/, lacks: "it is older than what the C library of this machine's Node takes" },
  { pattern: /GLIBC_\S+' not found/, lacks: "the libraries of this machine's Node do not fit together" },
  {
    pattern: /(?:EIO|ENXIO|ENODEV|ENOENT)\b.*\/dev\/ttyS[12]/,
    lacks: 'it has fewer than three serial ports: see SERIAL_8250_NR_UARTS and SERIAL_8250_RUNTIME_UARTS',
  },
  { pattern: /mount failed with ENODEV \(\/proc\)/, lacks: 'PROC_FS is missing' },
  { pattern: /mount failed with ENODEV \(\/sys\)/, lacks: 'SYSFS is missing' },
  { pattern: /epoll_create|eventfd|ENOSYS|function not implemented/i, lacks: 'it lacks a system call that Node needs' },
];

/**
 * What an image lacks, as far as it shows.
 * @param said the end of the guest's console
 * @param error how it ended
 */
export function whatIsMissing(said: string, error: string): string | null {
  if (said.trim() === '')
    return 'it said nothing: SERIAL_8250_CONSOLE is missing, or it is not for a CPU of x86-64 as it is emulated here';
  return SYMPTOMS.find(({ pattern }) => pattern.test(`${said}\n${error}`))?.lacks ?? null;
}
