/**
 * The walk of the tutorial for its own case, a Squid with 20 outgoing addresses at 300 requests a second: what it promises its reader is what the
 * commands say.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT, runCli, scratchFolder } from '../support/cli.js';

const TUTORIAL = readFileSync(join(ROOT, 'docs/tutorial.md'), 'utf8');

test('short requests never fill 20 addresses at 300/s, tunnels of 40 minutes do, and a wider range bears them', async (t) => {
  const cwd = scratchFolder(t);
  const short = await runCli(['capacity', '--strategy', 'bind', '--addresses', '20', '--rate', '300/s'], { cwd });
  assert.match(short.stdout, /At 300\/s:\n {2}slow +never\n {2}full +never/);
  const held = await runCli(
    ['capacity', '--strategy', 'bind', '--addresses', '20', '--rate', '300/s', '--hold', '40m'],
    { cwd },
  );
  assert.match(held.stdout, /229\/s sustained/);
  assert.match(held.stdout, /full +after 31 min\n {2}so that it is never full: 27 addresses/);

  const profile = /^# my-proxy\.yaml\n[\s\S]*?(?=^```$)/m.exec(TUTORIAL)?.[0];
  assert.ok(profile);
  writeFileSync(join(cwd, 'my-proxy.yaml'), profile);
  const plan = await runCli(['plan', 'my-proxy.yaml'], { cwd });
  assert.equal(plan.code, 0, plan.stderr);
  const there = [...plan.stdout.matchAll(/^ {6}300\/s there: ([^;\n]+)/gm)].map(([, text]) => text);
  assert.deepEqual(there, [
    'fails after 31 min',
    'holds, but beyond the slow wall',
    'fails after 31 min',
    'fails after 31 min',
    'holds 3 times over',
  ]);
  // The report says the same of a run, and the tutorial quotes it.
  assert.match(TUTORIAL, /fails after 31 min \(baseline, tw-reuse and fin-timeout\); holds, but beyond the slow wall/);
});
