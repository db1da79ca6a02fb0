// needs: strace, curl, wget, openssh-client, socat, rsync, tnftp, httping, lftp, ncat, redis-tools, iperf3, python3
/** Rows of the survey of programs, run anew against the packages of this system: what programs/survey.tsv says of them is so. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { survey } from '../../src/experiment/survey.js';
import { formatSurvey, parseSurvey } from '../../src/explain/survey.js';
import { ROOT, scratchFolder } from '../support/cli.js';

const ROWS = parseSurvey(readFileSync(join(ROOT, 'programs/survey.tsv'), 'utf8'));

const CONNECTION = "c = http.client.HTTPConnection('HOST', PORT";
const PYTHON = (more: string) =>
  `/usr/bin/python3 -c "import http.client; ${CONNECTION}${more}); c.request('GET', '/'); c.getresponse()"`;

/** Program and option of the row, and the command that is run. */
const COMMANDS: readonly (readonly [program: string, option: string, command: string])[] = [
  ['curl', 'no source address', 'curl -s http://HOST:PORT/'],
  ['curl', '--interface 10.9.0.1', 'curl -s --interface SOURCE http://HOST:PORT/'],
  ['wget', 'no source address', 'wget -q --tries=2 -O /dev/null http://HOST:PORT/'],
  ['wget', '--bind-address=', 'wget -q --tries=2 --bind-address=SOURCE -O /dev/null http://HOST:PORT/'],
  ['ssh', 'no source address', 'ssh -o BatchMode=yes -p PORT nobody@HOST'],
  ['ssh', '-b', 'ssh -o BatchMode=yes -b SOURCE -p PORT nobody@HOST'],
  ['socat', 'TCP4:…,bind=10.9.0.1', 'socat -U - TCP4:HOST:PORT,bind=SOURCE'],
  ['socat', 'TCP4:…,bind=10.9.0.1 [src-reuseaddr]', 'socat -U - TCP4:HOST:PORT,bind=SOURCE,reuseaddr'],
  ['rsync', '--address=', 'rsync -q --address=SOURCE rsync://HOST:PORT/x/ /tmp/'],
  ['tnftp', '-s', 'tnftp -o /dev/null -s SOURCE http://HOST:PORT/x'],
  ['httping', '-y', 'httping -c 1 -t 40 -y SOURCE http://HOST:PORT/'],
  [
    'lftp',
    'set net:socket-bind-ipv4 10.9.0.1 (http)',
    "lftp -c 'set net:socket-bind-ipv4 SOURCE; set net:max-retries 1; cat http://HOST:PORT/x'",
  ],
  ['ncat', '-s', 'ncat --recv-only -s SOURCE HOST PORT'],
  ['redis-cli', 'no source address', 'redis-cli -h HOST -p PORT ping'],
  ['iperf3', '-B 10.9.0.1', 'iperf3 -c HOST -p PORT -B SOURCE'],
  ['py-httpclient', 'no source address', PYTHON('')],
  ['py-httpclient', 'HTTPConnection(source_address=)', PYTHON(", source_address=('SOURCE', 0)")],
];

it('a row is measured and written by one command', (t) => {
  const file = join(scratchFolder(t), 'survey.tsv');
  const others = ROWS.filter(({ program }) => program !== 'socat');
  writeFileSync(file, formatSurvey(others));
  const create = (...args: readonly string[]) =>
    spawnSync(process.execPath, [join(ROOT, 'scripts/create-survey.mjs'), ...args, '--into', file], {
      encoding: 'utf8',
    });
  const { status, stdout, stderr } = create(
    'socat',
    '--option=TCP4:…,bind=10.9.0.1',
    '--for=20',
    'socat -U - TCP4:HOST:PORT,bind=SOURCE',
  );
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^written: socat \S+, TCP4:…,bind=10\.9\.0\.1: bind, held 8, 8, bind:EADDRINUSE\n/);
  const rows = parseSurvey(readFileSync(file, 'utf8'));
  const row = rows.find(({ program }) => program === 'socat')!;
  assert.deepEqual(
    rows.filter((each) => each !== row),
    others,
  );
  assert.match(row.line, /Address already in use/);
  assert.equal(row.client, '{"running":8,"exit 1":14}');

  for (const [args, message] of [
    [['socat', 'true'], /the command has no HOST/],
    [['socat', 'socat - TCP:HOST:PORT,bind=SOURCE'], /--option says how the program is given its source address/],
    [['no-such-program', 'x HOST PORT'], /the Debian package no-such-program is not installed/],
  ] as const) {
    const refused = create(...args);
    assert.deepEqual([refused.status, message.test(refused.stderr)], [2, true], refused.stderr);
  }
});

describe('the survey of programs, anew', () => {
  it('12 programs', () => assert.equal(new Set(COMMANDS.map(([program]) => program)).size, 12));

  for (const [program, option, command] of COMMANDS) {
    it(`${program}, ${option}`, async () => {
      const row = ROWS.find((each) => each.program === program && each.option === option && each.suite === 'bookworm');
      assert.ok(row, 'the survey has that row');
      const [one, two] = row.held as readonly [number, number];
      const seen = await survey(command, { held: two });
      assert.deepEqual(seen.strategies, [row.strategy], seen.tail.join('\n'));
      assert.equal(seen.held[1], two, seen.tail.join('\n'));
      // With one pool for both destinations, who comes first gets it.
      if (two > one) assert.equal(seen.held[0], one);
      assert.deepEqual([...seen.failing].sort(), [...row.failing].sort());
    });
  }
});
