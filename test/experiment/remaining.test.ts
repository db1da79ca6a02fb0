/** Which runs of an experiment with looks are still to be made, on its way and when it is resumed. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type ExperimentEvent, runBlocks } from '../../src/experiment/blocks.js';
import type { BeginOf, JournalEntry } from '../../src/experiment/journal-entry.js';
import { remainingRuns, runsLeft, segmentsOf } from '../../src/experiment/remaining.js';
import { loadProfile } from '../../src/profile/load.js';
import { type Run, SCHEMA_VERSION } from '../../src/results/schema.js';
import { fakeLab, makeMeasurement } from '../support/fake-lab.js';
import { makeEnvironment } from '../support/runs.js';

/** The counts of `quiet` are exact, and settled at the first look; those of `restless` depend on when ports come back. */
const PROFILE = `name: looks
addresses: 10.50.0.1/32
load: { strategy: bind, arrival: { shape: constant, rate: 2000/s, duration: 100ms } }
sysctls: { net.ipv4.ip_local_port_range: 40000 40099 }
variants:
  - { name: quiet, sysctls: { net.ipv4.ip_local_port_range: 40000 40199 } }
  - { name: restless, load: { strategy: connect }, sysctls: { net.ipv4.tcp_tw_reuse: 1 } }
goal: failures.share
guardrails: []
warmup: 0
repeat: 4
`;
const LOOKS = [2, 3, 4];

const { experiment } = loadProfile(PROFILE, 'looks.yaml');
const begin: BeginOf<'run'> = {
  type: 'begin',
  kind: 'run',
  schemaVersion: SCHEMA_VERSION,
  startedAt: '2026-01-02T03:04:05.000Z',
  command: 'bindstorm run looks',
  profile: PROFILE,
  experiment: { ...experiment, looks: LOOKS },
  environment: { ...makeEnvironment(), kernel: '6.18.0' },
};

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bindstorm-looks-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const OK = { baseline: [100, 100, 100, 100], quiet: [200, 200], restless: [90, 160, 40, 120] };

/** Makes the runs that are missing. @param stopAfter interrupts when so many have ended */
async function made(runs: readonly Run[], stopAfter = Number.POSITIVE_INFINITY) {
  const controller = new AbortController();
  const kept: Run[] = [];
  const events: ExperimentEvent[] = [];
  const lab = fakeLab(() => ({
    answers(command) {
      if (command.type !== 'run') return [];
      const { name } = command.spec.arm;
      const before = [...runs, ...kept].filter(({ variant }) => variant === name).length;
      const ok = OK[name as keyof typeof OK][before]!;
      const outcomes = { ok, 'bind:EADDRINUSE': 200 - ok };
      return [{ type: 'result', measurement: makeMeasurement({ outcomes }) }];
    },
  }));
  const session = {
    dir,
    journal: { append: (entry: JournalEntry) => void (entry.type === 'run' && kept.push(entry.run)), close: () => {} },
    contents: { begin, runs, observed: [], steps: new Map(), ended: null, damage: [] },
  };
  await runBlocks(session, {
    placeOf: () => ({ lab, network: 'shared' }),
    signal: controller.signal,
    onEvent(event) {
      events.push(event);
      if (event.type === 'run-end' && kept.length === stopAfter) controller.abort();
    },
  });
  return { kept: kept.filter(({ status }) => status === 'ok'), events };
}

const countOf = (runs: readonly Run[], arm: string) => runs.filter(({ variant }) => variant === arm).length;

describe('an experiment with looks', () => {
  it('makes no more runs of an arm of which everything is settled, and of the baseline as long as another needs it', async () => {
    const { kept, events } = await made([]);
    assert.deepEqual(
      ['baseline', 'quiet', 'restless'].map((arm) => countOf(kept, arm)),
      [4, 2, 4],
    );
    const looks = events.flatMap((event) =>
      event.type === 'look' ? [[event.pairs, [...event.stopped.keys()], event.total]] : [],
    );
    assert.deepEqual(looks[0], [2, ['quiet'], 10]);
    const last = events.findLast((event) => event.type === 'run-end')!;
    assert.deepEqual([last.done, last.total], [10, 10]);
  });

  it('makes the same runs when it is interrupted anywhere and resumed', async () => {
    const whole = (await made([])).kept.map(({ id }) => id);
    for (let cut = 1; cut < whole.length; cut++) {
      const first = await made([], cut);
      const { runs, stopped } = remainingRuns({ begin, runs: first.kept, observed: [] });
      assert.equal(stopped.has('quiet'), cut >= 6, `cut after ${cut}`);
      assert.equal(runs.length, cut >= 6 ? 10 - cut : 12 - cut);
      assert.equal(runsLeft({ begin, runs: first.kept, observed: [] }), runs.length);
      const second = await made(first.kept);
      assert.deepEqual(
        [...first.kept, ...second.kept].map(({ id }) => id),
        whole,
        `cut after ${cut}`,
      );
    }
  });

  it('has its blocks from look to look, and all of them at once without looks', () => {
    assert.deepEqual(
      segmentsOf(begin.experiment).map(({ look, runs }) => [look, runs.length]),
      [
        [2, 6],
        [3, 3],
        [4, 3],
      ],
    );
    assert.deepEqual(
      segmentsOf(experiment).map(({ look, runs }) => [look, runs.length]),
      [[null, 12]],
    );
  });
});
