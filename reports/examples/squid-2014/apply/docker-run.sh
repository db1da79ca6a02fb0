#!/bin/sh
# bindstorm: wider-range, the change that helped in the experiment squid-2014
#
# Measured   failures: 50.0 % → 25.0 %, −25.0 points (95 % CI −25.2 to −24.8, p < 0.001), 4 pairs of runs
# Sustained  22,750/s → 34,125/s (1,411,600 at once → 2,117,400 at once), by the model with the ports of a machine
# Guardrail  service time, p90: not enough evidence, 533 µs → 534 µs, −48 µs (95 % CI −386 µs to +290 µs, p = 1), 4 pairs of runs
# Guardrail  CPU per connection: better, 455 µs → 313 µs, −140 µs (95 % CI −173 µs to −108 µs, p = 0.0012), 4 pairs of runs
# Scale      measured with net.ipv4.ip_local_port_range = 40000 40005: in the lab 4 ports stood for 28,232, and 6, 1.5 times as many, for 42,348
# Not taken  max-tw-buckets gives up what TIME_WAIT protects from (net.ipv4.tcp_max_tw_buckets), which no guardrail measures; it did more
# Where      Linux 6.18.44-fc-v857, x86_64; network namespace, client, proxy and origin joined by veth; bindstorm 0.1.0; 2026-11-30 18:57 UTC
# Repeat     bindstorm run squid-2014
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
  --sysctl 'net.ipv4.ip_local_port_range=18652 60999' \
  "$@"
