#!/bin/sh
# What action.yml runs: bindstorm as root where sudo asks for no password, since Ubuntu 24.04 gives ordinary users no namespaces. It ends with
# the exit code of bindstorm, and tells it and the folder of the results in $GITHUB_OUTPUT.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=${BINDSTORM_OUT:-bindstorm-reports}

if [ -n "${BINDSTORM_PROFILE:-}" ] && [ -z "${BINDSTORM_TRY:-}" ]; then
  # The options are words.
  # shellcheck disable=SC2086
  set -- run "$BINDSTORM_PROFILE" --out "$out" ${BINDSTORM_ARGUMENTS:-}
elif [ -z "${BINDSTORM_PROFILE:-}" ] && [ -n "${BINDSTORM_TRY:-}" ]; then
  # shellcheck disable=SC2086
  set -- try --out "$out" ${BINDSTORM_ARGUMENTS:-} -- sh -c "$BINDSTORM_TRY"
else
  echo 'bindstorm: the action needs one of the inputs "profile" and "try", and not both' >&2
  exit 2
fi

# Installs and builds at the first start, so that this is done by the user to whom the files belong.
"$here/bindstorm" --version

as_root=
if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then as_root=yes; fi

# Programs of any kind are watched by strace.
if [ -n "$as_root" ] && ! command -v strace >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
  sudo apt-get install -y --no-install-recommends strace >/dev/null || echo 'bindstorm: strace could not be installed' >&2
fi

code=0
if [ -n "$as_root" ]; then
  # sudo takes a PATH of its own, and passes on nothing else.
  sudo -n env "PATH=$PATH" "GITHUB_STEP_SUMMARY=${GITHUB_STEP_SUMMARY:-}" "$here/bindstorm" "$@" || code=$?
  [ ! -e "$out" ] || sudo -n chown -R "$(id -u):$(id -g)" "$out"
else
  "$here/bindstorm" "$@" || code=$?
fi

# The newest folder is this run's.
folder=$(find "$out" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d ' ' -f 2-)
if [ -n "${GITHUB_OUTPUT:-}" ]; then printf 'folder=%s\ncode=%s\n' "$folder" "$code" >>"$GITHUB_OUTPUT"; fi
exit "$code"
