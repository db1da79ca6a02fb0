#!/bin/bash
# The client of NATS for Node, given tls://127.0.0.2:PORT, does not look for that address in the server's certificate but for "localhost": it
# passes an empty server name to tls.connect() for a socket that is open already, and Node then takes "localhost" for the host. So a certificate that
# has the address (subjectAltName IP:127.0.0.2) is refused, and one of the same authority for localhost is taken, at whatever address.
# One would expect that whoever connects by an address is held to it, or told that it cannot be checked.
# Seen with @nats-io/transport-node 3.4.0 on Node 20.20. What helps: tls: { checkServerIdentity: (_, c) => checkServerIdentity(HOST, c) }.
# Needs: node, npm, openssl. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
version=3.4.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix . "@nats-io/transport-node@$version" >install.log 2>&1 || { cat install.log; exit 2; }
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
openssl req -x509 "${key[@]}" -subj /CN=authority -days 2 -keyout ca.key -out ca.pem 2>/dev/null
for name in IP:127.0.0.2 DNS:localhost; do
  openssl req -new "${key[@]}" -subj /CN=server -keyout "$name.key" -out "$name.csr" 2>/dev/null
  printf 'subjectAltName=%s\n' "$name" >"$name.ext"
  openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -extfile "$name.ext" -days 2 -out "$name.pem" 2>/dev/null
done
cat >probe.mjs <<'X'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { checkServerIdentity, TLSSocket } from 'node:tls';
import { connect } from '@nats-io/transport-node';

const [name, fix] = process.argv.slice(2);
const read = (file) => readFileSync(file, 'utf8');
const HOST = '127.0.0.2';
// A server says INFO in the clear, speaks TLS from then on, and answers a ping.
const server = createServer((raw) => {
  raw.on('error', () => {});
  raw.write(`INFO ${JSON.stringify({ server_id: 'X', version: '2.10.0', proto: 1, headers: true, max_payload: 1024, tls_required: true })}\r\n`);
  const secure = new TLSSocket(raw, { isServer: true, key: read(`${name}.key`), cert: read(`${name}.pem`) });
  secure.on('error', () => {});
  secure.on('data', (data) => String(data).includes('PING') && secure.write('PONG\r\n'));
});
server.listen(0, HOST, async () => {
  const tls = { ca: read('ca.pem'), ...(fix ? { checkServerIdentity: (_, c) => checkServerIdentity(HOST, c) } : {}) };
  try {
    await connect({ servers: `tls://${HOST}:${server.address().port}`, tls, timeout: 10_000, reconnect: false });
    console.log('taken');
  } catch (error) {
    console.log(/altnames/.test(error.message) ? 'refused' : `failed: ${error.message}`);
  }
  process.exit();
});
X
seen=''
for name in IP:127.0.0.2 DNS:localhost; do
  for fix in '' fixed; do
    end=$(node probe.mjs "$name" "$fix")
    echo "$version, tls://127.0.0.2, certificate for $name${fix:+, with checkServerIdentity}: $end"
    seen="$seen$end;"
  done
done
[ "$seen" = 'refused;taken;taken;refused;' ] || { echo 'expected the address to be refused and localhost to be taken'; exit 1; }
echo 'as described: it looks for localhost'
