/**
 * The walk of the tutorial for its own case, a Squid with 20 outgoing addresses at 300 requests a second: what it promises its reader is what the
 * commands say.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCli, scratchFolder } from '../support/cli.js';
import { TUTORIAL } from '../support/tutorial.js';

test('short requests never fill 20 addresses at 300/s, one address is full after a minute, and three are fast', async (t) => {
  const cwd = scratchFolder(t);
  const capacity = async (...more: string[]) =>
    (
      await runCli(['capacity', '--strategy', 'bind', '--rate', '300/s', '--kernel', '6.1', '--hz', '250', ...more], {
        cwd,
      })
    ).stdout;
  assert.match(
    await capacity('--addresses', '20'),
    /9,100\/s sustained[\s\S]*At 300\/s:\n {2}slow +never\n {2}full +never\n {2}full only where a connection is open for more than 30 min/,
  );
  const one = await capacity('--addresses', '1', '--hold', '60s');
  assert.match(one, /open +18,000 at once/);
  assert.match(one, /full +after 1 min\n[\s\S]*never full: 2 addresses,[\s\S]*never slow: 3 addresses,/);
  const wide = await capacity('--addresses', '1', '--hold', '60s', '--range', '1024-65535');
  assert.match(wide, /slow +after 1 min\n {2}full +never\n/);

  const profile = /^# my-proxy\.yaml\n[\s\S]*?(?=^```$)/m.exec(TUTORIAL)?.[0];
  assert.ok(profile);
  writeFileSync(join(cwd, 'my-proxy.yaml'), profile);
  const { code, stdout, stderr } = await runCli(['run', 'my-proxy.yaml', '--out', 'out'], { cwd });
  assert.equal(code, 0, stderr);
  // The tutorial quotes the beginning of the answer.
  const plain = (text: string) => text.replace(/\s+/g, ' ');
  const quoted = /The answer begins "([^"]*)"/.exec(plain(TUTORIAL))?.[1];
  assert.ok(quoted);
  assert.ok(plain(stdout).trim().startsWith(quoted), stdout);
  assert.match(
    plain(stdout),
    /Apply: \S+wider-range\.conf Beware: 300\/s is slow with wider-range, and fast with each of three-addresses, all-addresses and no-port \(the head/,
  );
  const plan = await runCli(['plan', 'my-proxy.yaml'], { cwd });
  assert.match(
    plain(plan.stdout),
    /never to be full it takes 2 addresses, which together sustain 462\/s; never to be slow, 3 addresses, which together stay fast up to 346\/s/,
  );
  const [folder] = readdirSync(join(cwd, 'out'));
  assert.match(
    plain(readFileSync(join(cwd, 'out', folder!, 'report.md'), 'utf8')),
    /It is not the change to ask for first: 300\/s is slow with wider-range, and fast with each of three-addresses, all-addresses and no-port\./,
  );
  const dropIn = readFileSync(join(cwd, 'out', folder!, 'apply/zz-bindstorm-wider-range.conf'), 'utf8');
  assert.match(dropIn, /^net\.ipv4\.ip_local_port_range = 1024 65535$/m);
  assert.match(dropIn, /^# Beware {5}at 300\/s nothing fails, but it is slow: .* with 2 addresses instead of 1$/m);
});
