/**
 * The host lab, on a host that is itself a throwaway namespace: what it changes is in force during a run and put back after it,
 * whatever ends the run.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { eventSchema, type RunSpec } from '../../src/agent/protocol.js';
import { agentCommand } from '../../src/lab/agent-process.js';
import { readMessages, writeMessage } from '../../src/machine/ndjson.js';
import { loadProfile } from '../../src/profile/load.js';
import { type Results, resultsSchema } from '../../src/results/schema.js';
import { type CliOptions, runCli, scratchFolder, startCli, until } from '../support/cli.js';
import { killRole, newMark } from '../support/processes.js';
import { type ThrowawayHost, throwawayHost } from '../support/throwaway-host.js';
import { tinyProfile } from '../support/tiny.js';

const RANGE = 'net.ipv4.ip_local_port_range';
const TIMEOUT = 'net.ipv4.tcp_fin_timeout';
/** What the host has before: not the kernel's defaults, so that restoring those would be noticed. */
const BEFORE = { [RANGE]: '33000 44000', [TIMEOUT]: '33' } as const;
/** What the baseline sets; the variant sets TIMEOUT to 5. */
const DURING = { [RANGE]: '41000 41099', [TIMEOUT]: '7' } as const;

/** Closed by the server, so that no port of the client is left in TIME_WAIT and the second run need not wait for it. */
const PROFILE = `name: on-host
lab: { kind: host }
allowHostChanges: true
addresses: { range: 127.0.1.1-127.0.1.2 }
load:
  strategy: bind
  arrival: { shape: constant, rate: 100/s, duration: 1s }
  close: server
  lagBudget: 10s
sysctls: { ${RANGE}: ${DURING[RANGE]}, ${TIMEOUT}: ${DURING[TIMEOUT]} }
variants:
  - { name: shorter, sysctls: { ${TIMEOUT}: 5 } }
repeat: 1
warmup: 0
`;

const AS_HOST = ['run', 'on-host.yaml', '--lab', 'host', '--quiet', '--force'];

describe('the host lab', { concurrency: 3 }, () => {
  it('needs the yes of the profile and the yes of the command line', async (t) => {
    const { host, options } = await scene(t);
    const silent = PROFILE.replace('allowHostChanges: true\n', '');
    writeFileSync(join(options.cwd, 'silent.yaml'), silent);
    writeFileSync(join(options.cwd, 'netns.yaml'), tinyProfile());
    for (const [args, says] of [
      ['run on-host.yaml', /confirm with --lab host\n$/],
      ['run silent.yaml --lab host', /silent\.yaml:2:6: lab: .*add "allowHostChanges: true"/],
      ['run netns.yaml --lab host', /netns\.yaml:1:1: .*add "allowHostChanges: true"/],
    ] as const) {
      const { code, stdout, stderr } = await runCli(args.split(' '), options);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, says);
    }
    assertBefore(host);
    assert.ok(!existsSync(join(options.cwd, 'reports')));
  });

  it('has the sysctls in force during each run, and puts them back after a normal end', async (t) => {
    const { host, options, results, state } = await scene(t);
    const cli = startCli(AS_HOST, options);
    await inForce(host);
    assert.equal(state().length, 1, 'the old values are on the disk');
    const { code, stderr } = await cli.ended;
    assert.equal(code, 0, stderr);
    assertBefore(host);
    assert.deepEqual(state(), []);
    for (const { name, runs } of results().variants) {
      assert.deepEqual(runs[0]?.outcomes, { ok: 100 });
      assert.equal(runs[0]?.sysctls[RANGE], DURING[RANGE]);
      assert.equal(runs[0]?.sysctls[TIMEOUT], name === 'baseline' ? DURING[TIMEOUT] : '5');
    }
  });

  it('puts them back after SIGINT', async (t) => {
    const { host, options, state } = await scene(t);
    const cli = startCli(AS_HOST, options);
    await inForce(host);
    cli.kill('SIGINT');
    assert.equal((await cli.ended).code, 130);
    assertBefore(host);
    assert.deepEqual(state(), []);
  });

  it('puts them back after SIGKILL of the controller: the agent sees the end of its input', async (t) => {
    const { host, options, mark, state } = await scene(t);
    const cli = startCli(AS_HOST, options);
    await inForce(host);
    cli.kill('SIGKILL');
    await cli.ended;
    await until('the agent is gone', () => mark.processes().length === 0);
    assertBefore(host);
    assert.deepEqual(state(), []);
  });

  it('puts them back after SIGTERM to the agent, which a service manager sends to all at once', async (t) => {
    const { host, options, mark } = await scene(t);
    const cli = startCli(AS_HOST, options);
    await inForce(host);
    assert.equal(killRole(mark, 'agent', 'SIGTERM'), 1);
    cli.kill('SIGKILL');
    await cli.ended;
    await until('the agent is gone', () => mark.processes().length === 0);
    assertBefore(host);
  });

  it('puts them back when the pipe to the controller breaks before its input ends', async (t) => {
    const { host, options } = await scene(t);
    const [program, ...args] = [...options.within, ...agentCommand('host', 'run')];
    const agent = spawn(program!, args, { env: { ...process.env, ...options.env }, stdio: ['pipe', 'pipe', 'ignore'] });
    const ended = once(agent, 'exit');
    const arm = loadProfile(PROFILE, 'on-host.yaml').experiment.arms[0]!;
    const spec: RunSpec = { arm, seed: 1, network: 'shared', ownNamespace: false, sampleMs: 50 };
    assert.equal((await readMessages(agent.stdout, eventSchema).next()).value.type, 'hello');
    writeMessage(agent.stdin, { type: 'run', spec });
    await inForce(host);
    agent.stdout.destroy();
    // Several samples go into the broken pipe.
    await new Promise((resolve) => setTimeout(resolve, 300));
    agent.stdin.end();
    await ended;
    assertBefore(host);
  });

  it('after SIGKILL of controller and agent, warns, refuses, shows, and restores', async (t) => {
    const { host, options, mark, state } = await scene(t);
    const cli = startCli(AS_HOST, options);
    await inForce(host);
    const timeout = host.sysctl(TIMEOUT);
    // The agent first, both before the controller can react.
    assert.equal(killRole(mark, 'agent'), 1);
    cli.kill('SIGKILL');
    await cli.ended;
    await until('all are gone', () => mark.processes().length === 0);
    assert.deepEqual([host.sysctl(RANGE), host.sysctl(TIMEOUT)], [DURING[RANGE], timeout], 'still changed');
    assert.equal(state().length, 1);

    const refused = await runCli(AS_HOST, options);
    assert.equal(refused.code, 3);
    const warning = new RegExp(
      `^warning: a host run of \\S+ was killed before it could restore ${RANGE}, ${TIMEOUT}; `,
    );
    assert.match(refused.stderr, warning);
    assert.match(refused.stderr, /run `bindstorm restore` first/);
    const doctor = await runCli(['doctor'], options);
    assert.match(doctor.stdout, /^note +host lab +a killed host run has left sysctls changed\n +→ bindstorm restore$/m);

    const listed = await runCli(['restore', '--list'], options);
    assert.equal(listed.code, 0);
    assert.match(listed.stdout, /^net\.ipv4\.ip_local_port_range = 33000 44000 .*\nnet\.ipv4\.tcp_fin_timeout = 33 /);
    assert.equal(host.sysctl(RANGE), DURING[RANGE], 'only listed');

    const restored = await runCli(['restore'], options);
    assert.equal(restored.code, 0, restored.stderr);
    assert.equal(restored.stdout, `restored ${RANGE} = 33000 44000\nrestored ${TIMEOUT} = 33\n`);
    assertBefore(host);
    assert.deepEqual(state(), []);
    assert.equal((await runCli(['restore'], options)).stdout, 'Nothing to restore.\n');
  });

  it('after SIGKILL of one agent, does not take its values for those of the machine', async (t) => {
    const { host, options, mark, results, state } = await scene(t);
    const cli = startCli(AS_HOST, options);
    await inForce(host);
    assert.equal(killRole(mark, 'agent'), 1);
    const { code, stderr } = await cli.ended;
    assert.equal(code, 4, stderr);
    const statuses = results().variants.flatMap(({ runs }) => runs.map(({ status }) => status));
    assert.deepEqual(statuses.sort(), ['failed', 'ok'], 'the other run was made');
    assertBefore(host);
    assert.deepEqual(state(), []);
  });

  it('puts them back after SIGKILL of every agent, as the controller has another agent do it', async (t) => {
    const { host, options, mark, state } = await scene(t);
    const cli = startCli(AS_HOST, options);
    for (let run = 0; run < 2; run++) {
      await inForce(host);
      assert.equal(killRole(mark, 'agent'), 1);
      await until('its sysctls are put back', () => host.sysctl(RANGE) === BEFORE[RANGE]);
    }
    const { code, stderr } = await cli.ended;
    assert.equal(code, 4, stderr);
    assertBefore(host);
    assert.deepEqual(state(), []);
  });

  it('lets no second experiment change what the first has changed', async (t) => {
    const { host, options, state } = await scene(t);
    writeFileSync(join(options.cwd, 'long.yaml'), PROFILE.replace('duration: 1s', 'duration: 20s'));
    const first = startCli(['run', 'long.yaml', '--lab', 'host', '--quiet', '--force'], options);
    await inForce(host);
    const second = await runCli([...AS_HOST, '--out', 'second'], options);
    assert.equal(second.code, 4, second.stderr);
    const journal = readFileSync(journalIn(join(options.cwd, 'second')), 'utf8');
    assert.equal(
      journal.match(/"problems":\["another run on this host \(process \d+\) has changed sysctls/g)?.length,
      2,
    );
    assert.equal(host.sysctl(RANGE), DURING[RANGE], 'the first goes on undisturbed');
    first.kill('SIGINT');
    assert.equal((await first.ended).code, 130);
    assertBefore(host);
    assert.deepEqual(state(), []);
  });

  it('waits with the next run until the ports of the one before are out of TIME_WAIT, and can be interrupted', async (t) => {
    const { host, options, results } = await scene(t);
    writeFileSync(join(options.cwd, 'on-host.yaml'), PROFILE.replace('close: server', 'close: client'));
    const cli = startCli(AS_HOST, options);
    const journal = await until('a journal', () => {
      const reports = join(options.cwd, 'reports');
      return existsSync(reports) && existsSync(journalIn(reports)) && journalIn(reports);
    });
    await until('the first run', () => readFileSync(journal, 'utf8').includes('"type":"run"'));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    assert.equal(readFileSync(journal, 'utf8').split('"type":"run"').length, 2, 'the second run would be over by now');
    assertBefore(host);
    cli.kill('SIGINT');
    const { code, stderr } = await cli.ended;
    assert.equal(code, 130);
    assert.match(stderr, /^note: on the host each run of baseline and shorter first waits, up to a minute/m);
    const { experiment } = results();
    assert.deepEqual([experiment.status, experiment.runsDone], ['partial', 1]);
    assertBefore(host);
  });

  it('does not wait for ports that are too few to bring a run to a wall, and says so', async (t) => {
    const { host, options, results } = await scene(t);
    const wide = PROFILE.replace('close: server', 'close: client').replace(DURING[RANGE], '33000 60999');
    writeFileSync(join(options.cwd, 'on-host.yaml'), wide);
    const begun = performance.now();
    const { code, stderr } = await runCli(AS_HOST, options);
    assert.equal(code, 0, stderr);
    assert.ok(performance.now() - begun < 40_000, 'TIME_WAIT lasts a minute');
    assert.match(
      stderr,
      /^note: no run waits until the ports of the run before are out of TIME_WAIT: they are too few/m,
    );
    for (const { runs } of results().variants)
      assert.deepEqual([runs[0]?.outcomes, runs[0]?.warnings], [{ ok: 100 }, []]);
    assertBefore(host);
  });
});

/** A throwaway host with a folder that has the profile, and a state directory of its own. */
async function scene(t: TestContext) {
  const host = await throwawayHost(t);
  for (const [name, value] of Object.entries(BEFORE)) host.setSysctl(name, value);
  const folder = scratchFolder(t);
  writeFileSync(join(folder, 'on-host.yaml'), PROFILE);
  const mark = newMark();
  const stateHome = join(folder, 'state');
  const options = {
    cwd: folder,
    env: { ...mark.env, XDG_STATE_HOME: stateHome },
    within: host.within,
  } satisfies CliOptions;
  return {
    host,
    mark,
    options,
    /** The snapshots of sysctls that are to be restored. */
    state: () => (existsSync(join(stateHome, 'bindstorm')) ? readdirSync(join(stateHome, 'bindstorm')) : []),
    results: (): Results =>
      resultsSchema.parse(
        JSON.parse(readFileSync(join(journalIn(join(folder, 'reports')), '..', 'results.json'), 'utf8')),
      ),
  };
}

function journalIn(reports: string): string {
  return join(reports, readdirSync(reports)[0] ?? '', 'journal.ndjson');
}

async function inForce(host: ThrowawayHost): Promise<void> {
  await until('the sysctls of the profile', () => host.sysctl(RANGE) === DURING[RANGE]);
  // The load begins a moment after the last write.
  await new Promise((resolve) => setTimeout(resolve, 300));
}

function assertBefore(host: ThrowawayHost): void {
  assert.deepEqual({ [RANGE]: host.sysctl(RANGE), [TIMEOUT]: host.sysctl(TIMEOUT) }, BEFORE);
}
