/**
 * vagrant(1) as a child process: which Vagrantfile it reads, what it says, and why it failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../../machine/folders.js';
import { stateDirectory } from '../../machine/xdg.js';
import { lastLine } from '../agent-channel.js';
import { LabError } from '../lab.js';
import { errorOf, type Message, parseMessages } from './machine-readable.js';

/** Of this package; dist/src/lab/vagrant/ lies four folders below it. */
const OWN_FOLDER = fileURLToPath(new URL('../../../../vagrant', import.meta.url));
/** What a box, of either provider, takes to be interrupted and to clean up. */
const INTERRUPT_MS = 180_000;

export const VAGRANT_REMEDY =
  'install Vagrant and a provider for it, for example: apt-get install vagrant vagrant-libvirt libvirt-daemon-system openssh-client util-linux (or VirtualBox in place of libvirt)';

/** Where the machines of an experiment are described, and where Vagrant keeps what it knows of them. */
export interface VagrantFolder {
  /** The folder of the Vagrantfile. */
  readonly folder: string;
  /** VAGRANT_DOTFILE_PATH; null: Vagrant's own choice. */
  readonly dotfile: string | null;
}

/** This package's Vagrantfile, or, as for vagrant(1) itself, that of the folder which VAGRANT_CWD names. */
export function vagrantFolder(): VagrantFolder {
  const { VAGRANT_CWD: folder, VAGRANT_DOTFILE_PATH: dotfile } = process.env;
  if (folder) return { folder, dotfile: dotfile ?? null };
  // An installed package lies where its user may not write.
  return { folder: OWN_FOLDER, dotfile: dotfile ?? join(stateDirectory(), 'vagrant') };
}

/** The variables that make vagrant(1), called by hand, see the same machines. */
export function folderVariables({ folder, dotfile }: VagrantFolder): Record<string, string> {
  return { VAGRANT_CWD: folder, ...(dotfile === null ? {} : { VAGRANT_DOTFILE_PATH: dotfile }) };
}

export interface VagrantOptions {
  readonly place: VagrantFolder;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds after which it is killed. */
  readonly deadlineMs: number;
  /** Interrupts it, as Ctrl-C does: it then cleans up behind itself. */
  readonly signal?: AbortSignal;
  /** It runs to its end when this process dies; otherwise it is interrupted then. */
  readonly outlives?: boolean;
}

/**
 * Run vagrant(1). Its whole output goes to a log in the state directory.
 * @returns its messages
 * @throws LabError when there is no vagrant, or when it fails
 */
export async function vagrant(words: readonly string[], options: VagrantOptions): Promise<Message[]> {
  const { stdout } = await runVagrant([...words, '--machine-readable'], options);
  return parseMessages(stdout);
}

/** The same for what is not machine-readable. @returns its standard output */
export async function vagrantText(words: readonly string[], options: VagrantOptions): Promise<string> {
  return (await runVagrant(words, options)).stdout;
}

async function runVagrant(words: readonly string[], options: VagrantOptions): Promise<{ stdout: string }> {
  const { place, env, deadlineMs, signal, outlives = false } = options;
  if (!existsSync(join(place.folder, process.env.VAGRANT_VAGRANTFILE ?? 'Vagrantfile')))
    throw new LabError(`there is no Vagrantfile in ${place.folder}`, {
      remedy: 'name a folder that has one with the environment variable VAGRANT_CWD, or unset it',
    });
  const command = [...(outlives ? [] : ['setpriv', '--pdeathsig', 'INT']), 'vagrant', ...words];
  // Files, since vagrant would stop in the middle of its work at a pipe whose reader has died.
  const [out, err] = [openOutput(), openOutput()];
  const child = spawn(command[0]!, command.slice(1), {
    stdio: ['ignore', out, err],
    // A session of its own: Ctrl-C reaches this process alone, which then decides.
    detached: true,
    env: {
      ...process.env,
      ...folderVariables(place),
      ...env,
      // Ruby reads files in the encoding of the locale.
      LC_ALL: 'C.UTF-8',
      VAGRANT_CHECKPOINT_DISABLE: '1',
    },
  });
  const end = await endOf(child, deadlineMs, signal);
  const [stdout, stderr] = [readOutput(out), readOutput(err)];
  const log = keepLog(words, `${stdout}\n${stderr}`);
  if (end === 'ended with code 0') return { stdout };
  const why = errorOf(parseMessages(stdout)) ?? ((end.startsWith('ended') && lastLine(stderr)) || `it ${end}`);
  throw new LabError(
    `\`${['vagrant', ...words].filter((word) => word !== '--machine-readable').join(' ')}\` failed: ${why}`,
    { remedy: `see ${log} for its whole output` },
  );
}

/** How it ended, in words. Never rejects. */
function endOf(child: ChildProcess, deadlineMs: number, signal: AbortSignal | undefined): Promise<string> {
  return new Promise((resolve) => {
    let late = false;
    const kill = () => void child.kill('SIGKILL');
    const timers = [
      setTimeout(() => {
        late = true;
        kill();
      }, deadlineMs),
    ];
    const interrupt = () => {
      child.kill('SIGINT');
      timers.push(setTimeout(kill, INTERRUPT_MS));
    };
    const finish = (end: string) => {
      signal?.removeEventListener('abort', interrupt);
      for (const timer of timers) clearTimeout(timer);
      resolve(late ? `had not ended after ${Math.round(deadlineMs / 60_000)} minutes` : end);
    };
    if (signal?.aborted) interrupt();
    signal?.addEventListener('abort', interrupt);
    child.on('error', (error) => finish(`could not be started (${error.message})`));
    child.on('exit', (code, killer) => finish(killer ? `was killed by ${killer}` : `ended with code ${code}`));
  });
}

/** A file without a name: nothing of it is left when this process is killed. */
function openOutput(): number {
  makeFolder(stateDirectory(), 0o700);
  const path = join(stateDirectory(), `vagrant-${process.pid}.out`);
  const fd = openSync(path, 'w+', 0o600);
  rmSync(path);
  return fd;
}

function readOutput(fd: number): string {
  // Opened anew, it is read from its beginning: what was written has moved the place in the descriptor that both share.
  const text = readFileSync(`/proc/self/fd/${fd}`, 'utf8');
  closeSync(fd);
  return text;
}

/** Append to the log of all commands. @returns its path */
function keepLog(words: readonly string[], output: string): string {
  const path = join(stateDirectory(), 'vagrant.log');
  appendFileSync(path, `== ${new Date().toISOString()} vagrant ${words.join(' ')}\n${output.trim()}\n`);
  return path;
}
