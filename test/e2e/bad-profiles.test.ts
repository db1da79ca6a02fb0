/**
 * Bad input through the real command line: one clear error at its place, exit code 2, and nothing started.
 */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { explainError } from '../../src/commands/exit.js';
import { readProfile } from '../../src/commands/profile-file.js';
import { OUTSIDE } from '../profile/bad/outside.js';
import { SYSCTLS } from '../profile/bad/sysctls.js';
import { BAD_PROFILES, type BadProfile, GOOD_PROFILE } from '../profile/bad-profiles.js';
import { type CliEnd, runCli, scratchFolder } from '../support/cli.js';

/** A file that is too large is not read at all; it is among the command lines below. */
const MAX_LENGTH = 256 * 1024;
const BAD = BAD_PROFILES.filter(({ text }) => text.length <= MAX_LENGTH);

/** Through a process of its own: half of those that try to reach out of the lab, and a fifth of the rest. */
const REACHING = [...SYSCTLS, ...OUTSIDE];
const BY_PROCESS = [
  ...REACHING.filter((_, i) => i % 2 === 0),
  ...BAD.filter((bad) => !REACHING.includes(bad)).filter((_, i) => i % 5 === 0),
];

const AT_ONCE = 3;

test('every bad profile is one error at its place, through the functions of the command line', (t) => {
  const folder = scratchFolder(t);
  for (const bad of BAD) {
    const path = join(folder, 'bad.yaml');
    writeFileSync(path, bad.text);
    let thrown: unknown;
    try {
      readProfile(path, {});
    } catch (error) {
      thrown = error;
    }
    const { message, exitCode } = explainError(thrown);
    assert.equal(exitCode, 2, bad.title);
    assertComplaint(message, path, bad);
  }
});

test('through a process: exit code 2, nothing on standard output, no result folder, nothing started', async (t) => {
  assert.ok(BY_PROCESS.length >= 40);
  const { cwd, env, started } = trap(scratchFolder(t));
  const waiting = BY_PROCESS.map((bad, i) => ({ bad, file: `bad-${i}.yaml` }));
  const files = waiting.map(({ file }) => file);
  for (const { bad, file } of waiting) writeFileSync(join(cwd, file), bad.text);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const end = await runCli(['run', next.file], { cwd, env });
        assertRefused(end, next.bad.title);
        assert.ok(end.stderr.startsWith('bindstorm: ') && end.stderr.endsWith('\n'), end.stderr);
        assertComplaint(end.stderr.slice('bindstorm: '.length, -1), next.file, next.bad);
      }
    }),
  );
  assert.deepEqual(readdirSync(cwd).sort(), files.sort(), 'no result folder');
  assert.equal(started(), false);

  // The trap works: a good profile does go on to start a lab.
  writeFileSync(join(cwd, 'good.yaml'), GOOD_PROFILE);
  assert.equal((await runCli(['run', 'good.yaml'], { cwd, env })).code, 3);
  assert.equal(started(), true);
});

/** What the machine, not the file alone, forbids; each with the line and what the reader is told. */
const REFUSED_HERE: readonly [sysctl: string, at: string, says: RegExp][] = [
  [
    'net.ipv4.tcp_tw_recycle: 1',
    '9:7',
    /was removed in 4\.12: .*use net\.ipv4\.tcp_tw_reuse=1 where connect\(\) chooses/,
  ],
  ['net.core.rmem_max: 33554432', '9:7', /is global: one value serves the whole machine; .*net\.ipv4\.tcp_rmem/],
  ['vm.min_free_kbytes: 65536', '9:7', /is global: vm\.\* does not belong to a network namespace/],
  ['net.ipv4.no_such_thing: 1', '9:7', /is not known to be per network namespace/],
  ['net.ipv4.tcp_available_congestion_control: cubic', '9:7', /can be read and not written/],
  ['net.ipv4.tcp_tw_reuse: 7', '9:30', /does not accept net\.ipv4\.tcp_tw_reuse = 7 \(EINVAL\)/],
];

test('what this kernel or the lab forbids is refused in its place before anything runs', async (t) => {
  const cwd = scratchFolder(t);
  for (const [sysctl, at, says] of REFUSED_HERE) {
    writeFileSync(join(cwd, 'x.yaml'), `${GOOD_PROFILE}    sysctls:\n      ${sysctl}\n`);
    for (const command of sysctl === REFUSED_HERE[0]?.[0] ? ['run', 'plan'] : ['run']) {
      const end = await runCli([command, 'x.yaml'], { cwd });
      assertRefused(end, sysctl);
      const name = sysctl.split(':')[0];
      assert.ok(end.stderr.startsWith(`bindstorm: x.yaml:${at}: variants[0].sysctls["${name}"]: `), end.stderr);
      assert.match(end.stderr, says);
      assert.equal(end.stderr.trimEnd().split('\n').length, 1, 'one problem, one line');
    }
  }
  assert.deepEqual(readdirSync(cwd), ['x.yaml'], 'no result folder');
});

/** Command lines that are wrong, and what each must be told. */
const COMMAND_LINES: readonly [args: string, says: RegExp][] = [
  ['nope', /unknown command 'nope'/],
  ['--nope', /unknown option '--nope'/],
  ['run good.yaml --nope', /unknown option '--nope'/],
  ['run', /name a profile, as in `bindstorm run quickstart`/],
  ['run good.yaml extra', /too many arguments for 'run'/],
  ['run no-such-profile', /there is no profile no-such-profile: .*quickstart/],
  ['run folder', /folder is not a file; name a profile \(YAML\)/],
  ['run /dev/zero', /is not a file; name a profile/],
  ['run binary.yaml', /^bindstorm: binary\.yaml:1:\d+: /],
  ['run huge.yaml', /has \d+ bytes; a profile may have at most 262144/],
  ['run good.yaml --repeat 0', /--repeat takes a whole number from 1 to 1000/],
  ['run good.yaml --repeat 2.5', /--repeat takes a whole number from 1 to 1000/],
  ['run good.yaml --seed -1', /--seed takes a whole number from 0 to 4294967295/],
  ['run good.yaml --lab docker', /Allowed are netns, vm, vagrant, host\./],
  ['run good.yaml --lab host', /add "allowHostChanges: true"/],
  ['run good.yaml --resume folder', /--resume uses the profile that is in the folder; leave the profile out/],
  ['run --resume no-such-folder', /there is no folder no-such-folder; name one that bindstorm has made/],
  ['run --resume folder', /journal\.ndjson does not exist; name a folder that `bindstorm run` has made/],
  ['plan', /missing required argument 'profile'/],
  ['plan no-such-profile', /there is no profile no-such-profile/],
  ['report no-such-folder', /there is no folder no-such-folder; name one that bindstorm has made/],
  ['report good.yaml', /there is no folder good\.yaml/],
  ['report folder', /journal\.ndjson does not exist; name a folder that `bindstorm run` has made/],
  ['report foreign', /foreign\/results\.json cannot be read by this version \(schemaVersion: /],
  ['report broken', /broken\/results\.json is not JSON/],
  [
    'report garbled',
    /garbled\/journal\.ndjson:1: this line is not JSON; without its first line nothing in it can be used/,
  ],
  ['schema nope', /Allowed choices are profile, results/],
  ['sink --listen localhost:80', /"localhost" is a host name/],
  ['sink --listen 127.0.0.1:70000', /a port is from 1 to 65535/],
  ['sink --request 10', /--request and --response go together/],
];

test('wrong command lines: exit code 2 and a sentence that helps', async (t) => {
  const { cwd, env, started } = trap(scratchFolder(t));
  writeFileSync(join(cwd, 'good.yaml'), GOOD_PROFILE);
  writeFileSync(join(cwd, 'binary.yaml'), Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0xff, 0xfe, 0x80, 0x1b]));
  writeFileSync(join(cwd, 'huge.yaml'), `# ${'x'.repeat(300_000)}\n${GOOD_PROFILE}`);
  for (const folder of ['folder', 'foreign', 'broken', 'garbled']) mkdirSync(join(cwd, folder));
  writeFileSync(join(cwd, 'foreign', 'results.json'), '{ "schemaVersion": 99 }');
  writeFileSync(join(cwd, 'broken', 'results.json'), '{ "schemaVersion": 1, ');
  writeFileSync(join(cwd, 'garbled', 'journal.ndjson'), 'not a journal\n');
  const before = readdirSync(cwd, { recursive: true }).sort();
  const waiting = [...COMMAND_LINES];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
        const end = await runCli(next[0].split(' '), { cwd, env });
        assertRefused(end, next[0]);
        assert.match(end.stderr, next[1]);
      }
    }),
  );
  assert.deepEqual(readdirSync(cwd, { recursive: true }).sort(), before, 'nothing was written');
  assert.equal(started(), false);
});

test('a place where no result folder can be made is named', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'good.yaml'), GOOD_PROFILE);
  const end = await runCli(['run', 'good.yaml', '--force', '--out', 'good.yaml'], { cwd });
  assertRefused(end, '--out');
  assert.match(
    end.stderr,
    /^bindstorm: no result folder can be made in good\.yaml \(.*\); name another place with --out\n$/,
  );
});

/** A folder in which the programs that make labs are traps. */
function trap(folder: string): { cwd: string; env: NodeJS.ProcessEnv; started(): boolean } {
  const [cwd, programs, sprung] = [join(folder, 'cwd'), join(folder, 'bin'), join(folder, 'sprung')];
  mkdirSync(cwd);
  mkdirSync(programs);
  for (const program of ['unshare', 'setpriv']) {
    writeFileSync(join(programs, program), `#!/bin/sh\n: >'${sprung}'\nexit 1\n`);
    chmodSync(join(programs, program), 0o755);
  }
  return { cwd, env: { PATH: programs }, started: () => existsSync(sprung) };
}

function assertRefused({ code, stdout, stderr }: CliEnd, what: string): void {
  assert.equal(code, 2, `${what}: ${stderr}`);
  assert.equal(stdout, '', what);
  assert.doesNotMatch(stderr, /^ {4}at |fault of bindstorm/m, what);
}

/** @param message `file:line:column: path: text`, one line */
function assertComplaint(message: string, file: string, { title, place, message: expected }: BadProfile): void {
  const [path, line] = [place.slice(0, place.lastIndexOf(':')), place.slice(place.lastIndexOf(':') + 1)];
  assert.ok(message.startsWith(`${file}:${line}:`), `${title}: ${message}`);
  const text = message.slice(`${file}:${line}:`.length).replace(/^\d+: /, '');
  assert.ok(text.startsWith(path === '' ? '' : `${path}: `), `${title}: ${message}`);
  assert.match(text.slice(path === '' ? 0 : path.length + 2), expected, title);
  assert.equal(message.split('\n').length, 1, `${title}: ${message}`);
}
