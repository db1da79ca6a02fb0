/**
 * What the VM lab boots: the engine, and the kernel by its name. Pure.
 */

/** uml: User-Mode Linux, a kernel that runs as one ordinary process. */
export const ENGINES = ['uml'] as const;

/** Debian suites whose kernels the lab can fetch by itself. */
export const DEBIAN_SUITES = ['bookworm', 'trixie', 'sid'] as const;

/** A path has a slash in it, so that a suite and a file of the same name are told apart. */
export function isKernelPath(name: string): boolean {
  return name.includes('/');
}

/** Why this is no name of a kernel, or undefined. */
export function kernelNameProblem(name: string): string | undefined {
  if (isKernelPath(name) || DEBIAN_SUITES.some((suite) => suite === name)) return undefined;
  return `found ${JSON.stringify(name)}; a kernel is a Debian suite (${DEBIAN_SUITES.join(', ')}) or a path with a slash, as ./linux`;
}
