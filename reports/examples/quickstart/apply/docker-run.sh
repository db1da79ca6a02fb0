#!/bin/sh
# bindstorm: wider-range, the change that helped in the experiment quickstart
#
# Measured   failures: 50.0 % → 0 %, −50.0 points (the same in every run), 4 pairs of runs
# Sustained  2,275/s → 5,198/s (141,160 at once → 322,560 at once), by the model with the ports of a machine
# Guardrail  service time, p90: no difference, 56.5 µs → 54 µs, −4.25 µs (95 % CI −21.4 µs to +12.9 µs, p = 1), 4 pairs of runs
# Guardrail  CPU per connection: better, 122 µs → 67 µs, −56.2 µs (95 % CI −70 µs to −42.5 µs, p < 0.001), 4 pairs of runs
# Scale      measured with net.ipv4.ip_local_port_range = 40000 40399: in the lab 100 ports stood for 28,232, and 400, 4 times as many, for 112,928; there are 64,512 from 1024 on, 2.3 times as many, so this is less of a step than was measured
# Where      Linux 6.18.44-fc-v857, x86_64; network namespace, client and origin joined by veth; bindstorm 0.1.0; 2026-11-30 18:56 UTC
# Repeat     bindstorm run quickstart
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
  --sysctl 'net.ipv4.ip_local_port_range=1024 65535' \
  "$@"
