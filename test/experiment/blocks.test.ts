import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { HistogramLogReader } from 'hdr-histogram-js';
import { type BlocksEnd, type ExperimentEvent, runBlocks } from '../../src/experiment/blocks.js';
import type { Journal } from '../../src/experiment/journal.js';
import type { BeginOf, JournalEntry } from '../../src/experiment/journal-entry.js';
import { observedAtOnce, planRuns } from '../../src/experiment/order.js';
import type { Session } from '../../src/experiment/session.js';
import { AgentDied, LabError } from '../../src/lab/lab.js';
import type { Experiment } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/profile/load.js';
import type { Run } from '../../src/results/schema.js';
import { fakeLab, makeMeasurement, type Said, type Script } from '../support/fake-lab.js';
import { makeExperiment, makeRun, makeSecond } from '../support/runs.js';

const EXPERIMENT = makeExperiment({ variants: ['a', 'b'], repeat: 3 });
const PLANNED = planRuns(EXPERIMENT);
const IDS = PLANNED.map(({ id }) => id);

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bindstorm-conduct-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A session that has made some runs. */
function sessionOf(experiment: Experiment, journal: Journal, runs: readonly Run[] = []): Session<'run'> {
  const begin = { type: 'begin', kind: 'run', experiment } as BeginOf<'run'>;
  return { dir, journal, contents: { begin, runs, observed: [], steps: new Map(), ended: null, damage: [] } };
}

const good: Said = { type: 'result', measurement: makeMeasurement() };
const cut: Said = { type: 'result', measurement: makeMeasurement({}, { interrupted: true }) };
const died = new AgentDied('the agent was killed by SIGKILL');

interface Conducted {
  readonly end: BlocksEnd;
  readonly kept: Run[];
  readonly events: ExperimentEvent[];
  readonly opened: number;
}

interface Setting {
  /** What the i-th run's agent says; all is well when absent. */
  readonly script?: (i: number, controller: AbortController) => Script | Error;
  readonly finished?: readonly string[];
  readonly onEvent?: (event: ExperimentEvent, controller: AbortController, kept: readonly Run[]) => void;
}

async function conducted({ script, finished = [], onEvent }: Setting = {}): Promise<Conducted> {
  const controller = new AbortController();
  const kept: Run[] = [];
  const events: ExperimentEvent[] = [];
  const journal: Journal = {
    append(entry: JournalEntry) {
      if (entry.type === 'run') kept.push(entry.run);
      else assert.equal(entry.type, 'end');
    },
    close: () => {},
  };
  const lab = fakeLab((i) => script?.(i, controller) ?? { says: [good] });
  const runs = finished.map((id) => ({ ...makeRun(), id }));
  const end = await runBlocks(sessionOf(EXPERIMENT, journal, runs), {
    placeOf: () => ({ lab, network: 'shared' }),
    signal: controller.signal,
    onEvent: (event) => {
      events.push(event);
      onEvent?.(event, controller, kept);
    },
  });
  return { end, kept, events, opened: lab.purposes.length };
}

const idsOf = (runs: readonly Run[]) => runs.map(({ id }) => id);

describe('an experiment', () => {
  it('has the next lab made ready when a load is over, and none after the last run', async () => {
    const log: string[] = [];
    const lab = fakeLab(() => ({
      says: [{ type: 'phase', phase: 'load' }, { type: 'phase', phase: 'collect' }, good],
    }));
    const session = sessionOf(makeExperiment({ variants: ['a', 'b'], repeat: 1 }), {
      append: () => {},
      close: () => {},
    });
    const end = await runBlocks(session, {
      placeOf: () => ({ lab: { ...lab, prepare: () => void log.push('prepare') }, network: 'shared' }),
      signal: new AbortController().signal,
      onEvent: ({ type }) => void (type === 'waiting' || log.push(type)),
    });
    assert.deepEqual(end, { how: 'complete' });
    const once = ['run-start', 'prepare', 'run-end'];
    assert.deepEqual(log, [...once, ...once, 'run-start', 'run-end']);
  });

  it('has several runs under way where its counts are exact, never more, and begins a run where one has ended', async () => {
    let [open, most] = [0, 0];
    const order: string[] = [];
    const lab = fakeLab(() => ({ says: [good] }));
    const session = sessionOf({ ...EXPERIMENT, atOnce: 2 }, { append: () => {}, close: () => {} });
    const end = await runBlocks(session, {
      placeOf: () => ({ lab, network: 'shared' }),
      signal: new AbortController().signal,
      onEvent(event) {
        if (event.type === 'run-start') {
          order.push(event.planned.id);
          most = Math.max(most, ++open);
        }
        if (event.type === 'run-end') open--;
      },
    });
    assert.deepEqual([end, most, open], [{ how: 'complete' }, 2, 0]);
    assert.deepEqual(order, IDS);
  });

  it('counts the calls of several proxies at once, of each arm once, after all other runs', async () => {
    const { experiment } = loadProfile(
      `name: observed
addresses: { cidr: 10.50.0.0/24, count: 1 }
subject: { kind: squid }
load: { arrival: { shape: constant, rate: 1000/s, duration: 100ms } }
variants: [{ name: more, addresses: { count: 2 } }, { name: reuse, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }]
repeat: 1
warmup: 0`,
      'observed.yaml',
    );
    let [open, most] = [0, 0];
    const order: string[] = [];
    const journal: Journal = {
      append(entry) {
        if (entry.type === 'observed') open--;
        if (entry.type === 'run' || entry.type === 'observed') order.push(entry.run.id);
      },
      close: () => {},
    };
    const end = await runBlocks(sessionOf(experiment, journal), {
      placeOf: () => ({ lab: fakeLab(() => ({ says: [good] })), network: 'shared' }),
      signal: new AbortController().signal,
      onEvent({ type }) {
        if (type === 'observe') most = Math.max(most, ++open);
      },
    });
    const wanted = Math.min(3, observedAtOnce(experiment, availableParallelism()));
    assert.deepEqual([end, most, open], [{ how: 'complete' }, wanted, 0]);
    assert.deepEqual(order.slice(3).sort(), ['observed-baseline', 'observed-more', 'observed-reuse']);
  });

  it('interrupts all runs that are under way, and begins none afterwards', async () => {
    const controller = new AbortController();
    const kept: Run[] = [];
    const lab = fakeLab(() => ({ answers: (command) => (command.type === 'stop' ? [cut] : []) }));
    const journal: Journal = {
      append: (entry) => void (entry.type === 'run' && kept.push(entry.run)),
      close: () => {},
    };
    let begun = 0;
    const end = await runBlocks(sessionOf({ ...EXPERIMENT, atOnce: 2 }, journal), {
      placeOf: () => ({ lab, network: 'shared' }),
      signal: controller.signal,
      onEvent(event) {
        if (event.type === 'run-start' && ++begun === 2) setImmediate(() => controller.abort());
      },
    });
    assert.deepEqual(
      [end.how, begun, kept.map(({ status }) => status)],
      ['interrupted', 2, ['interrupted', 'interrupted']],
    );
  });

  it('makes its runs in the planned order, each with its own arm and seed, and is complete', async () => {
    const specs: unknown[] = [];
    const { end, kept } = await conducted({
      script: () => ({
        answers: (command) => {
          if (command.type === 'run') specs.push([command.spec.arm.name, command.spec.seed, command.spec.network]);
          return [good];
        },
      }),
    });
    assert.deepEqual(end, { how: 'complete' });
    assert.deepEqual(idsOf(kept), IDS);
    assert.deepEqual(
      specs,
      PLANNED.map(({ variant, seed }) => [variant, seed, 'shared']),
    );
  });

  it('puts each run into the journal before it tells of its end and begins the next', async () => {
    const { events } = await conducted({
      onEvent(event, _, kept) {
        if (event.type === 'run-start') assert.equal(kept.length, event.done);
        if (event.type === 'run-end') assert.deepEqual(kept.at(-1), event.run);
      },
    });
    assert.deepEqual(
      events.flatMap((event) => ('done' in event ? `${event.type} ${event.done}/${event.total}` : [])),
      IDS.flatMap((_, i) => [`run-start ${i}/9`, `run-end ${i + 1}/9`]),
    );
  });

  it('hands on samples under the run that they are of', async () => {
    const second = makeSecond({ t: 1 });
    const { events } = await conducted({ script: () => ({ says: [{ type: 'second', second }, good] }) });
    const samples = events.filter((event) => event.type === 'sample');
    assert.deepEqual(
      samples.map(({ planned }) => planned.id),
      IDS,
    );
    assert.equal(samples[0]!.second.t, 1);
  });

  it('writes a log of each run’s histograms, which the journal names', async () => {
    const { kept } = await conducted();
    for (const run of kept) {
      assert.equal(run.hlog, `hlog/${run.id}.hlog`);
      const text = readFileSync(join(dir, run.hlog), 'utf8');
      assert.match(text, new RegExp(`bindstorm example ${run.id};`));
      const histogram = new HistogramLogReader(text).nextIntervalHistogram()!;
      assert.deepEqual([histogram.tag, histogram.totalCount], ['total', 100]);
    }
  });
});

describe('what a proxy was configured with', () => {
  it('is in the folder once an arm, and every run of it names the files', async () => {
    let n = 0;
    const { kept } = await conducted({
      script: () => {
        n++;
        const text = `run ${n}`;
        return n % 2 === 1
          ? { says: [{ type: 'result', measurement: makeMeasurement({}, { configured: { 'squid.conf': text } }) }] }
          : { says: [{ type: 'failed', message: 'it did not come up', configuration: { 'squid.conf': text } }] };
      },
    });
    for (const [i, run] of kept.entries()) {
      const path = `configuration/${run.variant}/squid.conf`;
      assert.deepEqual(run.configuration, [path], run.id);
      const first = kept.findIndex(({ variant }) => variant === run.variant);
      assert.equal(readFileSync(join(dir, path), 'utf8'), `run ${first + 1}`, `of run ${i}, the first`);
    }
  });

  it('is not there where there is no proxy', async () => {
    const { kept } = await conducted();
    assert.ok(kept.every((run) => !('configuration' in run)));
    assert.ok(!readdirSync(dir).includes('configuration'));
  });
});

describe('an experiment that is resumed', () => {
  it('leaves out what is finished', async () => {
    const finished = [IDS[0]!, IDS[1]!, IDS[4]!];
    const { end, kept, events } = await conducted({ finished });
    assert.deepEqual(end, { how: 'complete' });
    assert.deepEqual(
      idsOf(kept),
      IDS.filter((id) => !finished.includes(id)),
    );
    assert.deepEqual([events[0]?.type, (events[0] as { done: number }).done], ['run-start', 3]);
  });

  it('has nothing to do when all is finished', async () => {
    const { end, opened } = await conducted({ finished: IDS });
    assert.deepEqual([end, opened], [{ how: 'complete' }, 0]);
  });
});

describe('runs that fail', () => {
  it('do not keep the others from being made', async () => {
    // Two in a row, then a good one, over and over.
    const { end, kept } = await conducted({ script: (i) => ({ says: [i % 3 < 2 ? died : good] }) });
    assert.deepEqual(end, { how: 'complete' });
    assert.equal(kept.filter(({ status }) => status === 'failed').length, 6);
    assert.equal(kept[0]!.hlog, null);
  });

  it('three in a row end the experiment, with the reason of the last', async () => {
    const { end, kept } = await conducted({
      script: (i) => (i === 3 ? new LabError('unshare: Operation not permitted') : { says: [i === 0 ? good : died] }),
    });
    assert.deepEqual(end, {
      how: 'gave-up',
      reason: '3 runs in a row failed, the last with: unshare: Operation not permitted',
    });
    assert.deepEqual(idsOf(kept), IDS.slice(0, 4), 'what was tried is kept');
  });

  it('the last three of an experiment leave nothing to give up', async () => {
    const { end } = await conducted({ script: (i) => ({ says: [i >= 6 ? died : good] }) });
    assert.deepEqual(end, { how: 'complete' });
  });
});

describe('an experiment that is interrupted', () => {
  it('during a run keeps that run as interrupted, and makes no other', async () => {
    const { end, kept, opened, events } = await conducted({
      script: (i, controller) => ({
        answers: (command) => {
          if (i < 4) return command.type === 'run' ? [good] : [];
          if (command.type === 'stop') return [cut];
          setImmediate(() => controller.abort());
          return [];
        },
      }),
    });
    assert.deepEqual(end, { how: 'interrupted' });
    assert.deepEqual([opened, idsOf(kept)], [5, IDS.slice(0, 5)]);
    assert.deepEqual([kept[3]!.status, kept[4]!.status], ['ok', 'interrupted']);
    assert.equal(
      events.findLast(({ type }) => type !== 'waiting')!.type,
      'run-start',
      'an interrupted run is not done',
    );
  });

  it('between two runs makes no other', async () => {
    const { end, kept } = await conducted({
      onEvent: (event, controller) => {
        if (event.type === 'run-end' && event.done === 2) controller.abort();
      },
    });
    assert.deepEqual([end, kept.length], [{ how: 'interrupted' }, 2]);
  });

  it('and whose agent dies of it counts as interrupted, not as failing', async () => {
    const { end, kept } = await conducted({
      script: (i, controller) => {
        controller.abort();
        return i === 0 ? { says: [died] } : { says: [good] };
      },
    });
    assert.deepEqual([end, kept.length], [{ how: 'interrupted' }, 1]);
  });
});
