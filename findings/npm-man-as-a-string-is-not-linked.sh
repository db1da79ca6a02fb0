#!/bin/bash
# A package whose package.json has "man" as a string gets no manual page from `npm install --global`; as an array of one it does. The
# documentation of package.json allows both ("either a single file or an array of filenames to put in place for the man program to find"),
# and nothing is said at pack, at publish or at install. Seen with npm 11.19.1 on Node 20.20.
# A command-line tool that ships a manual page finds out when `man tool` says that there is none.
# Needs: node, npm. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
npm_version=11.19.1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --prefix tools "npm@$npm_version" >install.log 2>&1 || { cat install.log; exit 2; }
npm() { node "$work/tools/node_modules/npm/bin/npm-cli.js" --silent --no-audit --no-fund "$@"; }
mkdir package
cd package
printf '#!/usr/bin/env node\n' >probe.js
printf '.TH PROBE 1\n' >probe.1
seen=''
for form in '"./probe.1"' '["./probe.1"]'; do
  printf '{ "name": "probe", "version": "1.0.0", "bin": { "probe": "probe.js" }, "man": %s }\n' "$form" >package.json
  npm pack --pack-destination "$work" >/dev/null
  rm -rf "$work/prefix"
  mkdir "$work/prefix"
  npm install --global --prefix "$work/prefix" "$work/probe-1.0.0.tgz" >/dev/null
  [ -L "$work/prefix/bin/probe" ] || { echo 'the command was not linked either'; exit 1; }
  if [ -e "$work/prefix/share/man/man1/probe.1" ]; then page=linked; else page='not linked'; fi
  echo "npm $npm_version, \"man\": $form: the command is linked, the manual page is $page"
  seen="$seen$page;"
done
[ "$seen" = 'not linked;linked;' ] || { echo 'expected the page to be linked for the array alone'; exit 1; }
echo 'as described: only an array of files is linked'
