/**
 * Imported for its effect, as the first import of every program here: SIGUSR1 opens no debugger.
 *
 * Node opens a port on that signal to which any process of the machine may connect, and which then executes what it is told
 * (nodejs.org/en/learn/getting-started/debugging). A listener of our own takes the place of Node's. Where Node knows the option
 * `--disable-sigusr1`, our child processes have it too (node-command.ts); in older versions the signal may come before this module, so a
 * debugger that it has opened by then is closed. One that somebody asked for by an option stays.
 */
import inspector from 'node:inspector';

process.on('SIGUSR1', () => {});

const askedFor = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((option) => option.includes('--inspect'));
// Node opens it between two turns of the event loop; this timer keeps no process from ending.
if (!askedFor)
  for (const delay of [0, 100])
    setTimeout(() => {
      if (inspector.url() !== undefined) inspector.close();
    }, delay).unref();
