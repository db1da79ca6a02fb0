#!/bin/bash
# When no UDP port is left, connect() of a UDP socket fails with EAGAIN. Ruby's UDPSocket#connect and Perl's IO::Socket::INET->new(Proto => "udp") take
# that for a connection under way and return as if all were well: Ruby's socket then has local port 0 and no peer, Perl's is not connected. The
# program learns of it with its first send, if it looks. connect(2) of UDP is never under way: EAGAIN says that no port is free (udp_lib_get_port(),
# inet_autobind(), net/ipv4/af_inet.c).
# Seen with ruby 3.1.2 (Debian 12, ruby3.1 3.1.7+really3.1.2-0+deb12u1) and perl 5.36.0 (5.36.0-7+deb12u4) on Linux 6.18.
# Needs: Debian's ruby and perl of these versions, util-linux, iproute2; user namespaces or root. Exit 0: as described; 1: it behaves otherwise;
# 2: other versions.
set -euo pipefail
ruby=$(ruby -e 'print RUBY_VERSION')
perl=$(perl -e 'printf "%vd", $^V')
[ "$ruby" = 3.1.2 ] && [ "$perl" = 5.36.0 ] || { echo "ruby $ruby and perl $perl, not 3.1.2 and 5.36.0"; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >inside.sh <<'IN'
set -eu
ip link set lo up
echo '40000 40001' >/proc/sys/net/ipv4/ip_local_port_range
ruby -rsocket -e '
  open = []
  3.times do
    s = UDPSocket.new
    s.connect("127.0.0.1", 9)
    open << s
    puts "ruby returns, port #{s.addr[1] == 0 ? "none" : "one"}"
  end'
perl -MIO::Socket::INET -e '
  my @open;
  for (1 .. 3) {
    my $s = IO::Socket::INET->new(Proto => "udp", PeerAddr => "127.0.0.1:9") or die "new: $@\n";
    push @open, $s;
    printf "perl returns, peer %s\n", defined $s->connected ? "one" : "none";
  }'
IN
root=''
[ "$(id -u)" -eq 0 ] || root='--user --map-root-user'
# shellcheck disable=SC2086
timeout 40 unshare $root --net --pid --fork --kill-child -- bash inside.sh >seen
cat >expected <<'SAID'
ruby returns, port one
ruby returns, port one
ruby returns, port none
perl returns, peer one
perl returns, peer one
perl returns, peer none
SAID
diff expected seen || { echo 'expected that the third of each returns without a port or a peer'; exit 1; }
echo 'as described: with two ports the third socket of each is said to be connected, and is not'
