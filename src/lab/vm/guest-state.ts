/**
 * What a guest says beside its agent's messages: the kernel's console, and the lines of its init (src/agent/guest-init.ts). From
 * both together follows what became of a guest. No I/O of its own.
 */
import { constants } from 'node:os';
import { lastLine } from '../agent-channel.js';

const KEPT = 8_000;
/** Enough of the last chunk to find a message that two chunks share. */
const OVERLAP = 200;
/** Init's line before it becomes the agent. */
const BOOTED = /^booted ([\d.]+)\n/m;
/** What has arrived of the input so far; the last is what counts. */
const READ = /^read (\d+)\n/gm;
/** Init's last line. */
const END = /^(exit|failed) (.*)\n/m;

interface GuestState {
  /** The controller ended it. */
  killed: boolean;
  /** Why the controller gave it up; null while it has not. */
  fault: string | null;
  onConsole(chunk: string): void;
  onStatus(chunk: string): void;
  /** The last of what the console said. */
  text(): string;
  /** How far the boot came. */
  progress(): string;
  /** What became of the agent, given the end of the engine's process. */
  verdict(code: number | null, signal: string | null): string;
}

interface GuestListener {
  /** The guest's kernel has panicked: it may not end by itself. */
  onPanic(): void;
  /** Init is done, and becomes the agent. @param uptime seconds that the guest has run for, by its own clock */
  onBooted(uptime: number): void;
  /** @param total bytes that the guest has read of its input */
  onRead(total: number): void;
  /** The agent has ended, and init switches the machine off. */
  onAgentEnd(): void;
}

/** The state of one guest, fed with what its console and its init write. */
export function createGuestState({ onPanic, onBooted, onRead, onAgentEnd }: GuestListener): GuestState {
  let kept = '';
  let status = '';
  let panic: string | null = null;
  let outOfMemory = false;
  return {
    killed: false,
    fault: null,
    onConsole(chunk) {
      const recent = kept.slice(-OVERLAP) + chunk;
      kept = (kept + chunk).slice(-KEPT);
      outOfMemory ||= /Out of memory|System is deadlocked on memory/.test(recent);
      const found = /Kernel panic - not syncing: ([^\r\n]+)[\r\n]/.exec(recent)?.[1];
      if (found === undefined || panic !== null) return;
      panic = found.trim();
      onPanic();
    },
    onStatus(chunk) {
      const before = BOOTED.test(status);
      status += chunk;
      const read = [...status.matchAll(READ)].at(-1)?.[1];
      if (read !== undefined) {
        status = status.replace(READ, '');
        onRead(Number(read));
      }
      const booted = before ? null : BOOTED.exec(status);
      if (booted !== null) onBooted(Number(booted[1]));
      if (END.test(status)) onAgentEnd();
    },
    text: () => kept,
    progress() {
      if (BOOTED.test(status)) return 'the guest has booted, and its agent does not answer';
      return kept === '' ? 'the kernel has not begun to boot' : `the guest is still booting: ${lastLine(kept)}`;
    },
    verdict(code, signal) {
      if (this.fault !== null) return `was lost: ${this.fault}`;
      const memory = outOfMemory ? ', as the guest was out of memory' : '';
      const killedBy = panic === null ? undefined : signalOf(panic);
      if (killedBy !== undefined) return `was killed by ${killedBy}${memory}`;
      if (panic !== null) return `was lost: the kernel of the guest panicked (${panic})${memory}`;
      const last = END.exec(status);
      if (last?.[1] === 'exit') return `ended with code ${last[2]}${memory}: ${lastLine(kept)}`;
      if (last?.[1] === 'failed') return `could not be started in the guest: ${last[2]}`;
      if (this.killed) return 'was killed by SIGKILL';
      const how = signal === null ? `code ${code}` : signal;
      return `was lost: the guest ended with ${how}${memory}: ${lastLine(kept)}`;
    },
  };
}

/** The signal that killed the first process, which is the agent: its end is a panic. The low bits of its status (wait(2)). */
function signalOf(panic: string): string | undefined {
  const status = /^Attempted to kill init! exitcode=0x([0-9a-f]+)/.exec(panic)?.[1];
  const number = status === undefined ? 0 : Number.parseInt(status, 16) & 0x7f;
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
}
