// needs: dante-server
/**
 * A proxy that is not the lab's: it runs on a machine (here a namespace that stands for one), and is loaded, not looked into.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { resultsSchema } from '../../src/results/schema.js';
import { runCli, scratchFolder, until } from '../support/cli.js';
import { throwawayHost } from '../support/throwaway-host.js';

const PROFILE = `name: elsewhere
lab: { kind: host }
allowHostChanges: true
allow: ["127.0.0.1:1080"]
subject: { kind: external, target: "127.0.0.1:1080" }
addresses: { range: 127.0.1.1-127.0.1.2 }
load:
  protocol: socks5
  strategy: bind
  exchange: { request: 10, response: 1000 }
  # Nothing is left in TIME_WAIT, for which the second run would wait a minute (host.test.ts).
  close: reset
  arrival: { shape: constant, rate: 50/s, duration: 1s }
  lagBudget: 10s
variants: [{ name: again }]
repeat: 1
warmup: 0
`;

const DANTE = `logoutput: stderr
internal: 127.0.0.1 port = 1080
external: 127.0.0.1
socksmethod: none
clientmethod: none
client pass { from: 0.0.0.0/0 to: 0.0.0.0/0 log: error }
socks pass { from: 0.0.0.0/0 to: 0.0.0.0/0 log: error }
`;

it('an external proxy is gone through and left alone', async (t) => {
  const cwd = scratchFolder(t);
  const host = await throwawayHost(t);
  writeFileSync(join(cwd, 'elsewhere.yaml'), PROFILE);
  writeFileSync(join(cwd, 'danted.conf'), DANTE);
  const [first, ...rest] = [...host.within, 'danted', '-f', join(cwd, 'danted.conf'), '-p', join(cwd, 'danted.pid')];
  const proxy = spawn(first!, rest, {
    stdio: 'ignore',
    detached: true,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin`, TMPDIR: cwd },
  });
  t.after(async () => {
    const ended = once(proxy, 'exit');
    process.kill(-proxy.pid!, 'SIGKILL');
    await ended;
  });
  await until('dante to be there', () => existsSync(join(cwd, 'danted.pid')));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const end = await runCli(['run', 'elsewhere.yaml', '--lab', 'host', '--json', '--quiet', '--force'], {
    cwd,
    within: host.within,
    env: { XDG_STATE_HOME: cwd },
  });
  assert.equal(end.code, 0, end.stderr);
  const { folder, ...json } = JSON.parse(end.stdout) as { folder: string };
  for (const { name, runs } of resultsSchema.parse(json).variants) {
    assert.deepEqual(runs[0]?.outcomes, { ok: 50 }, name);
    assert.equal(runs[0]?.latency.response?.count, 50);
    assert.equal(runs[0]?.proxy, undefined);
    assert.equal(runs[0]?.origin?.accepted, 50);
  }
  assert.equal(proxy.exitCode, null);
});
