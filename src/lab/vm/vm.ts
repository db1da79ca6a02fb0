/**
 * The VM lab: a guest with a kernel of one's choice for every run, gone afterwards. Everything in it lives in memory; the agent in
 * it is the one of the netns lab, and the guest's own namespace is the client's.
 */
import { freemem, totalmem } from 'node:os';
import { type KernelVersion, parseKernelVersion } from '../../capacity/kernel-version.js';
import { isKernelPath, type Runner } from '../../domain/guest.js';
import type { Arm, Guest } from '../../plan/plan.js';
import type { ProxySettings } from '../../subjects/index.js';
import { greetAgent } from '../agent-channel.js';
import { AgentDied, type Lab, LabError, type LabSession, type Note } from '../lab.js';
import { withLabRemedy } from '../remedy.js';
import { bootGuest, type GuestPlan } from './boot.js';
import { hasMemory } from './guest-memory.js';
import { guestPool } from './guest-pool.js';
import { guestImage, type ImageContents, keptImage, nodeLoader } from './image.js';
import { type GuestKernel, guestKernel, refuseKernel, refuseTooNew } from './kernel.js';
import { luggageOf } from './luggage.js';
import { goneSysctls, setsMachine } from './machine-wide.js';
import { CONNTRACK, NAT } from './modules.js';
import { IMAGE_NEEDS, whatIsMissing } from './requirements.js';

/** A guest is there in two to eight seconds; a busy machine may take ten times that. */
const BOOT_DEADLINE_MS: Readonly<Record<GuestKernel['engine'], number>> = { uml: 60_000, qemu: 120_000 };
/** Only the pages that the guest touches are taken from this machine: some 300 MB for a small run. */
const MEMORY = 2 ** 31;
const LEAST_MEMORY = 2 ** 29;

interface GuestOptions {
  /** Load the kernel's connection tracking, without which its sysctls do not exist. */
  readonly conntrack?: boolean;
  /** The arms have routers. */
  readonly nat?: boolean;
  /** What the arms have under test, of which the guest has the programs. */
  readonly subjects?: readonly ProxySettings[];
  /**
   * A guest may serve several runs, of these arms, and the lab is released in the end. Absent: each session has a guest of its own, which
   * ends with it.
   */
  readonly serving?: readonly Arm[];
}

/** @param note called with a message before slow steps, such as fetching a kernel */
export function vmLab(guest: Guest, note: Note, options: GuestOptions = {}): Lab {
  let plan: Promise<Prepared> | undefined;
  let kernel: GuestKernel | undefined;
  const boot = async (purpose: GuestPlan['purpose'], signal: AbortSignal | undefined) => {
    plan ??= prepare(guest, note, options);
    const { contents, ...prepared } = await plan;
    kernel = prepared.kernel;
    return openGuest({ ...prepared, image: keptImage(prepared.image, contents), purpose }, signal);
  };
  return {
    ...(options.serving ? shared(options.serving, (signal) => boot('run', signal)) : { open: boot }),
    kind: 'vm',
    refuse() {
      try {
        refuseKernel(guest);
      } catch (error) {
        throw namingKernel(error, options.serving ?? []);
      }
    },
    /** The engine is known when the kernel is. */
    get description() {
      return `virtual machine: ${kernel ? `${runsOn(kernel)}, ` : ''}kernel ${guest.kernel}`;
    },
    get engine() {
      return kernel && runnerOf(kernel);
    },
    get caveat() {
      return kernel && caveatOf(kernel);
    },
  };
}

/** Sessions in guests that serve several, as far as what the arms set allows it. */
function shared(
  arms: readonly Arm[],
  boot: (signal: AbortSignal | undefined) => Promise<LabSession>,
): Required<Pick<Lab, 'open' | 'prepare' | 'release'>> {
  const pool = guestPool(boot, () => hasMemory(MEMORY));
  let version: KernelVersion | undefined;
  return {
    open(purpose, signal, arm) {
      const some = purpose === 'run' && arm ? [arm] : arms;
      const isAlone = ({ environment }: LabSession['hello']) => {
        const kernel = parseKernelVersion(environment.kernel, environment.hz);
        version = kernel;
        return some.some((each) => setsMachine(each, kernel));
      };
      return pool.open(purpose, isAlone, signal);
    },
    prepare() {
      // As long as the kernel is not known, the session before is a rehearsal, in which all arms set what they set.
      pool.prepare(arms[version ? 'every' : 'some']((arm) => setsMachine(arm, version)));
    },
    release: pool.release,
  };
}

function runnerOf(kernel: GuestKernel): Runner {
  return kernel.engine === 'uml' ? 'uml' : `qemu-${kernel.accelerator.kind}`;
}

/** What runs a kernel, for a reader. */
function runsOn(kernel: GuestKernel): string {
  if (kernel.engine === 'uml') return 'User-Mode Linux';
  return kernel.accelerator.kind === 'kvm'
    ? 'QEMU with KVM'
    : `QEMU with an emulated CPU (TCG; KVM: ${kernel.accelerator.why})`;
}

function caveatOf(kernel: GuestKernel): string {
  return kernel.engine === 'qemu' && kernel.accelerator.kind === 'kvm'
    ? 'counts and errnos are exact; times are those of a virtual machine, and are not compared with those of another engine'
    : 'counts and errnos are exact; times are not those of this kernel on hardware, and are not compared with those of another engine';
}

interface Prepared extends Omit<GuestPlan, 'purpose'> {
  readonly contents: ImageContents;
}

/** What is not here is said before a kernel is fetched, and all that can be said before a boot is. */
async function prepare(
  guest: Guest,
  note: Note,
  { conntrack, nat, subjects = [], serving = [] }: GuestOptions,
): Promise<Prepared> {
  const luggage = luggageOf(subjects, nodeLoader());
  const memory = guestMemory();
  const modules = [...(nat ? NAT : conntrack ? CONNTRACK : []), ...luggage.modules];
  const kernel = await guestKernel(guest, note, modules).catch((error: unknown) => {
    throw isKernelPath(guest.kernel) ? namingKernel(error, serving) : error;
  });
  if (luggage.kernel) refuseTooNew(luggage.kernel, kernel);
  const contents = { modules: kernel.modules, luggage };
  return { kernel, image: guestImage(contents, memory), memory, contents };
}

/** The same error of a kernel that somebody was to give; where arms set what newer ones lack, with a remedy that says so. */
function namingKernel(error: unknown, arms: readonly Arm[]): unknown {
  const gone = goneSysctls(arms);
  if (!(error instanceof LabError) || gone.length === 0) return error;
  return new LabError(error.message, {
    cause: error.cause,
    remedy: `the profile sets what newer kernels have no more (${gone.join('; ')}): give an image of one that has it with --kernel PATH (docs/old-kernels.md), as no suite of Debian has one`,
  });
}

/** Whole MiB; no more than half of what the machine has. */
function guestMemory(): number {
  const half = Math.floor(totalmem() / 2 / 2 ** 20) * 2 ** 20;
  const memory = Math.min(MEMORY, half);
  if (memory < LEAST_MEMORY)
    throw new LabError(
      `a guest needs 512 MiB of memory; this machine has ${Math.round(totalmem() / 2 ** 20)} MiB (${Math.round(freemem() / 2 ** 20)} MiB free)`,
    );
  return memory;
}

/**
 * One that dies before its agent says hello is tried once more: a boot is the part where chance has a say.
 * @param signal kills a guest that is still booting
 */
export async function openGuest(plan: GuestPlan, signal?: AbortSignal): Promise<LabSession> {
  const lost: string[] = [];
  for (;;) {
    if (signal?.aborted) throw new LabError('the guest is no longer wanted');
    const channel = bootGuest(plan);
    signal?.addEventListener('abort', channel.kill, { once: true });
    try {
      const session = await greetAgent(channel, BOOT_DEADLINE_MS[plan.kernel.engine]);
      return { ...session, warnings: lost.map((how) => `a first guest was lost before its agent said hello (${how})`) };
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      const died = error.cause instanceof AgentDied;
      const refused = withLabRemedy(error);
      if (died && refused !== error) throw refused;
      if (!died || lost.length > 0 || signal?.aborted) throw explained(error, plan.kernel, channel.stderr());
      lost.push((error.cause as AgentDied).message);
    }
  }
}

/** An image of the user's own may lack what a guest needs: say what. */
function explained(error: LabError, kernel: GuestKernel, console: string): LabError {
  if (kernel.engine !== 'qemu' || !kernel.given) return error;
  const missing = whatIsMissing(console, error.message);
  const message = missing === null ? error.message : `${error.message}; ${missing}`;
  return new LabError(message, { cause: error.cause, remedy: IMAGE_NEEDS });
}
