// needs: strace, curl, wget, openssh-client, socat, rsync, tnftp, httping, lftp, ncat, redis-tools, iperf3, python3
/** Rows of the survey of programs, run anew against the packages of this system: what programs/survey.tsv says of them is so. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseSurvey } from '../../src/explain/survey.js';
import { ROOT } from '../support/cli.js';
import { survey } from '../support/survey-run.js';

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

describe('the survey of programs, anew', () => {
  it('12 programs', () => assert.equal(new Set(COMMANDS.map(([program]) => program)).size, 12));

  for (const [program, option, command] of COMMANDS) {
    it(`${program}, ${option}`, async () => {
      const row = ROWS.find((each) => each.program === program && each.option === option && each.suite === 'bookworm');
      assert.ok(row, 'the survey has that row');
      const [one, two] = row.held as readonly [number, number];
      const seen = await survey(command, two);
      assert.deepEqual(seen.strategies, [row.strategy], seen.tail.join('\n'));
      assert.equal(seen.held[1], two, seen.tail.join('\n'));
      // With one pool for both destinations, who comes first gets it.
      if (two > one) assert.equal(seen.held[0], one);
      assert.deepEqual([...seen.failing].sort(), [...row.failing].sort());
    });
  }
});
