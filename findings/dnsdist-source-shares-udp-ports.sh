#!/bin/bash
# dnsdist with source= in newServer{} puts several of its UDP sockets on one local port and says nothing; without source=, where there are fewer
# ports than sockets=, it logs one error ("Resource temporarily unavailable"), keeps none of them and has that server down. With source= it sets
# SO_REUSEADDR before bind(), and for UDP that lets bind() to port 0 give out a port that another socket of the same address has. Only connect(),
# which follows, could tell the sockets apart, and all of them are connected to the same server: an answer goes to one of those that share the port.
# Seen with dnsdist 1.7.3 (Debian 12, 1.7.3-2) on Linux 6.18. An operator who raises `sockets=` to have that many source ports has fewer.
# Needs: Debian's apt-get, dpkg-deb, util-linux, iproute2; user namespaces or root. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
version=1.7.3-2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# dnsdist, and those of its libraries that are not here.
libraries=$(apt-get -qq --print-uris --no-install-recommends install "dnsdist=$version" 2>/dev/null | awk '{print $2}' | sed 's/_.*//' | grep -vx dnsdist || true)
# shellcheck disable=SC2086
apt-get -q download "dnsdist=$version" $libraries >apt.log 2>&1 || { cat apt.log; exit 2; }
for package in *.deb; do dpkg-deb -x "$package" root; done
cat >inside.sh <<'IN'
set -eu
ip link set lo up
for last in 1 9; do ip addr add 10.9.0.$last/32 dev lo; done
echo '40000 40003' >/proc/sys/net/ipv4/ip_local_port_range
export LD_LIBRARY_PATH="$PWD/root/usr/lib/x86_64-linux-gnu"
for source in '' ', source="10.9.0.1"'; do
  printf 'setLocal("127.0.0.1:5300")\nnewServer{address="10.9.0.9:53", sockets=8, healthCheckMode="up"%s}\nsetSecurityPollSuffix("")\n' "$source" >dnsdist.conf
  ./root/usr/bin/dnsdist --supervised --disable-syslog -C dnsdist.conf >dnsdist.log 2>&1 & dnsdist=$!
  # Until it listens: 127.0.0.1 port 5300 is 14B4.
  for _ in $(seq 100); do grep -q ':14B4 ' /proc/net/udp && break; sleep 0.1; done
  sleep 0.5
  # Sockets that are connected to 10.9.0.9 port 53 (0900090A:0035).
  awk -v form="${source:+with}" '$3 == "0900090A:0035" { n++; port[$2] } END { p = 0; for (x in port) p++; print (form ? form : "without"), n + 0, p }' /proc/net/udp >>seen
  grep -c 'Resource temporarily unavailable' dnsdist.log >>errors || true
  kill $dnsdist
  wait $dnsdist 2>/dev/null || true
done
IN
root=''
[ "$(id -u)" -eq 0 ] || root='--user --map-root-user'
# shellcheck disable=SC2086
timeout 40 unshare $root --net --pid --fork --kill-child -- bash inside.sh
while read -r form sockets ports; do
  echo "dnsdist $version, sockets=8, 4 ports, $form source=: $sockets connected UDP sockets on $ports ports"
  case $form in
    with) [ "$sockets" -eq 8 ] && [ "$ports" -le 4 ] ;;
    without) [ "$sockets" -eq 0 ] ;;
  esac || { echo 'expected 8 sockets on at most 4 ports with source=, and none without'; exit 1; }
done <seen
echo "lines with the errno, without and with source=: $(tr '\n' ' ' <errors)"
[ "$(tr '\n' ' ' <errors)" = '1 0 ' ] || { echo 'expected one without and none with'; exit 1; }
[ "$(wc -l <seen)" -eq 2 ] || { echo 'dnsdist did not come up'; exit 1; }
echo 'as described: with source= sockets share ports silently'
