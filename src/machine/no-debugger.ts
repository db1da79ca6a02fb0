/**
 * Imported for its effect, as the first import of every program here: SIGUSR1 opens no debugger.
 *
 * Node opens a port on that signal to which any process of the machine may connect, and which then executes what it is told
 * (nodejs.org/en/learn/getting-started/debugging). A listener of our own takes the place of Node's. Where Node knows the option
 * `--disable-sigusr1`, our child processes have it too (node-command.ts); in older versions the signal may come before this module, so a
 * debugger that it has opened by then is closed. One that somebody asked for by an option stays.
 */
process.on('SIGUSR1', () => {});

const askedFor = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((option) => option.includes('--inspect'));
/**
 * Milliseconds after which it is closed. A thread of Node's that waits for the signal has the event loop open it: soon after the signal, but on a busy
 * machine both may come late.
 */
const OPENED_BY_MS = [100, 300, 1000];

function closeDebugger(): void {
  const inspector = process.getBuiltinModule('node:inspector');
  if (inspector.url() !== undefined) inspector.close();
}

// The timers keep no process from ending, and the module is loaded then: a short-lived program does not wait for it. Behind the turn in which a timer is
// due the loop does what came from other threads, such as the opening.
if (!askedFor) for (const delay of OPENED_BY_MS) setTimeout(() => setImmediate(closeDebugger), delay).unref();
