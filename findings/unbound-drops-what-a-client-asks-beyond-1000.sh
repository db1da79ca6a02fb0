#!/bin/bash
# unbound answers at most 1,000 queries of one client's address that wait for an answer from elsewhere; those beyond are not asked for and get no
# answer, not SERVFAIL. The log has no warning; the statistics count them as "requestlist exceeded", as if that list, whose size is
# num-queries-per-thread, were full. The option is wait-limit of unbound 1.20, but Debian's 1.17.1 has it too, since an update, with the same
# default. A load balancer, a forwarder or a NAT in front of unbound is one client's address, and with slow or dead servers
# upstream 1,000 queries wait soon: it looks like lost datagrams or like ports that ran out. A larger num-queries-per-thread, which is what is
# raised for that, does not help; wait-limit: 0 does.
# Seen with unbound 1.17.1-2+deb12u4 (Debian 12) on Linux 6.18: of 1,500 queries it forwarded and answered 1,001, and 1,500 with wait-limit: 0.
# Needs: Debian's apt-get, dpkg-deb, util-linux, iproute2, python3; user namespaces or root. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
version=1.17.1-2+deb12u4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# unbound, and those of its libraries that are not here.
libraries=$(apt-get -qq --print-uris --no-install-recommends install "unbound=$version" 2>/dev/null | awk '{print $2}' | sed 's/_.*//' | grep '^lib' || true)
# shellcheck disable=SC2086
apt-get -q download "unbound=$version" $libraries >apt.log 2>&1 || { cat apt.log; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" root; done
# Queries for 1,500 names from one socket, two a millisecond; the forwarder answers when nothing more has come for a second.
cat >ask.py <<'PY'
import socket, time
QUERIES, PORT = 1500, 5300
upstream = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
upstream.bind(('127.0.0.2', 53000))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
client.connect(('127.0.0.1', PORT))
waiting, answered = [], set()

def note(reply):
    if reply[0][3] & 15 == 0:
        answered.add(reply[0][:2])

def question(i):
    name = b'q%d' % i
    return bytes([i >> 8, i & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, len(name)]) + name + b'\0\0\1\0\1'

def end_of_question(query):
    at = 12
    while query[at]:
        at += query[at] + 1
    return at + 5

def answer(query):
    asked = query[12:end_of_question(query)]
    return query[:2] + b'\x81\x80\0\1\0\1\0\0\0\0' + asked + b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1'

def hear(sock, seconds, each):
    sock.settimeout(seconds)
    try:
        while True:
            each(sock.recvfrom(4096))
    except (TimeoutError, socket.timeout):
        pass

for i in range(QUERIES):
    client.send(question(i))
    time.sleep(0.0005)
    hear(upstream, 0.00001, waiting.append)
hear(upstream, 1, waiting.append)
for query, unbound in waiting:
    upstream.sendto(answer(query), unbound)
    time.sleep(0.0005)
    hear(client, 0.00001, note)
hear(client, 2, note)
print(len({query[12:end_of_question(query)] for query, _ in waiting}), len(answered))
PY
cat >inside.sh <<'IN'
set -eu
ip link set lo up
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
for limit in '' '  wait-limit: 0'; do
  # The age of an answer, and the queries of a thread, are other limits; here they are to decide nothing.
  cat >unbound.conf <<CONF
server:
  directory: "$PWD"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: "$PWD/unbound.log"
  interface: 127.0.0.1@5300
  do-not-query-localhost: no
  module-config: "iterator"
  unknown-server-time-limit: 30000
  discard-timeout: 0
  num-queries-per-thread: 4096
$limit
forward-zone:
  name: "."
  forward-addr: 127.0.0.2@53000
remote-control:
  control-enable: no
CONF
  ./root/usr/sbin/unbound -d -p -c unbound.conf >>unbound.out 2>&1 & unbound=$!
  # Until it listens: port 5300 is 14B4.
  for _ in $(seq 100); do grep -q ':14B4 ' /proc/net/udp && break; sleep 0.1; done
  python3 ask.py >>seen
  kill $unbound
  wait $unbound 2>/dev/null || true
done
IN
root=''
[ "$(id -u)" -eq 0 ] || root='--user --map-root-user'
# shellcheck disable=SC2086
timeout 50 unshare $root --net --pid --fork --kill-child -- bash inside.sh
{ read -r asked answered; read -r asked_without answered_without; } <seen
echo "unbound $version, 1,500 queries of one client: $asked forwarded, $answered answered; with wait-limit: 0 $asked_without and $answered_without"
beyond=$(sed -n 's/.* requestlist .* exceeded \([0-9]*\) .*/\1/p' unbound.log | head -1)
warnings=$(grep -cvE ' (info|notice): ' unbound.log || true)
echo "its log: $warnings warnings or errors; its statistics at the end: $beyond exceeded the request list"
[ "$asked_without $answered_without" = '1500 1500' ] || { echo 'expected all 1,500 with wait-limit: 0'; exit 1; }
[ "$answered" -ge 950 ] && [ "$answered" -le 1050 ] && [ "$beyond" -eq $((1500 - asked)) ] && [ "$warnings" -eq 0 ] ||
  { echo 'expected about 1,000, the others in the statistics, and no warning'; exit 1; }
echo 'as described: what one client asks beyond 1,000 waiting queries gets no answer'
