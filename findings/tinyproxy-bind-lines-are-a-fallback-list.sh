#!/bin/bash
# tinyproxy with several Bind lines does not spread connections over the addresses: it uses the first one alone, and the second only for a
# connection for which the first has no port left. Seen with tinyproxy 1.11.1 (Debian 12, tinyproxy-bin 1.11.1-2.1+deb12u1) on Linux 6.18.
# An operator who adds addresses to share the load gets the ports, but sees one address busy and the others idle until it is full.
# Needs: Debian's apt-get, dpkg-deb, util-linux, iproute2, curl, python3; user namespaces or root. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
version=1.11.1-2.1+deb12u1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get -q download "tinyproxy-bin=$version" >apt.log 2>&1 || { cat apt.log; exit 2; }
dpkg-deb -x tinyproxy-bin_*.deb root
cat >inside.sh <<'IN'
set -eu
ip link set lo up
for last in 1 2 9; do ip addr add 10.9.0.$last/32 dev lo; done
# Four ports an address, so that the first is soon full; connections are held by the server.
echo '40000 40003' >/proc/sys/net/ipv4/ip_local_port_range
cat >tinyproxy.conf <<CONF
Port 8888
Listen 127.0.0.1
Bind 10.9.0.1
Bind 10.9.0.2
MaxClients 50
LogLevel Error
CONF
cat >server.py <<'PY'
import socket, sys
listener = socket.create_server(('10.9.0.9', 8080), backlog=64)
held = []
with open('peers', 'w', buffering=1) as peers:
    while True:
        connection, (address, _) = listener.accept()
        held.append(connection)
        peers.write(address + '\n')
PY
cat >client.py <<'PY'
import socket
# Clients name ports of their own outside of the range under test: they share this network namespace with the proxy.
held = []
for i in range(8):
    client = socket.socket()
    client.bind(('127.0.0.1', 50000 + i))
    client.connect(('127.0.0.1', 8888))
    client.settimeout(15)
    client.sendall(b'CONNECT 10.9.0.9:8080 HTTP/1.1\r\nHost: 10.9.0.9:8080\r\n\r\n')
    client.recv(64)
    held.append(client)
PY
python3 server.py & server=$!
./root/usr/bin/tinyproxy -d -c tinyproxy.conf >proxy.log 2>&1 & proxy=$!
trap 'kill $server $proxy 2>/dev/null || true' EXIT
# Both listen: 8888 is 22B8 and 8080 is 1F90, state 0A.
for _ in $(seq 100); do [ "$(grep -cE ':(22B8|1F90) 00000000:0000 0A' /proc/net/tcp)" -eq 2 ] && break; sleep 0.1; done
python3 client.py
sleep 0.3
IN
root=''
[ "$(id -u)" -eq 0 ] || root='--user --map-root-user'
# shellcheck disable=SC2086
timeout 40 unshare $root --net --pid --fork --kill-child -- bash inside.sh
seen=$(tr '\n' ' ' <peers)
echo "tinyproxy $version, two Bind lines, four ports each, eight connections; the server saw: $seen"
[ "$seen" = '10.9.0.1 10.9.0.1 10.9.0.1 10.9.0.1 10.9.0.2 10.9.0.2 10.9.0.2 10.9.0.2 ' ] || { echo 'expected four of the first address, then four of the second'; exit 1; }
echo 'as described: the second address is used only when the first is full'
