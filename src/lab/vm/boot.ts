/**
 * The start of a guest, by either engine: one chain of processes, the same lines, the same end.
 *
 * All of it lies in a PID namespace, whose end is the end of all, by the chain of the netns lab (src/lab/netns.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import { DIE_WITH_PARENT } from '../../machine/parent-death.js';
import { waitedForCpu } from '../../machine/waited-for-cpu.js';
import type { AgentChannel } from '../agent-channel.js';
import { unshareCommand } from '../netns.js';
import { seedParameters } from './first-program.js';
import { guestInput } from './guest-input.js';
import { checkMemory, checkTotalMemory, memoryFolder, withOwnMemory } from './guest-memory.js';
import { createGuestState } from './guest-state.js';
import type { GuestKernel } from './kernel.js';
import { qemuCommand } from './qemu.js';
import { umlCommand } from './uml.js';

export interface GuestPlan {
  readonly kernel: GuestKernel;
  /** The root filesystem, a cpio archive. */
  readonly image: string;
  /** Bytes. */
  readonly memory: number;
  readonly purpose: 'run' | 'check';
  /** Absolute path, in the image, of a module of Node to start in place of the agent, with the same streams. */
  readonly entry?: string;
}

/**
 * Goes on only while its parent is still the one that started it. Without it, a controller that is killed before setpriv(1) has asked
 * for the signal of its death would leave a guest behind (prctl(2), PR_SET_PDEATHSIG: the signal comes only for what dies later).
 */
const UNLESS_ORPHANED = 'test "$PPID" = "$0" && exec "$@"';

/** The command with all that it starts in namespaces of its own, which end with this process. */
function confined(command: readonly string[], root: boolean): string[] {
  const confinedCommand = unshareCommand([...DIE_WITH_PARENT, ...command], root, '--mount-proc');
  return [...DIE_WITH_PARENT, 'sh', '-c', UNLESS_ORPHANED, `${process.pid}`, ...confinedCommand];
}

interface Start {
  readonly command: readonly string[];
  readonly cwd: string;
  /** The descriptor at which the agent's output arrives; its input is 3. */
  readonly output: 3 | 4;
}

function startOf({ kernel, image, memory, purpose, entry }: GuestPlan): Start {
  const parameters = [
    ...['bindstorm.agent=/dev/ttyS1', 'bindstorm.status=/dev/ttyS2', `bindstorm.purpose=${purpose}`],
    ...(entry === undefined ? [] : [`bindstorm.entry=${entry}`]),
    ...seedParameters(randomBytes(64)),
  ];
  if (kernel.engine === 'qemu') {
    checkMemory(memory);
    return { command: qemuCommand(kernel, image, memory, parameters), cwd: '/', output: 3 };
  }
  checkTotalMemory(memory);
  const folder = memoryFolder([kernel.path, kernel.cwd, image]);
  const command = umlCommand(kernel, image, memory, parameters, folder);
  return { command: withOwnMemory(command, folder, memory), cwd: kernel.cwd, output: 4 };
}

/** How long a guest may take to switch off after its agent has ended; a kernel without ACPI cannot, and halts. */
const POWER_OFF_MS = 3_000;

/**
 * An emulated machine on a busy host may measure its own clock wrongly (one was seen that ran twenty times too fast); then nothing
 * that takes time in the guest can be believed.
 */
const CLOCK_TOLERANCE_MS = 2_000;

/** Start a guest. @throws LabError when this machine has no room for it */
export function bootGuest(plan: GuestPlan): AgentChannel {
  const { command, cwd, output: outputAt } = startOf(plan);
  const [program, ...rest] = confined(command, process.getuid?.() === 0);
  const child = spawn(program!, rest, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    cwd,
    // A session of its own: Ctrl-C reaches the controller alone; and one group to kill.
    detached: true,
    env: { ...process.env, LC_ALL: 'C' },
  });
  const streams = child.stdio as unknown as [null, Readable, Readable, Duplex, Duplex, Duplex];
  const [, stdout, stderr, line, , status] = streams;
  const { input, onRead } = guestInput(line);
  const kill = () => killGroup(child);
  let poweringOff: NodeJS.Timeout | undefined;
  const begun = performance.now();
  let bootMs: number | undefined;
  const guest = createGuestState({
    onPanic: kill,
    onBooted(uptime) {
      bootMs = performance.now() - begun;
      if (uptime * 1000 < bootMs + CLOCK_TOLERANCE_MS) return;
      guest.fault = `its clock is wrong: it says ${uptime.toFixed(1)} s, and ${(bootMs / 1000).toFixed(1)} s have passed`;
      kill();
    },
    onRead,
    onAgentEnd: () => {
      poweringOff ??= setTimeout(kill, POWER_OFF_MS);
    },
  });
  for (const stream of [stdout, stderr]) stream.setEncoding('utf8').on('data', guest.onConsole);
  status.setEncoding('utf8').on('data', guest.onStatus);
  // A socket whose other end is killed may say so as an error; the end is told by `ended`.
  for (const stream of streams.slice(3)) stream!.on('error', () => {});
  const ended = new Promise<string>((resolve) => {
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = error;
      if (child.pid === undefined) finish(null, null);
    });
    child.on('close', finish);
    function finish(code: number | null, signal: NodeJS.Signals | null): void {
      clearTimeout(poweringOff);
      resolve(failure ? `could not be started (${failure.message})` : guest.verdict(code, signal));
    }
  });
  const close = () => {
    // Nothing in the guest outlives it, so there is nothing to put in order first.
    kill();
    return ended;
  };
  return {
    input,
    output: streams[outputAt],
    ended,
    close,
    kill,
    bootMs: () => bootMs,
    waited: () => (child.pid === undefined ? 0 : waitedForCpu(child.pid)),
    stderr: guest.text,
    progress: () => guest.progress(),
  };

  function killGroup({ pid }: ChildProcess): void {
    guest.killed = true;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It is gone already.
    }
  }
}
