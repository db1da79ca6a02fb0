#!/bin/sh
# Installs Node and the agent in a box, as root: unpacks the archive that the controller has sent to /opt/bindstorm/<key>.
# Nothing is downloaded, nothing of the box's own distribution is used but cpio: every box has the same Node.
#
#     provision.sh <archive> <key>
set -eu
archive=$1
key=$2
home=/opt/bindstorm

if ! command -v cpio >/dev/null; then
  echo "bindstorm: this box has no cpio, which unpacks the agent; use a box that has it, or install it there" >&2
  exit 1
fi
if [ ! -e "$home/$key/start" ]; then
  unfinished=$home/unfinished
  rm -rf "$unfinished"
  mkdir -p "$unfinished"
  (cd "$unfinished" && cpio --extract --make-directories --quiet --no-absolute-filenames) <"$archive"
  mv "$unfinished" "$home/$key"
fi
rm -f "$archive"

# Earlier versions. Their /proc is the box's, and they are mounted over themselves: that goes first, and nothing is removed beyond the file
# system.
for old in "$home"/*; do
  [ "$old" = "$home/$key" ] && continue
  umount -l "$old/proc" 2>/dev/null || :
  umount -l "$old" 2>/dev/null || :
  rm -rf --one-file-system "$old"
done
