#!/bin/bash
# Since Linux 6.15 the order in which the kernel lists TCP sockets (ss, NETLINK_SOCK_DIAG) is no shuffle any more: the connections of one address to
# one destination are listed by their local ports, from one place in the table on, so the first few hundred lines may know one destination only.
# Before, the table's hash mixed the local port in, and the beginning of the list was as good as a random sample; whoever looks at the first N
# sockets, or pipes `ss -tin` into head, rests on that. Since commit 9544d60a2605 ("inet: change lport contribution to inet_ehashfn() and
# inet6_ehashfn()") the port is added to the hash of the rest.
# Seen on Linux 6.18 with iproute2 6.1.0: 600 connections, to three destinations in turn from ports that the kernel chose at random; of the 200 to
# each, the list goes back to a lower port at most once (where the table ends), in a shuffle a hundred times.
# Needs: Linux 6.15 or newer (else exit 2), util-linux, iproute2, python3; user namespaces or root. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
release=$(uname -r)
IFS=. read -r major minor _ <<<"${release%%-*}"
[ "$major" -gt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -ge 15 ]; } || { echo "Linux $release is older than 6.15"; exit 2; }
cat >open.py <<'PY'
import socket, subprocess
servers = []
for last in (11, 12, 13):
    server = socket.socket()
    server.bind((f'127.0.0.{last}', 8080))
    server.listen(1024)
    servers.append(server)
held = []
for i in range(600):
    client = socket.socket()
    client.bind(('127.0.0.1', 0))
    client.connect(servers[i % 3].getsockname())
    held += [client, servers[i % 3].accept()[0]]
listed = subprocess.run(['ss', '-Htn', 'src', '127.0.0.1'], capture_output=True, text=True, check=True).stdout.split('\n')
rows = [line.split()[3:5] for line in listed if line]
ports = {}
for local, remote in rows:
    ports.setdefault(remote, []).append(int(local.rsplit(':', 1)[1]))
back = max(sum(b < a for a, b in zip(each, each[1:])) for each in ports.values())
print(len(rows), len(ports), back)
PY
cat >inside.sh <<'IN'
ip link set lo up
exec python3 open.py
IN
root=''
[ "$(id -u)" -eq 0 ] || root='--user --map-root-user'
# shellcheck disable=SC2086
read -r rows destinations back <<<"$(timeout 40 unshare $root --net --pid --fork --kill-child -- bash inside.sh)"
echo "Linux $release, $rows connections to $destinations destinations: in the list of each, a port is lower than the one before it at most $back times"
[ "$rows $destinations" = '600 3' ] && [ "$back" -le 1 ] || { echo 'expected 600, 3, and at most once'; exit 1; }
echo 'as described: the list is in order'
