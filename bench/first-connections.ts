/**
 * A target that says when the first connection of each address came, run by run: a program of its own, in the namespace of the target.
 *
 *     node first-connections.js ADDRESS PORT
 *
 * One line of JSON a run, address → milliseconds of its own clock. A run is over when nothing has come for a while.
 */
import { createServer } from 'node:net';

const [address, port] = process.argv.slice(2);
/** Longer than any pause in a load, shorter than between two. */
const PAUSE_MS = 300;

let first: Record<string, number> = {};
let timer: NodeJS.Timeout | undefined;
const over = () => {
  process.stdout.write(`${JSON.stringify(first)}\n`);
  first = {};
};

const server = createServer((socket) => {
  const from = socket.remoteAddress ?? '';
  first[from] ??= performance.now();
  clearTimeout(timer);
  timer = setTimeout(over, PAUSE_MS);
  socket.on('error', () => {});
  socket.end();
});
server.listen({ host: address, port: Number(port), backlog: 4096 }, () => process.stderr.write('listening\n'));
