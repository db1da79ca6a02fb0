/**
 * Agents on other machines, each for as long as its ssh: what lets it in goes over standard input, and when that ends the agent does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { z } from 'zod';
import { isLoopback } from '../../domain/addresses.js';
import { LabError } from '../../domain/error.js';
import { findProgram } from '../../machine/programs.js';
import { deferred } from '../../machine/promises.js';
import { toolVersion } from '../../results/version.js';
import type { Access } from '../access.js';
import { buildSum } from '../build.js';
import { FLEET_PROTOCOL } from '../subjects.js';
import type { RemoteHost } from './hosts.js';

export interface SshOptions {
  /** A configuration of ssh instead of the user's own. */
  readonly config?: string | undefined;
  /** bindstorm over there: on its PATH, or a path. */
  readonly program: string;
}

/** What `bindstorm fleet build` says of itself. */
const buildSchema = z.object({ tool: z.string(), protocol: z.number(), build: z.string() });
export type Build = z.infer<typeof buildSchema>;

/** Of this bindstorm. */
export function ownBuild(): Build {
  return { tool: toolVersion(), protocol: FLEET_PROTOCOL, build: buildSum() };
}

/** Of ssh itself: nobody is there to answer, and who is gone is noticed in so many seconds. */
const QUIETLY = ['-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10'];
const WATCHED = ['-o', 'ServerAliveInterval=5', '-o', 'ServerAliveCountMax=3', '-o', 'ControlPath=none'];
/** ssh(1): "255 if an error occurred"; sh(1): not found, and not executable. */
const [SSH_FAILED, NOT_FOUND, NOT_EXECUTABLE] = [255, 127, 126];
/** A host that is reached, and then says nothing. */
const ANSWER_MS = 120_000;
/** How long an agent may take to end in good order. */
const END_MS = 10_000;

function sshOf({ config }: SshOptions): string[] {
  const program = findProgram('ssh');
  if (program === undefined)
    throw new LabError('ssh is not on this machine', {
      remedy: 'install it, for example: apt-get install openssh-client',
    });
  return [program, ...(config === undefined ? [] : ['-F', config]), ...QUIETLY];
}

/** Why no agent can be started on a host; null: one can. Rejects with LabError where this machine has no ssh. */
export async function whyNot({ destination }: RemoteHost, options: SshOptions): Promise<string | null> {
  const words = ['-o', 'LogLevel=ERROR', '--', destination, `${quoted(options.program)} fleet build`];
  const [first, ...rest] = [...sshOf(options), ...words];
  const child = spawn(first!, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = [collected(child.stdout), collected(child.stderr)];
  const timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_MS);
  const code = await endOf(child);
  clearTimeout(timer);
  if (code === null) return `it did not answer within ${ANSWER_MS / 1000} s`;
  const last = stderr().trim().split('\n').at(-1) ?? '';
  if (code === SSH_FAILED) return `ssh does not reach it (${last})`;
  if (code === NOT_FOUND || code === NOT_EXECUTABLE)
    return `there is no ${options.program} there (${last}); install bindstorm, or name its path with --program`;
  const found = code === 0 ? parsedBuild(stdout()) : null;
  if (found === null)
    return `its ${options.program} does not say which build it is (${last || `exit code ${code}`}); it may be an older version of bindstorm`;
  const own = ownBuild();
  return found.build === own.build
    ? null
    : `it has bindstorm ${found.tool} of another build (${found.build}; here it is ${own.build}); install the same there`;
}

function parsedBuild(text: string): Build | null {
  try {
    return buildSchema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

export interface RemoteAgent {
  /** When it has ended, with the reason. */
  readonly ended: Promise<string>;
  /** End it in good order, or kill its ssh. */
  stop(): void;
}

/**
 * Start an agent. A server that listens on this machine's loopback is reached through the ssh, so that nothing is opened to anybody.
 * @param args of `fleet agent` @param say told each line that it says
 */
export function startRemote(
  { destination, name }: RemoteHost,
  access: Access,
  args: readonly string[],
  options: SshOptions,
  say: (line: string) => void,
): RemoteAgent {
  const { hostname, port } = new URL(access.url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const isHere = host === 'localhost' || isLoopback(host);
  const command = [quoted(options.program), 'fleet', 'agent', '--join', '-', '--name', name, ...args.map(quoted)].join(
    ' ',
  );
  const [first, ...rest] = [
    ...[...sshOf(options), ...WATCHED],
    // Port 0: one that is free there, which ssh says on standard error.
    ...(isHere
      ? ['-o', 'ExitOnForwardFailure=yes', '-o', 'LogLevel=INFO', '-R', `127.0.0.1:0:${hostname}:${port || 4222}`]
      : []),
    ...['--', destination, command],
  ];
  // A group of its own: Ctrl-C reaches the command alone, which ends it in good order.
  const child = spawn(first!, rest, { stdio: ['pipe', 'ignore', 'pipe'], detached: true });
  // Who has ended reads no more.
  child.stdin.on('error', () => {});
  const letIn = (url: string) => child.stdin.write(`${JSON.stringify({ ...access, url })}\n`);
  const ended = deferred<string>();
  let last = '';
  eachLine(child.stderr, (line) => {
    const allocated = /^Allocated port (\d+) for remote forward to /.exec(line)?.[1];
    if (allocated !== undefined)
      letIn(access.url.replace(/^(\w+:\/\/).*$/, `$1${isHere ? '127.0.0.1' : host}:${allocated}`));
    else {
      last = line;
      say(line);
    }
  });
  if (!isHere) letIn(access.url);
  endOf(child).then((code) => ended.resolve(last === '' ? `exit code ${code}` : last));
  return {
    ended: ended.promise,
    stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGTERM'), END_MS);
      void ended.promise.then(() => clearTimeout(timer));
    },
  };
}

/** For a POSIX shell. */
function quoted(text: string): string {
  return /^[\w./:@%+,=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function endOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', (code) => resolve(code));
  });
}

function collected(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-10_000);
  });
  return () => text;
}

function eachLine(stream: NodeJS.ReadableStream, heard: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = (lines.pop() ?? '').slice(-10_000);
    for (const line of lines) if (line.trim() !== '') heard(line);
  });
}
