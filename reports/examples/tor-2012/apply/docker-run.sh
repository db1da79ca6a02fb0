#!/bin/sh
# bindstorm: wider-range, the change that helped in the experiment tor-2012
#
# Measured   failures: 60.0 % → 0 %, −60.0 points (the same in every run), 2 pairs of runs
# Sustained  910/s → 2,079/s (56,464 at once → 129,012 at once), by the model with the ports of a machine
# Scale      measured with net.ipv4.ip_local_port_range = 1025 65530: in the lab 64 ports stood for 28,232: the step there was 1,008 times as many, here it is 2.3 times as many at most
# Where      Linux 6.18.44-fc-v857, x86_64; network namespace, client, proxy and origin joined by veth; bindstorm 0.1.0; 2026-11-30 18:58 UTC
# Repeat     bindstorm run tor-2012
#
# Beware     ports of the range that services listen on belong into net.ipv4.ip_local_reserved_ports, or a connection may take one while its service restarts (bindstorm watch lists them); a machine whose range is wider already has no use for it
#
# The container needs a network namespace of its own: with --network host (network_mode: host) the values would be those of the machine, and docker refuses them; use the drop-in there.
# It takes what `docker run` takes; DOCKER=podman runs podman instead:
#   sh docker-run.sh --detach --name NAME IMAGE
# Check:
#   docker exec NAME cat /proc/sys/net/ipv4/ip_local_port_range
# Go back: make the container again with `docker run`.
exec "${DOCKER:-docker}" run \
  --sysctl 'net.ipv4.ip_local_port_range=1025 65530' \
  "$@"
