// needs: ansible-core, docker-compose, systemd, procps, python3
/**
 * The forms of a recommended change, by the programs that read them: applied and taken back where that can be done in a network
 * namespace and a mount namespace of the test's own, else parsed.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { unpackDebianPackages } from '../../src/machine/debian.js';
import { applyOf } from '../../src/report/apply.js';
import { scratchFolder } from '../support/cli.js';
import { realSizeResults } from '../support/results.js';

const RANGE = 'net.ipv4.ip_local_port_range';
const RESERVED = 'net.ipv4.ip_local_reserved_ports';
const BASE = 'zz-bindstorm-wider-range';
const BEFORE = `${RANGE} = 32768\t60999\n${RESERVED} = \n`;
const APPLIED = `${RANGE} = 1024\t65535\n${RESERVED} = 8080,9000-9010\n`;

/** A folder with all files of a change of two sysctls. */
function folder(t: Parameters<typeof scratchFolder>[0]): string {
  const results = realSizeResults();
  const variant = results.variants[1]!;
  for (const { sysctls } of [variant, ...variant.runs]) sysctls[RESERVED] = '8080,9000-9010';
  const apply = applyOf(results);
  assert.ok(apply.kind === 'files');
  const path = scratchFolder(t);
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text);
  };
  write(apply.name, apply.dropIn);
  write(`${apply.name}.rollback`, apply.rollback);
  for (const { name, content } of apply.others) write(name, content);
  return path;
}

/** A shell's text as root of namespaces of its own, in which /etc/sysctl.d is empty. */
function inNamespaces(cwd: string, text: string) {
  const start = `mount -t tmpfs none /etc/sysctl.d || exit 90\nshow() { sysctl ${RANGE} ${RESERVED}; }\n`;
  const ended = spawnSync(
    'unshare',
    ['--user', '--map-root-user', '--mount', '--net', '--', 'sh', '-c', start + text],
    {
      cwd,
      encoding: 'utf8',
      timeout: 240_000,
      env: {
        ...process.env,
        LC_ALL: 'C.UTF-8',
        HOME: cwd,
        ANSIBLE_LOCALHOST_WARNING: 'false',
        ANSIBLE_NOCOLOR: '1',
        ANSIBLE_PIPELINING: '1',
      },
    },
  );
  assert.notEqual(ended.status, 90, ended.stderr);
  return ended;
}

test('Ansible: applies, finds nothing to change the second time, and goes back', (t) => {
  const play = 'ansible-playbook -i localhost, -c local -e machines=localhost -e ansible_become=false';
  const { status, stdout, stderr } = inNamespaces(
    folder(t),
    `show
${play} ansible.yml > first.txt || { cat first.txt; exit 1; }
show
${play} --check ansible.yml > second.txt || { cat second.txt; exit 2; }
grep -o 'changed=[0-9]*' second.txt
${play} -e state=absent ansible.yml > back.txt || { cat back.txt; exit 3; }
show; ls /etc/sysctl.d`,
  );
  assert.equal(stdout, `${BEFORE}${APPLIED}changed=0\n${BEFORE}`, stderr);
  assert.equal(status, 0);
});

test('docker compose takes the file over one of the user’s', (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, 'compose.yaml'), 'version: "3.9"\nservices: { SERVICE: { image: proxy } }\n');
  const files = ['-f', 'compose.yaml', '-f', 'compose.sysctls.yaml'];
  const { status, stdout, stderr } = spawnSync('docker-compose', [...files, 'config'], { cwd, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  assert.match(
    stdout,
    /sysctls:\n +net\.ipv4\.ip_local_port_range: 1024 65535\n +net\.ipv4\.ip_local_reserved_ports: 8080,9000-9010/,
  );
});

test('the script for docker run hands over one argument a sysctl, and what it was given', (t) => {
  const cwd = folder(t);
  const shown = join(cwd, 'show');
  writeFileSync(shown, '#!/bin/sh\nprintf "<%s>" "$@"\n', { mode: 0o755 });
  const { stdout } = spawnSync('sh', ['docker-run.sh', '--name', 'a b', 'IMAGE'], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, DOCKER: shown },
  });
  assert.equal(
    stdout,
    `<run><--sysctl><${RANGE}=1024 65535><--sysctl><${RESERVED}=8080,9000-9010><--name><a b><IMAGE>`,
  );
});

test('systemd takes the unit, and its commands set a namespace and put it back', (t) => {
  const cwd = folder(t);
  const unit = `${BASE}@proxy.service`;
  const verified = spawnSync(
    'sh',
    ['-c', `ln -s ${BASE}@.service ${unit} && systemd-analyze verify --man=no ./${unit}`],
    {
      cwd,
      encoding: 'utf8',
    },
  );
  assert.equal(verified.status, 0, verified.stderr);
  assert.doesNotMatch(verified.stderr, /zz-bindstorm/);
  // As systemd starts them, in the namespace and with its specifiers.
  const commands = (kind: string) =>
    `sed -n 's|^${kind}=||p' '${BASE}@.service' | sed 's|%t/%p/%i|'"$PWD"'|g' > commands && sh -e commands > said || exit 1\n`;
  const { status, stdout, stderr } = inNamespaces(
    cwd,
    `show; ${commands('ExecStartPre')}${commands('ExecStart')}show; ${commands('ExecStop')}show`,
  );
  assert.equal(stdout, `${BEFORE}${APPLIED}${BEFORE}`, stderr);
  assert.equal(status, 0);
});

test('TuneD loads the profile over another', async (t) => {
  const cwd = folder(t);
  const tuned = join(cwd, 'tuned');
  mkdirSync(tuned);
  // Fetched and unpacked, for its package would start a service that tunes this machine.
  await unpackDebianPackages('bookworm', ['tuned'], tuned);
  const text = `import sys
sys.path.insert(0, sys.argv[1])
from tuned.profiles.locator import Locator
from tuned.profiles.factory import Factory
from tuned.profiles.merger import Merger
from tuned.profiles.loader import Loader
from tuned.profiles.variables import Variables
from tuned.utils.global_config import GlobalConfig
loader = Loader(Locator(sys.argv[3:]), Factory(), Merger(), GlobalConfig(sys.argv[2]), Variables())
profile = loader.load(["throughput-performance", "${BASE}"])
for name in ("${RANGE}", "${RESERVED}"):
    print(name, "=", profile.units["sysctl"].options[name])
print("others", len(profile.units))
`;
  mkdirSync(join(cwd, 'profiles', BASE), { recursive: true });
  writeFileSync(join(cwd, 'profiles', BASE, 'tuned.conf'), '');
  spawnSync('cp', ['tuned.conf', `profiles/${BASE}/`], { cwd });
  const packages = join(tuned, 'usr/lib/python3/dist-packages');
  const { stdout, stderr } = spawnSync(
    'python3',
    [
      '-c',
      text,
      packages,
      join(tuned, 'etc/tuned/tuned-main.conf'),
      join(tuned, 'usr/lib/tuned'),
      join(cwd, 'profiles'),
    ],
    {
      cwd,
      encoding: 'utf8',
    },
  );
  assert.match(stdout, new RegExp(`^${RANGE} = 1024 65535\n${RESERVED} = 8080,9000-9010\nothers [2-9]`), stderr);
});
