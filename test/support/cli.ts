/**
 * The command line as a user has it: a process of its own, with its exit code and what it printed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const CLI = join(ROOT, 'dist', 'bundle', 'cli', 'main.js');

export interface CliOptions {
  readonly cwd: string;
  /** Added to this process's environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** A command that starts the command line in some other place, as nsenter(1). */
  readonly within?: readonly string[];
  /** The command line itself, where it is to be found elsewhere. */
  readonly program?: readonly string[];
  /** In a process group of its own, so that a signal can be sent to the whole group as a terminal does. */
  readonly ownGroup?: boolean;
  /** Milliseconds after which it hangs: for one that boots many guests. */
  readonly deadlineMs?: number;
}

export interface CliEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly pid: number;
  readonly ended: Promise<CliEnd>;
  /** What it has said so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  kill(signal: NodeJS.Signals): void;
}

/** No test takes as long, beside as many others; a command that hangs then fails its test instead of the whole suite. */
const DEADLINE_MS = 240_000;

export function startCli(
  args: readonly string[],
  { cwd, env, within = [], program = [process.execPath, CLI], ownGroup = false, deadlineMs = DEADLINE_MS }: CliOptions,
): RunningCli {
  const [first, ...rest] = [...within, ...program, ...args];
  const child = spawn(first!, rest, {
    cwd,
    // Runs of tests are nothing for the page of a CI job.
    env: { ...process.env, NO_COLOR: '1', GITHUB_STEP_SUMMARY: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: ownGroup,
  });
  const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
  const timer = setTimeout(() => child.kill('SIGKILL'), deadlineMs);
  const ended = new Promise<CliEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout: stdout(), stderr: stderr() });
    });
  });
  return { pid: child.pid!, ended, stdout, stderr, kill: (signal) => void child.kill(signal) };
}

export function runCli(args: readonly string[], options: CliOptions): Promise<CliEnd> {
  return startCli(args, options).ended;
}

function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return () => text;
}

/** A folder of the caller's own, gone after the test. */
export function scratchFolder(t: { after(work: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'bindstorm-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Wait until `probe` gives something. Rejects after `ms`, which is for a machine that is busy with as many other tests. */
export async function until<T>(what: string, probe: () => T | undefined | null | false, ms = 60_000): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
