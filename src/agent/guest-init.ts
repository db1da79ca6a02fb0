/**
 * The first process of a guest (src/lab/vm): makes the machine usable and becomes the agent, with a serial line as its standard
 * input and output; when the agent ends, it says on another line how, and switches the machine off. The console, which is its
 * standard error, is for what goes wrong. It is the agent itself and starts none, as under an emulated CPU each start of Node
 * takes two seconds.
 *
 * The kernel's command line has `bindstorm.purpose=run|check`, and the lines as `bindstorm.agent=` and `bindstorm.status=`. With
 * `bindstorm.entry=` it names another module of the image to become than the agent's entry.
 */
import '../machine/no-debugger.js';
import { chmodSync, closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../domain/error.js';
import { drain, duplicateOnto, loadModule, makeRaw, mount, powerOff, setDescriptorLimit } from '../kernel/boot.js';

/** Folders in which everybody may write. */
const SHARED = ['/tmp', '/var/tmp'];
/** Modules in this folder are loaded in the order of their names. */
const MODULES = '/modules';
/** fs.nr_open of every kernel, which even root may not exceed without changing it. */
const DESCRIPTORS = 1 << 20;

let status: number | undefined;

/** One line to the controller (src/lab/vm/guest-state.ts reads it). */
function report(line: string): void {
  if (status === undefined) return;
  writeSync(status, `${line}\n`);
  drain(status);
}

async function boot(): Promise<void> {
  mount('proc', '/proc');
  mount('sysfs', '/sys');
  mountDevices();
  // Programs under test are not root.
  for (const folder of SHARED) chmodSync(folder, 0o1777);
  const parameters = commandLine();
  status = openSync(parameters['bindstorm.status'] ?? '', 'w');
  makeRaw(status);
  loadModules();
  setDescriptorLimit(DESCRIPTORS);
  const line = openSync(parameters['bindstorm.agent'] ?? '', 'r+');
  makeRaw(line);
  for (const stream of [0, 1]) duplicateOnto(line, stream);
  acknowledgeInput();
  const entry = parameters['bindstorm.entry'] ?? fileURLToPath(new URL('./entry.js', import.meta.url));
  process.argv = [process.execPath, entry, 'netns', parameters['bindstorm.purpose'] ?? 'check'];
  process.on('exit', (code) => {
    drain(line);
    end(`exit ${code}`);
  });
  // From here on the agent answers for what is thrown.
  process.off('uncaughtException', giveUp);
  report(`booted ${readFileSync('/proc/uptime', 'utf8').split(' ')[0]}`);
  await importModule(entry);
}

/** A module of either kind: what this file is joined into has require() alone, and the file beside it has import() (scripts/bundle.mjs). */
function importModule(path: string): Promise<unknown> {
  const load = createRequire(import.meta.url)('../shared/start.cjs') as (path: string) => Promise<unknown>;
  return load(path);
}

/** Say how much has been read: the controller sends no more than the line can hold (src/lab/vm/guest-input.ts). */
function acknowledgeInput(): void {
  const { stdin } = process;
  const push = stdin.push.bind(stdin);
  let total = 0;
  stdin.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk instanceof Uint8Array) {
      total += chunk.length;
      report(`read ${total}`);
    }
    return push(chunk, encoding);
  };
}

/** A kernel without devtmpfs has the few devices that the image brings. */
function mountDevices(): void {
  try {
    mount('devtmpfs', '/dev');
  } catch (error) {
    process.stderr.write(`bindstorm: ${messageOf(error)}\n`);
  }
}

/** The key=value pairs of /proc/cmdline. */
function commandLine(): Record<string, string> {
  const words = readFileSync('/proc/cmdline', 'utf8').trim().split(/\s+/);
  return Object.fromEntries(words.filter((word) => word.includes('=')).map((word) => word.split('=', 2)));
}

function loadModules(): void {
  for (const name of readdirSync(MODULES).sort()) {
    const fd = openSync(`${MODULES}/${name}`, 'r');
    try {
      loadModule(fd, name);
    } catch (error) {
      // The agent finds out what is missing and says what that means; the run may not need it.
      process.stderr.write(`bindstorm: ${messageOf(error)}\n`);
    } finally {
      closeSync(fd);
    }
  }
}

function end(line: string): void {
  try {
    report(line);
  } finally {
    powerOff();
  }
}

function giveUp(error: Error): void {
  process.stderr.write(`bindstorm: ${error.stack}\n`);
  end(`failed ${error.message.replaceAll('\n', ' ')}`);
}

process.on('uncaughtException', giveUp);
void boot();
