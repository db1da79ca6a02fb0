/**
 * What `bindstorm doctor` says of the VM lab: for each engine whether a guest really boots here, with a kernel that is in the cache
 * already.
 */

import { DEBIAN_SUITES, ENGINES, type Engine } from '../domain/guest.js';
import { LabError } from '../lab/lab.js';
import { qemuVersion } from '../lab/vm/accelerator.js';
import { cachedKernels } from '../lab/vm/debian-kernel.js';
import { INSTALL_QEMU, QEMU } from '../lab/vm/qemu.js';
import { vmLab } from '../lab/vm/vm.js';
import { findProgram } from '../machine/programs.js';

export interface VmFinding {
  readonly what: string;
  readonly state: 'ok' | 'warning';
  readonly detail: string;
  readonly remedy: string | null;
}

const OTHERS = 'the other labs work without it';

/** Nothing here is a must: without a VM lab the others work. Fetches nothing. */
export async function examineVm(): Promise<VmFinding[]> {
  if (process.arch !== 'x64')
    return [{ what: 'guests', state: 'warning', detail: `of x86-64 only, not of ${process.arch}`, remedy: OTHERS }];
  const cached = new Map(ENGINES.map((engine) => [engine, cachedKernels(engine)]));
  const version = qemuVersion();
  const bootable = ENGINES.filter((engine) => engine === 'uml' || version !== undefined);
  const findings = [kernels(cached), qemu(version, cached.get('qemu')!.length > 0)];
  for (const engine of bootable) {
    const kernel = cached.get(engine)?.[0];
    if (kernel !== undefined) findings.push(await boot(engine, kernel));
  }
  return findings;
}

function kernels(cached: ReadonlyMap<Engine, readonly string[]>): VmFinding {
  const what = 'guest kernels';
  const there = [...cached].filter(([, suites]) => suites.length > 0);
  if (there.length > 0) {
    const detail = `in the cache: ${there.map(([engine, suites]) => `${suites.join(', ')} (${engine})`).join('; ')}`;
    return { what, state: 'ok', detail, remedy: null };
  }
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
          'fetch the package user-mode-linux on a Debian machine, and give the path of its linux.uml with --kernel; or give that of any bzImage',
      };
}

function qemu(version: string | undefined, tried: boolean): VmFinding {
  const what = 'QEMU';
  return version === undefined
    ? {
        what,
        state: 'warning',
        detail: `${QEMU} not found: only kernels of User-Mode Linux boot`,
        remedy: INSTALL_QEMU,
      }
    : {
        what,
        state: 'ok',
        detail: `${version}${tried ? '' : '; whether KVM works is tried with the first kernel'}`,
        remedy: null,
      };
}

async function boot(engine: Engine, kernel: string): Promise<VmFinding> {
  const what = `guest (${engine})`;
  const lab = vmLab({ engine, kernel }, () => {});
  const begun = performance.now();
  try {
    const session = await lab.open('check');
    const release = session.hello.environment.kernel;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const times = `says hello after ${seconds(performance.now() - begun)}, of which its boot took ${seconds(session.bootMs ?? 0)}`;
    await session.close();
    return { what, state: 'ok', detail: `Linux ${release} of ${kernel} ${times}; ${lab.description}`, remedy: null };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { what, state: 'warning', detail, remedy: (error instanceof LabError && error.remedy) || OTHERS };
  }
}
