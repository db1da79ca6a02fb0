#!/bin/sh
# PostgreSQL, pgbouncer before it, and pgbench as an application that makes a connection for each transaction. CONNECT=once: it keeps one.
# VIA=postgres: without pgbouncer. All three are in the lab's namespace, each with the address of the lab.
set -eu
: "${CONNECT:=each}" "${VIA:=pgbouncer}" "${TRANSACTIONS:=1000}" "${SOURCE:=10.50.0.1}"
# Neither server runs as root.
if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=postgres --regid=postgres --clear-groups -- "$0" "$@"; fi
# Debian keeps these beside the PATH, by version.
for bin in /usr/lib/postgresql/*/bin; do PATH=$bin:$PATH; done
PATH=$PATH:/usr/sbin
data=$(mktemp -d)
initdb --pgdata="$data" --username=app --auth=trust --no-sync --locale=C --encoding=UTF8 > "$data.log" 2>&1 || { cat "$data.log" >&2; exit 1; }
printf 'host all all %s/32 trust\n' "$SOURCE" >> "$data/pg_hba.conf"
cat > "$data/pgbouncer.ini" <<INI
[databases]
postgres = host=$SOURCE port=5432 user=app
[pgbouncer]
listen_addr = $SOURCE
listen_port = 6432
unix_socket_dir =
auth_type = any
pool_mode = transaction
INI
postgres -D "$data" -c listen_addresses="$SOURCE" -c unix_socket_directories= -c fsync=off -c shared_buffers=8MB >> "$data.log" 2>&1 &
servers=$!
trap 'kill -INT $servers 2> /dev/null; wait' EXIT
# Its own lock file says when it is ready (postmaster.pid: the eighth line); a connection on trial would cost a port.
until sed -n 8p "$data/postmaster.pid" 2> /dev/null | grep -q ready; do
  kill -0 $servers 2> /dev/null || { cat "$data.log" >&2; exit 1; }
  sleep 0.05
done
port=5432
if [ "$VIA" = pgbouncer ]; then
  pgbouncer -q "$data/pgbouncer.ini" 2>> "$data.log" &
  servers="$servers $!"
  # Port 6432 in hexadecimal, in the state LISTEN (proc_net_tcp).
  until grep -q ':1920 00000000:0000 0A' /proc/net/tcp; do sleep 0.05; done
  port=6432
fi
echo 'select 1' > "$data/select.sql"
each=; if [ "$CONNECT" = each ]; then each=--connect; fi
pgbench --no-vacuum $each --client=1 --transactions="$TRANSACTIONS" --file="$data/select.sql" \
  "host=$SOURCE port=$port user=app dbname=postgres sslmode=disable"
