/**
 * What `bindstorm doctor` says of the VM lab: for each engine whether a guest really boots here, with a kernel that is in the cache
 * already.
 */
import { messageOf } from '../../domain/error.js';
import { DEBIAN_SUITES, ENGINES, type Engine } from '../../domain/guest.js';
import { findProgram } from '../../machine/programs.js';
import { type Finding, ok, warning } from '../finding.js';
import { LabError } from '../lab.js';
import { qemuVersion } from './accelerator.js';
import { cachedKernels } from './debian-kernel.js';
import { INSTALL_QEMU, QEMU } from './qemu.js';
import { vmLab } from './vm.js';

const OTHERS = 'the other labs work without it';

/** Nothing here is a must: without a VM lab the others work. Fetches nothing. @param boot whether guests are tried */
export async function examineVm({ boot: isTried = true } = {}): Promise<Finding[]> {
  if (process.arch !== 'x64') return [warning('guests', `of x86-64 only, not of ${process.arch}`, OTHERS)];
  const cached = new Map(ENGINES.map((engine) => [engine, cachedKernels(engine)]));
  const version = qemuVersion();
  const bootable = ENGINES.filter((engine) => engine === 'uml' || version !== undefined);
  const findings = [kernels(cached), qemu(version, cached.get('qemu')!.length > 0)];
  for (const engine of bootable) {
    const kernel = cached.get(engine)?.[0];
    if (isTried && kernel !== undefined) findings.push(await boot(engine, kernel));
  }
  return findings;
}

function kernels(cached: ReadonlyMap<Engine, readonly string[]>): Finding {
  const what = 'guest kernels';
  const there = [...cached].filter(([, suites]) => suites.length > 0);
  if (there.length > 0)
    return ok(what, `in the cache: ${there.map(([engine, suites]) => `${suites.join(', ')} (${engine})`).join('; ')}`);
  const missing = ['apt-get', 'dpkg-deb'].filter((program) => findProgram(program) === undefined);
  if (missing.length === 0)
    return ok(what, `none in the cache; --lab vm fetches one when first used (${DEBIAN_SUITES.join(', ')})`);
  return warning(
    what,
    `none in the cache, and none can be fetched without ${missing.join(' and ')}`,
    'fetch the package user-mode-linux on a Debian machine, and give the path of its linux.uml with --kernel; or give that of any bzImage',
  );
}

function qemu(version: string | undefined, tried: boolean): Finding {
  if (version === undefined)
    return warning('QEMU', `${QEMU} not found: only kernels of User-Mode Linux boot`, INSTALL_QEMU);
  return ok('QEMU', `${version}${tried ? '' : '; whether KVM works is tried with the first kernel'}`);
}

async function boot(engine: Engine, kernel: string): Promise<Finding> {
  const what = `guest (${engine})`;
  const lab = vmLab({ engine, kernel }, () => {});
  const begun = performance.now();
  try {
    const session = await lab.open('check');
    const release = session.hello.environment.kernel;
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
    const times = `says hello after ${seconds(performance.now() - begun)}, of which its boot took ${seconds(session.bootMs ?? 0)}`;
    await session.close();
    return ok(what, `Linux ${release} of ${kernel} ${times}; ${lab.description}`);
  } catch (error) {
    const remedy = (error instanceof LabError && error.remedy) || OTHERS;
    return warning(what, messageOf(error), remedy);
  }
}
