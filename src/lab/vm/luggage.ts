/**
 * What programs of this machine take along into a guest: themselves, the libraries that the loader finds for them, and what their kind
 * needs. All of it lies in the guest where it lies here.
 */
import { lstatSync, readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { notBelow } from '../../capacity/kernel-version.js';
import { messageOf, unlessThrown } from '../../domain/error.js';
import { interpreterOf, kernelWanted, librariesOf, readElfHead, readHead } from '../../machine/elf.js';
import { findProgram } from '../../machine/programs.js';
import { togetherWith } from '../../subjects/belongings.js';
import { missingProgram } from '../../subjects/examine.js';
import { type ProxySettings, programOf, proxySubjectOf } from '../../subjects/index.js';
import { LabError } from '../lab.js';
import type { CpioEntry } from './cpio.js';

export interface Luggage {
  readonly entries: readonly CpioEntry[];
  /** Where the libraries lie, for LD_LIBRARY_PATH, and the programs, for PATH. */
  readonly libraries: readonly string[];
  readonly programs: readonly string[];
  /** Modules of the kernel that are wanted. */
  readonly modules: readonly string[];
  /** The file that needs the newest kernel, and which; null: none says. */
  readonly kernel: { readonly path: string; readonly release: readonly number[] } | null;
}

/** Where a guest has this machine's Node. */
export const GUEST_NODE = '/bin/node';

export const NO_LUGGAGE: Luggage = { entries: [], libraries: [], programs: [], modules: [], kernel: null };

/** A name service that asks nobody; and files over which a program's own are mounted (agent/place/internet.ts). */
const OWN_FILES: Readonly<Record<string, string>> = {
  '/etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n',
  '/etc/hosts': '127.0.0.1 localhost\n::1 localhost\n',
  '/etc/resolv.conf': '',
};
/** What may name libraries, beside what can be executed. */
const MODULE = /\.(?:so(?:\.\d+)*|node)$/;
const SHEBANG_BYTES = 256;

/**
 * What some subjects take along, of which nothing is read but heads of files.
 * @param loader of modules that name none
 * @throws LabError that names the program, library or file that is not here
 */
export function luggageOf(subjects: readonly ProxySettings[], loader: string | undefined): Luggage {
  if (subjects.length === 0) return NO_LUGGAGE;
  const luggage = pack(loader);
  for (const [path, text] of Object.entries(OWN_FILES)) luggage.text(path, text);
  const all = subjects.map((settings) => {
    const name = programOf(settings);
    const binary = findProgram(name.binary);
    if (binary === undefined) {
      const { reason, remedy } = missingProgram(name);
      throw new LabError(reason, { remedy });
    }
    luggage.program(binary);
    return proxySubjectOf(name.kind).belongings?.(settings, binary) ?? {};
  });
  const { programs, perhaps, files, named, whole, modules } = togetherWith(...all);
  for (const name of programs) {
    const path = findProgram(name);
    if (path === undefined)
      throw new LabError(`program ${name}, which ${kindsOf(subjects)} needs in a guest, not found`, {
        remedy: `install the package that has it, or run in a lab of this machine's own kernel (--lab netns)`,
      });
    luggage.program(path);
  }
  for (const name of perhaps) {
    const path = findProgram(name);
    if (path !== undefined) luggage.program(path);
  }
  for (const path of [...named, ...whole])
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined)
      throw new LabError(`there is no ${path}, which the guest is to have`, {
        remedy: 'correct its name in the profile, or leave it out',
      });
  for (const path of [...files, ...named]) luggage.take(path, true);
  for (const path of whole) luggage.take(path, false);
  return luggage.packed(modules);
}

function kindsOf(subjects: readonly ProxySettings[]): string {
  return [...new Set(subjects.map(({ kind }) => kind))].join(', ');
}

/** A collection to which programs and files are added, each once. */
function pack(usualLoader: string | undefined) {
  const entries = new Map<string, CpioEntry>();
  const libraries = new Set<string>();
  const programs = new Set<string>();
  let kernel: Luggage['kernel'] = null;

  function add(entry: CpioEntry): boolean {
    if (entries.has(entry.path)) return false;
    entries.set(entry.path, entry);
    return true;
  }

  /** One that is started: all that it names must be here. */
  function program(path: string): void {
    programs.add(dirname(path));
    // The guest's own, which has its libraries.
    if (realpathSync(path) === realpathSync(process.execPath)) return void add({ kind: 'link', path, to: GUEST_NODE });
    take(path, true, true);
    for (const name of interpretersIn(path)) {
      const found = findProgram(name);
      if (found === undefined)
        throw new LabError(`program ${name}, which the script ${path} is for, not found`, {
          remedy: 'install it, or name a program that needs none',
        });
      program(found);
    }
  }

  /** A file or folder. A link stays one, and what it leads to is taken too. @param own libraries are found for it @param needed all of them */
  function take(path: string, own: boolean, needed = false): void {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isSymbolicLink()) {
      const to = readlinkSync(path);
      if (add({ kind: 'link', path, to })) take(resolve(dirname(path), to), own, needed);
    } else if (stat.isDirectory()) {
      if (!add({ kind: 'directory', path })) return;
      for (const name of names(path)) take(join(path, name), own);
    } else if (stat.isFile()) {
      const executable = (stat.mode & 0o111) !== 0;
      if (!add({ kind: 'file', path, from: path, executable })) return;
      if (own && (executable || MODULE.test(path))) addLibraries(path, needed);
    }
    // A socket or a pipe is somebody's here.
  }

  function addLibraries(path: string, needed: boolean): void {
    const head = headOf(path);
    if (head === undefined) return;
    noteKernel(path, head);
    const loader = interpreterOf(head) ?? (MODULE.test(path) ? usualLoader : undefined);
    if (loader === undefined) return;
    const found = librariesOf(path, loader);
    if (found.missing.length > 0) {
      // Of what lies beside a program some may be for another machine, and what cannot be loaded here is not needed there.
      if (!needed) return;
      throw new LabError(`program ${path} lacks libraries on this machine: ${found.missing.join(', ')}`, {
        remedy: 'install the packages that have them, or name another program',
      });
    }
    for (const library of found.paths) {
      libraries.add(dirname(library));
      const real = realpathSync(library);
      if (add({ kind: 'file', path: library, from: real, executable: true })) noteKernel(library, readElfHead(real));
    }
  }

  function noteKernel(path: string, head: Buffer | undefined): void {
    const release = head && kernelWanted(head);
    if (release && (kernel === null || !notBelow(kernel.release, release))) kernel = { path, release };
  }

  return {
    text: (path: string, text: string) => void add({ kind: 'text', path, text, executable: false }),
    program,
    take,
    packed: (modules: readonly string[]): Luggage => ({
      entries: [...entries.values()],
      libraries: [...libraries],
      programs: [...programs],
      modules,
      kernel,
    }),
  };
}

/** undefined: it is no program, or may not be read, which its copy will say. */
function headOf(path: string): Buffer | undefined {
  return unlessThrown(() => readElfHead(path), undefined);
}

/** The programs that a script is for: that of its first line and, of env(1), the one that it looks for (execve(2)). */
function interpretersIn(path: string): string[] {
  const head = unlessThrown(() => readHead(path, SHEBANG_BYTES).toString('latin1'), '');
  const [, interpreter, argument] = /^#![ \t]*(\S+)(?:[ \t]+(\S+))?/.exec(head) ?? [];
  if (interpreter === undefined) return [];
  const isEnv = /(?:^|\/)env$/.test(interpreter) && argument !== undefined && !argument.startsWith('-');
  return isEnv ? [interpreter, argument] : [interpreter];
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw new LabError(`the folder ${folder}, which the guest is to have, cannot be read (${messageOf(error)})`, {
      cause: error,
      remedy: 'let this user read it, or leave it out',
    });
  }
}

/** Bytes of what is taken along, as files here say. */
export function bytesOf(entries: readonly CpioEntry[]): number {
  return entries.reduce(
    (sum, entry) => sum + (entry.kind === 'file' ? (statSync(entry.from, { throwIfNoEntry: false })?.size ?? 0) : 0),
    0,
  );
}
