/**
 * The first process of a guest (src/lab/vm): makes the machine usable, starts the agent with a serial line as its standard
 * streams, says on another line how it ended, and switches the machine off. The console, which is this process's standard error
 * and the agent's, is for what goes wrong.
 *
 * The kernel's command line has `bindstorm.purpose=run|check`, and the lines as `bindstorm.agent=` and `bindstorm.status=`.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { drain, loadModule, makeRaw, mount, powerOff, raiseDescriptorLimit } from '../kernel/boot.js';

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

function boot(): void {
  mount('proc', '/proc');
  mount('sysfs', '/sys');
  mountDevices();
  const parameters = commandLine();
  status = openSync(parameters['bindstorm.status'] ?? '', 'w');
  makeRaw(status);
  report(`booted ${process.uptime().toFixed(3)} ${readFileSync('/proc/uptime', 'utf8').split(' ')[0]}`);
  loadModules();
  raiseDescriptorLimit(DESCRIPTORS);
  const line = openSync(parameters['bindstorm.agent'] ?? '', 'r+');
  makeRaw(line);
  const entry = fileURLToPath(new URL('./entry.js', import.meta.url));
  const agent = spawn(process.execPath, [entry, 'netns', parameters['bindstorm.purpose'] ?? 'check'], {
    stdio: [line, line, 'inherit'],
  });
  agent.on('error', (error) => end(`failed ${error.message}`));
  agent.on('exit', (code, signal) => {
    drain(line);
    end(signal === null ? `exit ${code}` : `killed ${signal}`);
  });
}

/** A kernel without devtmpfs has the few devices that the image brings. */
function mountDevices(): void {
  try {
    mount('devtmpfs', '/dev');
  } catch (error) {
    process.stderr.write(`bindstorm: ${error instanceof Error ? error.message : error}\n`);
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
      process.stderr.write(`bindstorm: ${error instanceof Error ? error.message : error}\n`);
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

process.on('uncaughtException', (error) => {
  process.stderr.write(`bindstorm: ${error.stack}\n`);
  end(`failed ${error.message.replaceAll('\n', ' ')}`);
});
boot();
