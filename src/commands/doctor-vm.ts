/**
 * What `bindstorm doctor` says of the VM lab: whether a guest really boots here, with a kernel that is in the cache already.
 */
import { LabError } from '../lab/lab.js';
import { findProgram } from '../lab/remedy.js';
import { cachedKernels } from '../lab/vm/debian-kernel.js';
import { vmLab } from '../lab/vm/vm.js';
import { DEBIAN_SUITES } from '../profile/guest.js';

export interface VmFinding {
  readonly what: string;
  readonly state: 'ok' | 'warning';
  readonly detail: string;
  readonly remedy: string | null;
}

const OTHERS = 'the other labs work without it';

/** Nothing here is a must: without a VM lab the others work. Fetches nothing. */
export async function examineVm(): Promise<VmFinding[]> {
  const what = 'guest (UML)';
  if (process.arch !== 'x64')
    return [
      { what, state: 'warning', detail: `User-Mode Linux runs on x86-64, not on ${process.arch}`, remedy: OTHERS },
    ];
  const cached = cachedKernels('uml');
  return [kernels(cached), ...(cached[0] === undefined ? [] : [await boot(what, cached[0])])];
}

function kernels(cached: readonly string[]): VmFinding {
  const what = 'guest kernels';
  if (cached.length > 0) return { what, state: 'ok', detail: `in the cache: ${cached.join(', ')}`, remedy: null };
  const missing = ['apt-get', 'dpkg-deb'].filter((program) => findProgram(program) === undefined);
  return missing.length === 0
    ? {
        what,
        state: 'ok',
        detail: `none in the cache; --lab vm fetches one when first used (${DEBIAN_SUITES.join(', ')})`,
        remedy: null,
      }
    : {
        what,
        state: 'warning',
        detail: `none in the cache, and none can be fetched without ${missing.join(' and ')}`,
        remedy:
          'fetch the package user-mode-linux on a Debian machine, and give the path of its linux.uml with --kernel',
      };
}

async function boot(what: string, kernel: string): Promise<VmFinding> {
  const begun = performance.now();
  try {
    const session = await vmLab({ engine: 'uml', kernel }, () => {}).open('check');
    const release = session.hello.environment.kernel;
    const ms = Math.round(performance.now() - begun);
    await session.close();
    return { what, state: 'ok', detail: `Linux ${release} of ${kernel} says hello after ${ms} ms`, remedy: null };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { what, state: 'warning', detail, remedy: (error instanceof LabError && error.remedy) || OTHERS };
  }
}
