#!/bin/sh
# bindstorm: wider-range, the change that helped in the experiment squid-2014-kernel
#
# Measured   connection rate: 3.33/s → 8/s, +4.67/s (95 % CI +4.66/s to +4.68/s, p < 0.001), 4 pairs of runs
# Sustained  22,750/s → 51,985/s (1,411,600 at once → 3,225,600 at once), by the model with the ports of a machine
# Guardrail  CPU per connection: better, 24.4 ms → 12.5 ms, −11.5 ms (95 % CI −14.8 ms to −8.1 ms, p = 0.0032), 4 pairs of runs
# Guardrail  total time, p99: not enough evidence, 342 ms → 240 ms, −64.1 ms (95 % CI −272 ms to +144 ms, p = 1), 4 pairs of runs
# Guardrail  timeout:ETIMEDOUT: not enough evidence, 0 % → 0 %, 0 points (95 % CI −0.34 to +0.34, p = 1), 4 pairs of runs
# Scale      measured with net.ipv4.ip_local_port_range = 40000 40005: in the lab 2 ports stood for 28,232, and 6, 3 times as many, for 84,696; there are 64,512 from 1024 on, 2.3 times as many, so this is less of a step than was measured
# Where      Linux 4.9.154, x86_64; virtual machine: QEMU with an emulated CPU (TCG; KVM: no /dev/kvm), kernel ./vmlinuz-4.9.154, client, proxy and origin joined by veth (counts and errnos are exact; times are not those of this kernel on hardware, and are not compared with those of another engine); bindstorm 0.1.0; 2026-11-30 21:02 UTC
# Repeat     bindstorm run squid-2014-kernel --kernel ./vmlinuz-4.9.154 --repeat 4
#
# Beware     ports of the range that services listen on belong into net.ipv4.ip_local_reserved_ports, or a connection may take one while its service restarts (bindstorm watch lists them); a machine whose range is wider already has no use for it
# Beware     a first guest was lost before its agent said hello (the agent was lost: the kernel of the guest panicked (IO-APIC + timer doesn't work!  Boot with apic=debug and send a report.  Then try booting with the 'noapic' option.))
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
