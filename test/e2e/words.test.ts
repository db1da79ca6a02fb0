/** The commands that need no lab: `capacity` and `explain`, as a user has them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { CLI } from '../support/cli.js';

const folder = mkdtempSync(join(tmpdir(), 'bindstorm-words-'));
after(() => rmSync(folder, { recursive: true }));

function run(args: readonly string[], input = '') {
  return spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', input, cwd: folder });
}

test('capacity: what a set-up sustains, and how many addresses a rate needs', () => {
  const args = [
    'capacity',
    '--strategy',
    'bind-no-port',
    '--kernel',
    '6.1',
    '--destinations',
    '20',
    '--rate',
    '50000/s',
  ];
  const { status, stdout } = run(args);
  assert.equal(status, 0);
  assert.match(stdout, /full {3}564,640 at once, 8,670\/s sustained, then connect:EADDRNOTAVAIL/);
  assert.match(stdout, /Evidence: {3}measured on 6\.1\.\d+\./);
  assert.match(stdout, /slow {3}after 5\.6 s\n {2}full {3}after 11 s/);
  assert.match(stdout, /never full: 6 addresses, which together sustain 52,02\d\/s/);
  const json = JSON.parse(run([...args, '--json']).stdout);
  assert.equal(json.atRate.needed.full.addresses, 6);
  assert.equal(json.prediction.known.how, 'measured');
});

test('capacity: the worked examples of the docs', () => {
  const first = (args: string[]) => run(['capacity', '--strategy', 'bind', ...args]).stdout;
  assert.match(first(['--kernel', '3.2', '--addresses', '50']), /full {3}28,233 at once, 470\/s sustained/);
  assert.match(first(['--kernel', '6.1', '--addresses', '50']), /full {3}1,411,600 at once, 21,676\/s sustained/);
  assert.match(
    first(['--kernel', '3.0', '--addresses', '4', '--range', '5000-65000']),
    /full {3}60,001 at once, 1,000\/s/,
  );
});

test('capacity: bad input gets a sentence and exit code 2', () => {
  for (const [args, message] of [
    [['--kernel', 'new'], /"new" is not a kernel release; one begins with two or three numbers/],
    [['--rate', 'fast'], /"fast" is not a rate; write a number per second/],
    [['--range', '9-1'], /is not a port range; write two ports from 1 to 65535, the lower first/],
    [['--strategy', 'magic'], /Allowed choices are connect, bind,/],
    [['--sysctl', 'tcp_magic=1'], /Allowed are tcp_tw_reuse, /],
    [['--held-by-others', '40000'], /40000 held by others are more than the range has, 28232/],
    [['--loss', '90%'], /--loss takes a share above 0 and up to 50 %/],
    [['--addresses', '0'], /--addresses takes a whole number from 1/],
  ] as const) {
    const { status, stderr, stdout } = run(['capacity', ...args]);
    assert.equal(status, 2, args.join(' '));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr + stdout, /\n {4}at /);
  }
});

const LINE = '2014/05/22 20:12:40| commBind: Cannot bind socket FD 482 to (98) Address already in use';

test('explain: a line as an argument, on standard input, and in a file', () => {
  const file = join(folder, 'cache.log');
  writeFileSync(file, `${LINE}\nsomething else\n`);
  for (const { status, stdout } of [run(['explain', LINE]), run(['explain'], `${LINE}\n`), run(['explain', file])]) {
    assert.equal(status, 0);
    assert.match(stdout, /program {4}Squid, 5 and older/);
    assert.match(stdout, /failed {5}bind\(\) = EADDRINUSE/);
    assert.match(stdout, /reproduce {2}bindstorm run squid-2014/);
  }
  assert.match(run(['explain', file]).stdout, /1 further line not recognized/);
  assert.equal(JSON.parse(run(['explain', '--json', LINE]).stdout).findings[0].cause, 'ports-of-the-address');
});

test('explain: the profile that it makes is one that plan takes', () => {
  const file = join(folder, 'reproduce.yaml');
  const { status, stdout } = run(['explain', '--profile', LINE]);
  assert.equal(status, 0);
  writeFileSync(file, stdout);
  const plan = run(['plan', file]);
  assert.match(plan.stdout, /reproduce-bind: \d+ runs/, plan.stderr);
});

test('explain: what it does not know', () => {
  const { status, stdout } = run(['explain', 'GET / HTTP/1.1 200']);
  assert.equal(status, 0);
  assert.match(stdout, /^Not recognized: nothing in 1 line is a failure of bind\(\) or connect\(\)/);
  for (const [args, message] of [
    [['explain', './missing/cache.log'], /missing\/cache\.log does not exist/],
    [['explain', folder], /is a folder, not a file; give a file/],
    [['explain', '--profile', 'hello'], /the input names no shortage of ports/],
  ] as const) {
    const bad = run(args);
    assert.equal(bad.status, 2);
    assert.match(bad.stderr, message);
  }
});
