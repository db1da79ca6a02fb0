/**
 * The VM lab: a guest with a kernel of one's choice for every run, gone afterwards. Everything in it lives in memory; the agent in
 * it is the one of the netns lab, and the guest's own namespace is the client's.
 */
import { freemem, totalmem } from 'node:os';
import type { Guest } from '../../profile/plan.js';
import { greetAgent } from '../agent-channel.js';
import { AgentDied, type Lab, LabError, type LabSession } from '../lab.js';
import { labRemedy } from '../remedy.js';
import { bootGuest, type GuestPlan } from './boot.js';
import { guestImage } from './image.js';
import { type GuestKernel, guestKernel } from './kernel.js';

/** A guest is there in two to eight seconds; a busy machine may take ten times that. */
const BOOT_DEADLINE_MS: Readonly<Record<GuestKernel['engine'], number>> = { uml: 60_000, qemu: 120_000 };
/** Only the pages that the guest touches are taken from this machine: some 300 MB for a small run. */
const MEMORY = 2 ** 31;
const LEAST_MEMORY = 2 ** 29;

/** @param note told what takes long, as the fetching of a kernel */
export function vmLab(guest: Guest, note: (text: string) => void): Lab {
  let plan: Promise<Omit<GuestPlan, 'purpose'>> | undefined;
  let kernel: GuestKernel | undefined;
  return {
    kind: 'vm',
    /** The engine is known when the kernel is. */
    get description() {
      return `virtual machine: ${kernel ? `${runsOn(kernel)}, ` : ''}kernel ${guest.kernel}`;
    },
    get caveat() {
      return kernel && caveatOf(kernel);
    },
    async open(purpose) {
      plan ??= prepare(guest, note);
      const prepared = await plan;
      kernel = prepared.kernel;
      return openGuest({ ...prepared, purpose });
    },
  };
}

/** What runs a kernel, for a reader. */
export function runsOn(kernel: GuestKernel): string {
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

async function prepare(guest: Guest, note: (text: string) => void): Promise<Omit<GuestPlan, 'purpose'>> {
  const kernel = await guestKernel(guest, note);
  return { kernel, image: guestImage(kernel.modules), memory: guestMemory() };
}

/** Whole MiB; no more than half of what the machine has. */
function guestMemory(): number {
  const half = Math.floor(totalmem() / 2 / 2 ** 20) * 2 ** 20;
  const memory = Math.min(MEMORY, half);
  if (memory < LEAST_MEMORY)
    throw new LabError(
      `a guest needs 512 MiB of memory, and this machine has ${Math.round(totalmem() / 2 ** 20)} MiB (${Math.round(freemem() / 2 ** 20)} MiB free)`,
    );
  return memory;
}

/** One that dies before its agent says hello is tried once more: a boot is the part where chance has a say. */
async function openGuest(plan: GuestPlan): Promise<LabSession> {
  const deadline = BOOT_DEADLINE_MS[plan.kernel.engine];
  try {
    return await greetAgent(bootGuest(plan), deadline);
  } catch (error) {
    if (!(error instanceof LabError && error.cause instanceof AgentDied)) throw error;
    if (/setpriv|unshare/.test(error.message))
      throw new LabError(error.message, { cause: error.cause, remedy: labRemedy() });
    const session = await greetAgent(bootGuest(plan), deadline);
    return { ...session, warnings: [`a first guest was lost before its agent said hello (${error.cause.message})`] };
  }
}
