/**
 * The control port of a Tor over its Unix socket (control-spec): commands, their replies, and events.
 */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface Control {
  /** @returns the lines of the reply, without their numbers. Rejects when Tor refuses, with its words */
  ask(command: string): Promise<string[]>;
  /** Resolves when Tor has closed it, and everything that it said has been read. */
  readonly closed: Promise<void>;
  close(): void;
}

interface Waiting {
  readonly resolve: (lines: string[]) => void;
  readonly reject: (error: Error) => void;
}

/** Connect and authenticate. Rejects when there is nobody. @param onEvent one line of an asynchronous event, without its number */
export async function openControl(path: string, onEvent: (event: string) => void): Promise<Control> {
  const socket = connect(path);
  await once(socket, 'connect');
  const waiting: Waiting[] = [];
  let lines: string[] = [];
  let inData = false;
  let rest = '';

  function take(line: string): void {
    if (inData) {
      if (line === '.') inData = false;
      else lines.push(line);
      return;
    }
    const code = line.slice(0, 3);
    const text = line.slice(4);
    if (code === '650') {
      if (line[3] === ' ') onEvent(text);
      return;
    }
    lines.push(text);
    if (line[3] === '+') inData = true;
    if (line[3] !== ' ') return;
    const reply = lines;
    lines = [];
    const asked = waiting.shift();
    if (code.startsWith('2')) asked?.resolve(reply);
    else asked?.reject(new Error(`Tor answered: ${code} ${reply.join(' ')}`));
  }

  socket.setEncoding('latin1').on('data', (text: string) => {
    const parts = (rest + text).split('\r\n');
    rest = parts.pop()!;
    for (const part of parts) take(part);
  });
  socket.on('error', () => {});
  socket.once('close', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('the control port was closed'));
  });

  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const control: Control = {
    closed,
    ask: (command) =>
      new Promise((resolve, reject) => {
        if (socket.destroyed) return reject(new Error('the control port was closed'));
        waiting.push({ resolve, reject });
        socket.write(`${command}\r\n`);
      }),
    close: () => void socket.destroy(),
  };
  await control.ask('AUTHENTICATE ""');
  return control;
}
