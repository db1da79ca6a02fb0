/**
 * User-Mode Linux: a kernel that runs as one ordinary process of this machine. No hypervisor, no root, no device of the machine:
 * the guest has its memory, an image to boot from, and the descriptors that it is given
 * (Documentation/virt/uml/user_mode_linux_howto_v2.rst).
 *
 *     descriptor 1   console                     /dev/console
 *     3, 4           the agent's input, output   /dev/ttyS1
 *     5              what init says              /dev/ttyS2
 *
 * The processes of the guest are processes here too, and outlive the kernel when that is killed alone; and a kernel that panicked
 * does not end. So all of it lies in a PID namespace, whose end is the end of all, by the chain of the netns lab.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Duplex, Readable } from 'node:stream';
import type { AgentChannel } from '../agent-channel.js';
import { createGuestState } from './guest-state.js';
import type { UmlKernel } from './kernel.js';
import { guestFolder } from './place.js';

export interface GuestPlan {
  readonly kernel: UmlKernel;
  /** The root filesystem, a cpio archive. */
  readonly image: string;
  /** Bytes. */
  readonly memory: number;
  readonly purpose: 'run' | 'check';
}

/** The command that starts a guest. */
export function umlCommand(plan: GuestPlan, folder: string, root: boolean): string[] {
  const { kernel } = plan;
  const dieTogether = ['setpriv', '--pdeathsig', 'KILL'];
  const namespaces = [...(root ? [] : ['--user', '--map-root-user']), '--net', '--pid', '--mount-proc'];
  const libraries = kernel.libraries === null ? [] : [`LD_LIBRARY_PATH=${kernel.libraries}`];
  return [
    ...dieTogether,
    ...['unshare', ...namespaces, '--fork', '--kill-child=KILL', '--'],
    ...dieTogether,
    ...['env', `TMPDIR=${folder}`, ...libraries],
    kernel.path,
    `mem=${plan.memory / 2 ** 20}M`,
    `initrd=${plan.image}`,
    `uml_dir=${folder}`,
    'umid=guest',
    // Without them UML opens a terminal window for each console that a process of the guest opens.
    ...['con=null', 'con0=null,fd:1', 'ssl=null', 'ssl1=fd:3,fd:4', 'ssl2=null,fd:5'],
    'panic=-1',
    ...['bindstorm.agent=/dev/ttyS1', 'bindstorm.status=/dev/ttyS2', `bindstorm.purpose=${plan.purpose}`],
  ];
}

/** Start a guest. @throws LabError when this machine has no room for it */
export function bootUml(plan: GuestPlan): AgentChannel {
  const folder = guestFolder(plan.memory);
  const [program, ...rest] = umlCommand(plan, folder, process.getuid?.() === 0);
  const child = spawn(program!, rest, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    cwd: plan.kernel.cwd,
    // A session of its own: Ctrl-C reaches the controller alone; and one group to kill.
    detached: true,
    env: { ...process.env, LC_ALL: 'C' },
  });
  const [, stdout, stderr, input, output, status] = child.stdio as unknown as [
    null,
    Readable,
    Readable,
    Duplex,
    Duplex,
    Duplex,
  ];
  const kill = () => killGroup(child);
  const guest = createGuestState(kill);
  for (const stream of [stdout, stderr]) stream.setEncoding('utf8').on('data', guest.onConsole);
  status.setEncoding('utf8').on('data', guest.onStatus);
  // A socket whose other end is killed may say so as an error; the end is told by `ended`.
  for (const stream of [input, output, status]) stream.on('error', () => {});
  const ended = new Promise<string>((resolve) => {
    let failure: Error | undefined;
    child.on('error', (error) => {
      failure = error;
      if (child.pid === undefined) finish(null, null);
    });
    child.on('close', finish);
    function finish(code: number | null, signal: NodeJS.Signals | null): void {
      rmSync(folder, { recursive: true, force: true });
      resolve(failure ? `could not be started (${failure.message})` : guest.verdict(code, signal));
    }
  });
  const close = () => {
    // Nothing in the guest outlives it, so there is nothing to put in order first.
    kill();
    return ended;
  };
  return { input, output, ended, close, kill, stderr: guest.text, progress: () => guest.progress() };

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
