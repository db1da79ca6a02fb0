#!/bin/bash
# The client of NATS for JavaScript stops reconnecting for good after two answers «Authentication Timeout», though maxReconnectAttempts is -1 and
# though it was signed in and worked between the two. A nats-server gives that answer to whoever has not signed in within two seconds, so a
# server (or client) whose machine is busy is enough. Documented is: "NATS clients will abort reconnect if they fail authentication twice in a row
# with the same error"; a timeout is taken for a failed authentication (its message begins with "authentication"), and «in a row» does not
# end with success, since the last such error is kept over it. The connection is then closed, and the program has to notice.
# Seen with @nats-io/transport-node 3.4.0 on Node 20.20. What helps: ignoreAuthErrorAbort: true.
# Needs: node, npm; the server here is a few lines that answer as nats-server does. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
version=3.4.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix . "@nats-io/transport-node@$version" >install.log 2>&1 || { cat install.log; exit 2; }
cat >probe.mjs <<'X'
import { createServer } from 'node:net';
import { connect } from '@nats-io/transport-node';

const ignoreAuthErrorAbort = process.argv[2] === 'ignore';
// What each connection comes to: «in» signs in and is cut, «late» is told that it took too long, «stay» signs in and stays.
const ends = ['in', 'late', 'in', 'late', 'stay'];
let made = 0;
const server = createServer((socket) => {
  const end = ends[made++] ?? 'stay';
  socket.on('error', () => {});
  socket.write(`INFO ${JSON.stringify({ server_id: 'X', version: '2.10.0', proto: 1, headers: true, max_payload: 1024 })}\r\n`);
  socket.on('data', (data) => {
    if (!String(data).includes('PING')) return;
    if (end === 'late') return socket.end("-ERR 'Authentication Timeout'\r\n");
    socket.write('PONG\r\n');
    if (end === 'in') setTimeout(() => socket.destroy(), 100);
  });
});
server.listen(0, '127.0.0.1', async () => {
  const connection = await connect({
    servers: `nats://127.0.0.1:${server.address().port}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 50,
    ignoreAuthErrorAbort,
  });
  const closed = connection.closed().then((error) => `closed for good after ${made} connections (${error?.message})`);
  const stays = (async () => {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      if (made === ends.length) return `in again with connection ${made}`;
    }
  })();
  console.log(await Promise.race([closed, stays]));
  process.exit();
});
X
given_up=$(node probe.mjs)
echo "$version, signed in, timeout, signed in, timeout: $given_up"
kept_on=$(node probe.mjs ignore)
echo "$version, the same with ignoreAuthErrorAbort: $kept_on"
[[ "$given_up" == 'closed for good after 4 connections'* && "$kept_on" == 'in again with connection 5' ]] ||
  { echo 'expected it to give up after the second timeout, and not to with ignoreAuthErrorAbort'; exit 1; }
echo 'as described: two timeouts, with success between them, end all reconnecting'
