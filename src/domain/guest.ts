/**
 * What the VM lab boots: the engine, and the kernel by its name. Pure.
 */

/** uml: User-Mode Linux, a kernel that runs as one ordinary process. qemu: a machine for a kernel image as hardware boots it. */
export const ENGINES = ['uml', 'qemu'] as const;
export type Engine = (typeof ENGINES)[number];

/** What runs the guests of the VM lab. */
export const RUNNERS = ['uml', 'qemu-kvm', 'qemu-tcg'] as const;
/**
 * What runs a virtual machine's processor, on which its speed depends: times of one are not those of another. That of a Vagrant box is
 * its provider, as in `vagrant-libvirt`.
 */
export type Runner = (typeof RUNNERS)[number] | `vagrant-${string}`;

/** Debian suites whose kernels the lab can fetch by itself, the oldest first. */
export const DEBIAN_SUITES = ['bullseye', 'bookworm', 'trixie', 'sid'] as const;

/** The kernel that this machine runs, in a guest of its own. */
export const RUNNING = 'running';

/** Kernels of one experiment. */
export const MAX_KERNELS = 8;

/** A path has a slash in it, so that a suite and a file of the same name are told apart. */
export function isKernelPath(name: string): boolean {
  return name.includes('/');
}

/** Why this is no name of a kernel, or undefined. */
export function kernelNameProblem(name: string): string | undefined {
  if (isKernelPath(name) || name === RUNNING || DEBIAN_SUITES.some((suite) => suite === name)) return undefined;
  return `${JSON.stringify(name)} is not a kernel; use a Debian suite (${DEBIAN_SUITES.join(', ')}), "${RUNNING}" for the kernel of this machine, or a path with a slash, for example ./linux`;
}

/**
 * What boots a kernel where nobody names an engine. For Debian's suites User-Mode Linux, which needs neither a hypervisor nor root.
 * @param engineOf what boots the file at a path; undefined when it cannot be told
 */
export function engineFor(kernel: string, engineOf: (path: string) => Engine | undefined): Engine {
  if (kernel === RUNNING) return 'qemu';
  return (isKernelPath(kernel) ? engineOf(kernel) : undefined) ?? 'uml';
}

/** Why no such kernel runs on such an engine, as far as the names tell; or undefined. */
export function engineProblem({
  engine,
  kernel,
}: {
  readonly engine: Engine;
  readonly kernel: string;
}): string | undefined {
  if (engine !== 'uml' || kernel !== RUNNING) return undefined;
  return 'engine uml cannot boot the kernel "running": User-Mode Linux is a kernel built as a program, and the kernel of this machine is not; use engine qemu';
}
