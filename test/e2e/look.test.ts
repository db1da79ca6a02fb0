// needs: squid, haproxy, nginx
/**
 * The commands that look and do not load: help, plan, profiles, doctor, schema.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { labOverheadMs } from '../../src/domain/lab.js';
import { CLI, ROOT, runCli, scratchFolder, startCli } from '../support/cli.js';
import { newMark } from '../support/processes.js';
import { tinyProfile } from '../support/tiny.js';

const COMMANDS = [
  'run',
  'plan',
  'search',
  'fixes',
  'report',
  'compare',
  'watch',
  'doctor',
  'profiles',
  'sink',
  'schema',
  'restore',
];

test('every command has help with an example, and the main help names every command', async () => {
  const main = await runCli(['--help'], { cwd: ROOT });
  assert.equal(main.code, 0);
  const named = [...main.stdout.matchAll(/^ {2}(\w+) .*/gm)].map(([, name]) => name!).filter((name) => name !== 'help');
  for (const command of COMMANDS) assert.ok(named.includes(command), `--help names ${command}`);
  for (const code of [0, 1, 2, 3, 4, 5, 6, 7, 130]) assert.match(main.stdout, new RegExp(`^ {2}${code} +\\w`, 'm'));
  for (const command of COMMANDS) {
    const { code, stdout, stderr } = await runCli([command, '--help'], { cwd: ROOT });
    assert.equal(code, 0);
    assert.equal(stderr, '');
    assert.ok(stdout.startsWith(`Usage: bindstorm ${command} `), stdout);
    assert.match(stdout, new RegExp(`^Example:\n {2}bindstorm ${command}\\b`, 'm'));
  }
});

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  assert.deepEqual(await runCli(['--version'], { cwd: ROOT }), {
    code: 0,
    signal: null,
    stdout: `${version}\n`,
    stderr: '',
  });
});

test('plan says what would run and which capacity is expected, without load and without a folder', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  const mark = newMark();
  const cli = startCli(['plan', 'tiny.yaml'], { cwd, env: mark.env });
  const seen = new Set<string>();
  const watch = setInterval(() => {
    for (const { role, command } of mark.processes()) {
      seen.add(role);
      if (role === 'agent') assert.deepEqual(command.slice(-2), ['netns', 'check'], 'an agent that only looks');
    }
  }, 10);
  const { code, stdout, stderr } = await cli.ended;
  clearInterval(watch);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  assert.ok(seen.has('controller'));
  assert.ok(!seen.has('origin'), 'no origin, so nothing to load');
  assert.match(stdout, /^tiny: 6 runs \(0 warm-up and 2 measured blocks of 3\), (?:about|\d+ to) \d+ s$/m);
  // However the lines are broken.
  const arms = stdout.replace(/\s+/g, ' ');
  assert.match(arms, / baseline 100 attempts from 2 addresses to 1 destination capacity 40 at once, /);
  assert.match(arms, / wider-range: .* capacity 400 at once, .* then bind:EADDRINUSE .* expected per run: 100 ok /);
  assert.deepEqual(readdirSync(cwd), ['tiny.yaml']);
});

test('plan --json has the expected capacity of each arm; --repeat changes the number of runs', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  const { stdout } = await runCli(['plan', 'tiny.yaml', '--json', '--repeat', '7'], { cwd });
  const plan = JSON.parse(stdout);
  assert.equal(plan.runs, 21);
  assert.deepEqual(
    plan.arms.map(({ name, attempts, deterministic, prediction }: never) => {
      const { concurrent, fails } = prediction as { concurrent: number; fails: string };
      return [name, attempts, deterministic, concurrent, fails];
    }),
    [
      ['baseline', 100, true, 40, 'bind:EADDRINUSE'],
      ['wider-range', 100, true, 400, 'bind:EADDRINUSE'],
      ['fin-timeout', 100, true, 40, 'bind:EADDRINUSE'],
    ],
  );
});

test('plan --rate says how many addresses each arm needs; bad rates are refused', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  const { stdout } = await runCli(['plan', 'tiny.yaml', '--json', '--rate', '10/s'], { cwd });
  const needed = JSON.parse(stdout).arms.map((arm: { name: string; needed: unknown }) => [arm.name, arm.needed]);
  // At the scale of this machine: its own range stands for 20 ports, and ten times as many are more than there are.
  const [low, high] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number);
  const own = high! - low! + 1;
  const ports: Readonly<Record<string, number>> = { baseline: own, 'wider-range': 64_512, 'fin-timeout': own };
  for (const [name, { full }] of needed as [string, { full: { addresses: number; perAddress: number } }][]) {
    const seconds = ports[name]! / full.perAddress;
    assert.ok(seconds >= 60 && seconds < 66, `${name}: ${seconds} s`);
    assert.equal(full.addresses, Math.ceil(10 / full.perAddress));
  }
  assert.equal(needed.length, 3);
  assert.equal((await runCli(['plan', 'tiny.yaml', '--rate', '0/s'], { cwd })).code, 2);
});

test('every shipped profile is listed, and plan reads each that needs no editing', async () => {
  const { code, stdout } = await runCli(['profiles', '--json'], { cwd: ROOT });
  assert.equal(code, 0);
  const listed = JSON.parse(stdout) as { name: string; path: string; description: string }[];
  const shipped = readdirSync(join(ROOT, 'profiles')).flatMap((file) =>
    file.endsWith('.yaml') ? [file.slice(0, -5)] : [],
  );
  assert.deepEqual(listed.map(({ name }) => name).sort(), shipped.sort());
  const waiting = [...listed];
  const look = async () => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { name, path, description } = next;
      assert.ok(description.length > 20, name);
      assert.equal(path, join('profiles', `${name}.yaml`), 'as it would be typed here');
      const plan = await runCli(['plan', name], { cwd: ROOT });
      if (name === 'staging') {
        assert.equal(plan.code, 2, 'a template');
        assert.match(plan.stderr, /a placeholder: put your own proxy's address here/);
      } else {
        // The kernel of some is one that the user brings.
        assert.equal(plan.code, ['tw-recycle-harm', 'squid-2014-kernel'].includes(name) ? 3 : 0, plan.stderr);
        assert.match(plan.stdout, /capacity (?:[\d,]+ at once|no closed form \(not modelled\))/);
      }
    }
  };
  // Some boot guests, for which they mostly wait.
  await Promise.all([look(), look()]);
});

test('doctor names each thing that a lab needs, and its exit code says whether experiments can run', async () => {
  const [{ code, stdout }, text] = await Promise.all([
    runCli(['doctor', '--json'], { cwd: ROOT }),
    runCli(['doctor'], { cwd: ROOT }),
  ]);
  const findings = JSON.parse(stdout) as { what: string; state: string; detail: string; remedy: string | null }[];
  const names = findings.map(({ what }) => what);
  for (const what of ['platform', 'unshare', 'setpriv', 'descriptors', 'host lab'])
    assert.ok(names.includes(what), what);
  const missing = findings.filter(({ state }) => state === 'missing');
  // Where there are namespaces, it says of each thing in them whether it is there.
  if (missing.length === 0)
    for (const what of ['veth', 'internet', 'strategies']) assert.ok(names.includes(what), what);
  assert.equal(code, missing.length === 0 ? 0 : 3);
  for (const { what, state, remedy } of findings) {
    assert.ok(['ok', 'warning', 'missing'].includes(state));
    if (state !== 'ok') assert.ok(remedy, `${what} has a remedy`);
  }
  assert.equal(text.code, code);
  for (const { what } of findings) assert.ok(text.stdout.includes(what));
});

test('doctor names a proxy that is missing, with the package that has it', async (t) => {
  const blank = join(scratchFolder(t), 'blank');
  writeFileSync(blank, '', { mode: 0o644 });
  // In a mount namespace where a file that cannot be executed lies over the program.
  const hide = `for program in squid haproxy; do mount --bind '${blank}' "$(command -v $program)"; done; exec "$@"`;
  const own = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  const within = ['unshare', ...own, '--mount', '--', 'sh', '-c', hide, 'sh'];
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
  const { stdout } = await runCli(['doctor', '--json'], { cwd: ROOT, within, env });
  const findings = JSON.parse(stdout) as { what: string; state: string; detail: string; remedy: string | null }[];
  const of = (kind: string) => findings.find(({ what }) => what === kind);
  for (const kind of ['squid', 'haproxy']) {
    assert.equal(of(kind)?.state, 'warning');
    assert.equal(of(kind)?.detail, 'not found: profiles with this subject cannot run');
    assert.match(of(kind)?.remedy ?? '', new RegExp(`apt-get install --no-install-recommends ${kind},`));
  }
  assert.equal(of('nginx')?.state, 'ok');
});

test('the printed schemas are the committed ones', async () => {
  for (const of of ['profile', 'results', 'search', 'fixes']) {
    const { code, stdout } = await runCli(['schema', of], { cwd: ROOT });
    assert.equal(code, 0);
    assert.match(JSON.parse(stdout).$schema, /json-schema\.org/);
    const committed = join(ROOT, 'schema', `${of}.schema.json`);
    if (existsSync(committed)) assert.equal(stdout, readFileSync(committed, 'utf8'), 'run: npm run schema');
  }
});

test('a reader that closes early is no fault', () => {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', '"$0" "$1" schema results | head -c 10; true', process.execPath, CLI],
    {
      encoding: 'utf8',
    },
  );
  assert.deepEqual([status, stderr], [0, '']);
});

test('a reader of standard error that goes away changes nothing', () => {
  // The shell's own exit code is that of the program, whose messages go to a pipe that nobody reads any more.
  const script = '{ { "$0" "$1" plan no-such-profile 2>&1 >/dev/null; echo $? >&3; } | true; } 3>&1';
  const { stdout } = spawnSync('/bin/sh', ['-c', script, process.execPath, CLI], { cwd: ROOT, encoding: 'utf8' });
  assert.equal(stdout, '2\n');
});

test('beside programs that take every CPU, plan says that the machine is busy, and allows for it', async (t) => {
  const cwd = scratchFolder(t);
  writeFileSync(join(cwd, 'tiny.yaml'), tinyProfile());
  const hogs = Array.from({ length: 3 * availableParallelism() }, () =>
    spawn('timeout', ['60', process.execPath, '-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  t.after(() => {
    for (const hog of hogs) hog.kill('SIGTERM');
  });
  await Promise.all(hogs.map((hog) => once(hog, 'spawn')));
  const { stdout } = await runCli(['plan', 'tiny.yaml', '--json'], { cwd });
  const { expectedSeconds, expectedWithin, busy } = JSON.parse(stdout);
  assert.ok(busy.slower >= 1.5, `${busy.slower}`);
  assert.match(busy.why, /^(?:bindstorm itself has waited|the load average is) \d/);
  // Six runs, whose load of 100 ms takes no longer.
  const overhead = 6 * (labOverheadMs('netns', undefined) / 1000);
  const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-6, `${value}`);
  near(expectedSeconds, 0.6 + overhead * busy.slower);
  near(expectedWithin.least, 0.6 + (overhead * busy.slower) / 2);
  near(expectedWithin.most, 0.6 + overhead * busy.slower * 2);
  assert.match(
    (await runCli(['plan', 'tiny.yaml'], { cwd })).stdout,
    /^This machine is busy, which makes that longer: /m,
  );
});
