/**
 * What the VM lab boots: the engine, and the kernel by its name. Pure.
 */

/** uml: User-Mode Linux, a kernel that runs as one ordinary process. qemu: a machine for a kernel image as hardware boots it. */
export const ENGINES = ['uml', 'qemu'] as const;
export type Engine = (typeof ENGINES)[number];

/** Debian suites whose kernels the lab can fetch by itself, the oldest first. */
export const DEBIAN_SUITES = ['bullseye', 'bookworm', 'trixie', 'sid'] as const;

/** The kernel that this machine runs, in a guest of its own. */
export const RUNNING = 'running';

/** A path has a slash in it, so that a suite and a file of the same name are told apart. */
export function isKernelPath(name: string): boolean {
  return name.includes('/');
}

/** Why this is no name of a kernel, or undefined. */
export function kernelNameProblem(name: string): string | undefined {
  if (isKernelPath(name) || name === RUNNING || DEBIAN_SUITES.some((suite) => suite === name)) return undefined;
  return `found ${JSON.stringify(name)}; a kernel is a Debian suite (${DEBIAN_SUITES.join(', ')}), "${RUNNING}" for that of this machine, or a path with a slash, as ./linux`;
}

/** Why no such kernel runs on such an engine, as far as the names tell; or undefined. */
export function engineProblem({ engine, kernel }: { engine?: Engine | undefined; kernel: string }): string | undefined {
  if (engine !== 'uml' || kernel !== RUNNING) return undefined;
  return 'found engine uml with kernel running: User-Mode Linux is a kernel built as a program, and the kernel that this machine runs is not; use engine qemu';
}
