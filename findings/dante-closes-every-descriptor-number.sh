#!/bin/bash
# Dante (danted) makes system calls in proportion to the limit of open files when it starts: it closes every descriptor number below RLIMIT_NOFILE,
# one by one, open or not, and does not use close_range(2). With the limits that containers and service managers give, 2^20 and more, that is a
# million calls and more before the first client is served.
# Seen with dante-server 1.4.2 (Debian 12, 1.4.2+dfsg-7+b8) on Linux 6.18, counted by strace.
# Needs: Debian's apt-get, dpkg-deb, util-linux, iproute2, strace, python3; user namespaces or root. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
version=$(apt-cache policy dante-server | awk '/Candidate/ {print $2}')
case $version in 1.4.2*) ;; *) echo "dante-server is $version here; this is about 1.4.2"; exit 2 ;; esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
libraries=$(apt-get -qq --print-uris --no-install-recommends install "dante-server=$version" strace 2>/dev/null | awk '{print $2}' | sed 's/_.*//' | grep -vx dante-server || true)
# shellcheck disable=SC2086
apt-get -q download "dante-server=$version" $libraries >apt.log 2>&1 || { cat apt.log; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" root; done
cat >inside.sh <<'IN'
set -eu
ip link set lo up
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu" PATH="$PATH:$PWD/root/usr/bin"
cat >danted.conf <<CONF
logoutput: stderr
internal: 127.0.0.1 port = 1080
external: 127.0.0.1
socksmethod: none
clientmethod: none
user.privileged: root
user.unprivileged: root
client pass { from: 0/0 to: 0/0 }
socks pass { from: 0/0 to: 0/0 }
CONF
for limit in 1024 16384; do
  prlimit --nofile=$limit:$limit strace -f -qq -e trace=close,close_range -o calls.$limit ./root/usr/sbin/danted -f danted.conf >danted.log 2>&1 & danted=$!
  # Until it listens: port 1080 is 0438, state 0A.
  for _ in $(seq 150); do grep -q ':0438 00000000:0000 0A' /proc/net/tcp && break; sleep 0.1; done
  sleep 2
  pkill -P $danted || true
  wait $danted 2>/dev/null || true
  echo "$limit $(grep -c 'close(' calls.$limit) $(grep -c 'close_range(' calls.$limit)" >>seen
done
IN
root=''
[ "$(id -u)" -eq 0 ] || root='--user --map-root-user'
# shellcheck disable=SC2086
timeout 50 unshare $root --net --pid --fork --kill-child --mount-proc -- bash inside.sh
while read -r limit closes ranges; do
  echo "dante-server $version, RLIMIT_NOFILE $limit: $closes calls of close(), $ranges of close_range()"
  [ "$closes" -ge "$limit" ] && [ "$ranges" -eq 0 ] || { echo 'expected a close() for each number below the limit'; exit 1; }
done <seen
[ "$(wc -l <seen)" -eq 2 ] || { echo 'danted did not come up'; exit 1; }
echo 'as described: the calls grow with the limit'
