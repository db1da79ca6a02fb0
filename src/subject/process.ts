/**
 * A proxy as a process: started, ready, watched and stopped. The same for every kind; the caller's process must be in the network
 * namespace that the proxy is to be in.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isListening } from '../kernel/sock-diag.js';
import { formatTarget } from '../profile/format.js';
import type { ProxySettings } from '../profile/subject.js';
import { createLogBook, type LogBook } from './log-book.js';
import { findProgram } from './program.js';
import { ProxyError } from './proxy-error.js';
import { type Place, STANDARD_ERROR, STANDARD_OUTPUT } from './subject.js';
import { subjectOf } from './subjects.js';
import { tailFile } from './tail.js';

/** Who the proxy is: never root. `nobody`, or, in a user namespace that has root only, a user of a further one. */
const NOBODY = 65_534;
const SOMEBODY = 1000;

const READY_DEADLINE_MS = 15_000;
const LOOK_EVERY_MS = 5;

export interface StartedProxy {
  /** How it ended; resolves when it has. */
  readonly ended: Promise<string>;
  /** How it ended, when it already has. */
  end(): string | null;
  /** Read what was added to the logs since the last time. */
  readLogs(): LogBook;
  /** End it, and wait for its end. */
  stop(): Promise<void>;
}

export interface StartInput {
  readonly settings: ProxySettings;
  readonly place: Place;
  /** What stands before its command, as a tracer. */
  readonly prefix: readonly string[];
  /** The caller is root of the machine, not of a user namespace. */
  readonly root: boolean;
}

/**
 * Start a proxy and wait until it listens: asked of the kernel, since a connection on trial would cost a port.
 * @throws ProxyError when it ends before, or does not listen in time
 */
export async function startProxy({ settings, place, prefix, root }: StartInput): Promise<StartedProxy> {
  const { kind } = settings;
  const subject = subjectOf(kind);
  const binary = findProgram(settings.binary);
  if (binary === undefined) throw new ProxyError(`found no program ${settings.binary}`, []);
  const program = subject.configure(settings, binary, place);
  writeFiles(place.directory, program.files, root);
  const [first, ...rest] = [...prefix, ...identity(root), ...program.argv];
  const child = spawn(first!, rest, {
    cwd: place.directory,
    env: { ...process.env, LC_ALL: 'C', TMPDIR: place.directory },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, so that all of it can be ended at once.
    detached: true,
  });
  const book = createLogBook();
  const note = (log: string, line: string) => book.add(line, subject.readLine(log, line, place));
  const streams = [lines(child.stdout, STANDARD_OUTPUT, note), lines(child.stderr, STANDARD_ERROR, note)];
  const tails = program.logs.map((file) => ({ file, tail: tailFile(join(place.directory, file)) }));
  let how: string | null = null;
  const ended = endOf(child).then((text) => {
    how = text;
    return text;
  });

  function readLogs(): LogBook {
    for (const { file, tail } of tails) for (const line of tail.read()) note(file, line);
    return book;
  }

  const started: StartedProxy = {
    ended,
    end: () => how,
    readLogs,
    async stop() {
      const { signal, deadlineMs } = program.stop;
      if (how === null) kill(child, signal);
      const timer = setTimeout(() => kill(child, 'SIGKILL'), deadlineMs);
      await ended;
      clearTimeout(timer);
    },
  };
  await ready();
  return started;

  async function ready(): Promise<void> {
    const deadline = performance.now() + READY_DEADLINE_MS;
    let waiting = place.listen.filter((listener) => !isListening(listener));
    while (waiting.length > 0) {
      if (how !== null) {
        await Promise.race([Promise.all(streams), wait(200)]);
        const tail = readLogs().tail();
        const why = book.troubles().join('; ') || tail.at(-1);
        throw new ProxyError(`the proxy (${kind}) ${how} before it listened${why ? `: ${why}` : ''}`, tail);
      }
      if (performance.now() > deadline) {
        await started.stop();
        throw new ProxyError(
          `the proxy (${kind}) did not listen on ${formatTarget(waiting[0]!)} within ${READY_DEADLINE_MS / 1000} s`,
          readLogs().tail(),
        );
      }
      await wait(LOOK_EVERY_MS);
      waiting = waiting.filter((listener) => !isListening(listener));
    }
  }
}

/** The command that gives up being root before it becomes the program, with the same pid. */
function identity(root: boolean): string[] {
  return root
    ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups', '--']
    : // Only root is mapped in the lab's user namespace, and programs that give up root fail there: a further one has a user.
      ['unshare', '--user', `--map-user=${SOMEBODY}`, `--map-group=${SOMEBODY}`, '--'];
}

function writeFiles(directory: string, files: Readonly<Record<string, string>>, root: boolean): void {
  mkdirSync(directory, { recursive: true });
  const own = (path: string) => {
    if (root) chownSync(path, NOBODY, NOBODY);
  };
  own(directory);
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(directory, name), text);
    own(join(directory, name));
  }
}

function kill(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // It has ended in between, or could not be started.
  }
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `ended with code ${code}` : `was killed by ${signal}`),
    );
  });
}

/** Note a stream's lines as they come. @returns resolves at its end */
function lines(
  stream: NonNullable<ChildProcess['stdout']>,
  name: string,
  note: (log: string, line: string) => void,
): Promise<void> {
  let rest = '';
  stream.setEncoding('latin1').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop()!;
    for (const part of parts) if (part !== '') note(name, part);
  });
  return new Promise((resolve) =>
    stream.once('close', () => {
      if (rest !== '') note(name, rest);
      resolve();
    }),
  );
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
