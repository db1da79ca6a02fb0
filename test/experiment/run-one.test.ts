import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Command } from '../../src/agent/protocol.js';
import { runDeadlineMs } from '../../src/experiment/duration.js';
import type { PlannedRun } from '../../src/experiment/order.js';
import { type RunOneInput, type RunOutcome, runOne } from '../../src/experiment/run-one.js';
import { AgentDied, LabError } from '../../src/lab/lab.js';
import { ProtocolError } from '../../src/machine/ndjson.js';
import { runSchema, type Second } from '../../src/results/schema.js';
import { type FakeLab, fakeLab, makeMeasurement, type Said, type Script } from '../support/fake-lab.js';
import { makeArm, makeSecond } from '../support/runs.js';

const PLANNED: PlannedRun = {
  id: 'b03-wider-range',
  variant: 'wider-range',
  block: 3,
  warmup: false,
  order: 17,
  seed: 4_000_000_000,
};
const PLACE = { id: 'b03-wider-range', variant: 'wider-range', block: 3, warmup: false, order: 17 };
const ARM = makeArm('wider-range');

const result = (more = {}): Said => ({ type: 'result', measurement: makeMeasurement({ outcomes: { ok: 9 } }, more) });
const loadPhase: Said = { type: 'phase', phase: 'load' };
function inputOf(lab: FakeLab, more: Partial<RunOneInput> = {}): RunOneInput {
  const signal = new AbortController().signal;
  return { lab, arm: ARM, planned: PLANNED, network: 'veth', signal, onSample: () => {}, ...more };
}

/** What every run must be, whatever happened. */
function assertWhole({ run }: RunOutcome): void {
  assert.deepEqual(runSchema.parse(JSON.parse(JSON.stringify(run))), run);
  const { id, variant, block, warmup, order } = run;
  assert.deepEqual({ id, variant, block, warmup, order }, PLACE);
  assert.ok(!Number.isNaN(Date.parse(run.startedAt)));
}

async function failure(script: Script | Error, more: Partial<RunOneInput> = {}) {
  const lab = fakeLab(() => script);
  const outcome = await runOne(inputOf(lab, more));
  assertWhole(outcome);
  assert.equal(outcome.run.status, 'failed');
  assert.equal(outcome.run.valid, false);
  assert.equal(outcome.run.problems.length, 1);
  assert.equal(outcome.histograms, null);
  assert.deepEqual([outcome.run.attempts, outcome.run.outcomes], [0, {}]);
  const session = lab.sessions[0];
  if (session) assert.deepEqual([session.killed, session.closed], [true, true], 'nothing of the lab is left');
  return { problem: outcome.run.problems[0]!, stderr: outcome.run.stderr };
}

describe('a run that ends well', () => {
  it('is the agent’s measurement at its place in the experiment', async () => {
    const measurement = makeMeasurement({ outcomes: { ok: 9, shed: 1 } }, { loadMs: 1234, warnings: ['w'] });
    const lab = fakeLab(() => ({ answers: () => [loadPhase, { type: 'result', measurement }] }));
    const outcome = await runOne(inputOf(lab));
    assertWhole(outcome);
    const { run, histograms } = outcome;
    assert.deepEqual([run.status, run.valid, run.problems, run.warnings], ['ok', true, [], ['w']]);
    assert.deepEqual(run.outcomes, { ok: 9, shed: 1 });
    assert.equal(run.startedAt, measurement.startedAt);
    assert.equal(run.durationMs.load, 1234);
    assert.ok(run.durationMs.setup >= 0 && run.durationMs.teardown >= 0);
    assert.equal(histograms, measurement.histograms);
    assert.deepEqual(
      ['interrupted', 'loadMs', 'histograms'].filter((key) => key in run),
      [],
      'only what the results know',
    );
    assert.deepEqual([lab.purposes, lab.sessions[0]!.closed, lab.sessions[0]!.killed], [['run'], true, false]);
  });

  it('is not valid where this machine was suspended during the load, and before or after it that does not matter', async () => {
    for (const [sleeps, problems] of [
      [[0, 0, 9_600_000], ['this machine was suspended for 9600ms during the run']],
      [[0, 9_600_000, 9_600_000], []],
      [[0, 0, 300], []],
    ] as const) {
      const readings = [...sleeps];
      const lab = fakeLab(() => ({ answers: () => [loadPhase, result()] }));
      const { run } = await runOne(inputOf(lab, { suspended: () => readings.shift()! }));
      assert.deepEqual([run.status, run.valid, run.problems], ['ok', problems.length === 0, problems]);
    }
  });

  it('tells the agent what to run', async () => {
    const specOf = async (kind: 'netns' | 'host', more: Partial<RunOneInput>) => {
      const lab = fakeLab(() => ({ answers: () => [result()] }), kind);
      await runOne(inputOf(lab, more));
      const [command, ...others] = lab.sessions[0]!.sent as [Extract<Command, { type: 'run' }>];
      assert.deepEqual(others, []);
      return command.spec;
    };
    const spec = { arm: ARM, seed: 4_000_000_000, network: 'veth', ownNamespace: true, sampleMs: 1000 };
    assert.deepEqual(await specOf('netns', {}), spec);
    const shared = { ...spec, network: 'shared', ownNamespace: false };
    // 500 attempts an address, of the 32,256 ports of one parity.
    assert.deepEqual(await specOf('host', { network: 'shared' }), { ...shared, spare: 32_256 - 500 });
    assert.deepEqual(await specOf('host', { network: 'shared', portsMatter: true }), shared);
    const short = { ...ARM, load: { ...ARM.load, arrival: { shape: 'constant', rate: 1, durationMs: 4999 } } } as const;
    assert.equal((await specOf('netns', { arm: short })).sampleMs, 100, 'short runs are looked at more often');
  });

  it('hands on the samples in their order', async () => {
    const seconds = [1, 2, 3].map((t) => makeSecond({ t }));
    const says = [loadPhase, ...seconds.map((second): Said => ({ type: 'second', second })), result()];
    const seen: Second[] = [];
    await runOne(
      inputOf(
        fakeLab(() => ({ says })),
        { onSample: (second) => seen.push(second) },
      ),
    );
    assert.deepEqual(seen, seconds);
  });

  it('with problems is kept and not compared', async () => {
    const { run } = await runOne(inputOf(fakeLab(() => ({ says: [result({ problems: ['shed'] })] }))));
    assert.deepEqual([run.status, run.valid, run.problems], ['ok', false, ['shed']]);
  });
});

describe('a run that goes wrong is a failed run, never an exception', () => {
  it('when the lab cannot be had', async () => {
    const { problem, stderr } = await failure(new LabError('the lab did not come up'));
    assert.deepEqual([problem, stderr], ['the lab did not come up', null]);
  });

  it('when the agent dies, with what it wrote to standard error', async () => {
    const died = new AgentDied('the agent was killed by SIGSEGV');
    assert.deepEqual(await failure({ says: [loadPhase, died], stderr: 'koffi: …\nAborted\n' }), {
      problem: 'the agent was killed by SIGSEGV',
      stderr: 'koffi: …\nAborted\n',
    });
    assert.equal((await failure({ says: [died], stderr: ' \n' })).stderr, null);
  });

  it('when the agent says that it failed', async () => {
    const says: Said[] = [loadPhase, { type: 'failed', message: 'the kernel refused x = 1 (EINVAL)' }, result()];
    assert.equal((await failure({ says })).problem, 'the kernel refused x = 1 (EINVAL)');
  });

  it('when what the agent says is no message', async () => {
    const { problem } = await failure({ says: [new ProtocolError('a line is not JSON: oops')] });
    assert.equal(problem, 'a line is not JSON: oops');
  });

  it('when the agent says what does not belong in a run', async () => {
    assert.equal(
      (await failure({ says: [{ type: 'restored', restored: {}, failed: [] }] })).problem,
      'the agent said restored during a run',
    );
  });

  it('when something throws that is no Error', async () => {
    const lab = fakeLab(() => ({}));
    const { run } = await runOne(inputOf({ ...lab, open: () => Promise.reject('no reason') }));
    assert.deepEqual([run.status, run.problems], ['failed', ['no reason']]);
  });

  it('when the lab cannot be closed, before or after its result', async () => {
    const closeFails = new Error('unshare is stuck');
    assert.equal((await failure({ says: [result()], closeFails })).problem, 'unshare is stuck');
    assert.equal((await failure({ says: [new AgentDied('gone')], closeFails })).problem, 'gone');
  });
});

describe('a run that takes too long', () => {
  it('is killed at its deadline, and not before', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const deadline = runDeadlineMs(ARM);
    const lab = fakeLab(() => ({ says: [loadPhase], stderr: 'stuck' }));
    const running = runOne(inputOf(lab));
    await setImmediate();
    t.mock.timers.tick(deadline - 1);
    await setImmediate();
    assert.equal(lab.sessions[0]!.killed, false);
    t.mock.timers.tick(1);
    const outcome = await running;
    assertWhole(outcome);
    assert.equal(outcome.run.status, 'failed');
    assert.deepEqual(outcome.run.problems, [`the run took longer than its deadline (${deadline / 1000} s)`]);
    assert.deepEqual([lab.sessions[0]!.closed, outcome.run.stderr], [true, 'stuck']);
  });

  it('leaves no deadline behind when it was in time', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const lab = fakeLab(() => ({ says: [result()] }));
    await runOne(inputOf(lab));
    t.mock.timers.tick(10 * runDeadlineMs(ARM));
    assert.equal(lab.sessions[0]!.killed, false);
  });
});

describe('a run that is interrupted', () => {
  const onStop = (answer: readonly Said[]) => (command: Command) => (command.type === 'stop' ? answer : []);

  it('is told to stop, and kept as far as it came', async () => {
    const controller = new AbortController();
    const lab = fakeLab(() => ({
      says: [loadPhase],
      answers: onStop([result({ interrupted: true, problems: ['p'] })]),
    }));
    const running = runOne(inputOf(lab, { signal: controller.signal }));
    await setImmediate();
    controller.abort();
    const outcome = await running;
    assertWhole(outcome);
    assert.deepEqual(
      lab.sessions[0]!.sent.map(({ type }) => type),
      ['run', 'stop'],
    );
    const { run, histograms } = outcome;
    assert.deepEqual([run.status, run.valid, run.problems], ['interrupted', false, ['p', 'interrupted']]);
    assert.deepEqual(run.outcomes, { ok: 9 });
    assert.notEqual(histograms, null);
    assert.equal(lab.sessions[0]!.closed, true);
  });

  it('before it began, is stopped at once', async () => {
    const controller = new AbortController();
    controller.abort();
    const lab = fakeLab(() => ({ answers: onStop([result({ interrupted: true })]) }));
    const { run } = await runOne(inputOf(lab, { signal: controller.signal }));
    assert.equal(run.status, 'interrupted');
  });

  it('that was over before the order to stop arrived is a whole run', async () => {
    const controller = new AbortController();
    const lab = fakeLab(() => ({ answers: onStop([result()]) }));
    const running = runOne(inputOf(lab, { signal: controller.signal }));
    await setImmediate();
    controller.abort();
    const { run } = await running;
    assert.deepEqual([run.status, run.valid], ['ok', true]);
  });

  it('and does not stop is killed after five seconds', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const controller = new AbortController();
    const lab = fakeLab(() => ({ says: [loadPhase] }));
    const running = runOne(inputOf(lab, { signal: controller.signal }));
    await setImmediate();
    controller.abort();
    t.mock.timers.tick(4999);
    await setImmediate();
    assert.equal(lab.sessions[0]!.killed, false);
    t.mock.timers.tick(1);
    const outcome = await running;
    assertWhole(outcome);
    assert.deepEqual(
      [outcome.run.status, outcome.run.problems],
      ['failed', ['the agent did not end after it was told to stop (5 s)']],
    );
  });

  it('no longer listens to the signal afterwards', async () => {
    const controller = new AbortController();
    const lab = fakeLab(() => ({ says: [result()] }));
    await runOne(inputOf(lab, { signal: controller.signal }));
    controller.abort();
    assert.deepEqual(
      lab.sessions[0]!.sent.map(({ type }) => type),
      ['run'],
    );
  });
});
