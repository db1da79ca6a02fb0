/** The league table of fixes: what counts say, and how cells are put into words. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import {
  acrossKernels,
  byHowMuch,
  disagreements,
  effectOf,
  expectedWaves,
  type FixCell,
  type FixReport,
  type FixTable,
  inWords,
  league,
  rowOf,
} from '../../src/analysis/fixes.js';
import type { StrategyName } from '../../src/domain/strategy.js';
import { catalogueOptions, readCatalogue } from '../../src/experiment/catalogue.js';
import { FIX_STRATEGIES, fixFor, fixProfile, HOST } from '../../src/experiment/fix-rows.js';
import { absentTable } from '../../src/experiment/fix-subject.js';
import { type Fix, parseFix } from '../../src/profile/fix.js';
import { loadProfile } from '../../src/profile/load.js';
import { renderFixes, renderFixesHtml, summaryLines } from '../../src/report/fixes.js';
import type { Prediction } from '../../src/results/schema.js';
import { makePrediction } from '../support/runs.js';

const FOLDER = new URL('../../../fixes/', import.meta.url);
const CATALOGUE: readonly Fix[] = readCatalogue('sockets', null);
const fix = (name: string) => CATALOGUE.find((one) => one.name === name)!;

describe('the catalogue', () => {
  it('has each fix that the folklore has, a file each, named as the file', () => {
    const files = readdirSync(FOLDER)
      .filter((file) => file.endsWith('.yaml'))
      .map((file) => file.replace(/\.yaml$/, ''));
    assert.deepEqual(CATALOGUE.map(({ name }) => name).sort(), files.sort());
    for (const name of ['wider-range', 'fin-timeout', 'tw-reuse-1', 'tw-recycle', 'conntrack', 'no-port', 'persistent'])
      assert.ok(files.includes(name), name);
    assert.ok(files.length >= 20);
  });

  for (const strategy of ['bind', 'bind-reuseaddr', 'bind-no-port', 'connect'] as const)
    it(`is a profile for ${strategy}, each fix a variant that changes something`, () => {
      const fixes = CATALOGUE.filter((one) => fixFor(one, { strategy }).kind === 'change');
      for (const kernel of [HOST, 'bookworm']) {
        const { experiment } = loadProfile(fixProfile(fixes, { strategy }, kernel), 'fixes.yaml');
        assert.equal(experiment.arms.length, fixes.length + 1);
        for (const arm of experiment.arms.slice(1)) assert.notDeepEqual(arm.changes, [], arm.name);
      }
    });

  it('is a profile for an image that is given by its path', () => {
    for (const [kernel, name] of [
      ['/srv/old/vmlinuz-3.10.0-1160.el7.x86_64', 'fixes-bind-vmlinuz-3.10.0-1160.el7.x86-64'],
      ['./boot/A kernel with a name that is too long for a profile', 'fixes-bind-a-kernel-with-a-name-that-is-t'],
    ] as const) {
      const { experiment } = loadProfile(fixProfile([], { strategy: 'bind' }, kernel), 'fixes.yaml');
      assert.equal(experiment.name, name);
    }
  });

  for (const [kind, strategy] of [
    ['squid', 'bind'],
    ['squid', 'bind-no-port'],
    ['haproxy', 'bind-no-port-reuseaddr'],
    ['nginx', 'bind-no-port'],
    ['dante', 'bind'],
  ] as const)
    it(`is a profile for ${kind} that does ${strategy}, each fix a variant that changes something`, () => {
      const row = { strategy, subject: { kind, version: null } };
      const fixes = CATALOGUE.filter((one) => fixFor(one, row).kind === 'change');
      assert.ok(fixes.length >= 18, `${fixes.length}`);
      const { experiment } = loadProfile(fixProfile(fixes, row, HOST), 'fixes.yaml');
      assert.equal(experiment.arms.length, fixes.length + 1);
      for (const arm of experiment.arms.slice(1)) assert.notDeepEqual(arm.changes, [], arm.name);
    });

  it('of a NAT has a file for each knob of its folklore, each a variant that changes something', () => {
    const row = { strategy: 'connect', subject: { kind: 'nat', version: null } } as const;
    const knobs = readCatalogue('router', null);
    const names = knobs.map(({ name }) => name);
    for (const name of ['more-nat-addresses', 'two-rules-numgen', 'fully-random', 'router-port-range', 'server-closes'])
      assert.ok(names.includes(name), name);
    assert.ok(knobs.length >= 25, `${knobs.length}`);
    for (const kernel of [HOST, 'bookworm']) {
      const { experiment } = loadProfile(fixProfile(knobs, row, kernel), 'fixes.yaml');
      assert.equal(experiment.arms.length, knobs.length + 1);
      for (const arm of experiment.arms.slice(1)) assert.notDeepEqual(arm.changes, [], arm.name);
    }
  });

  it('of a NAT is tried by itself, and --only names a fix of it', () => {
    const choice = { kernels: [], host: true, subjects: ['nat'] } as const;
    assert.deepEqual(catalogueOptions({ ...choice, only: ['zones'] }), {
      kernels: [HOST],
      strategies: [],
      subjects: ['nat'],
      only: ['zones'],
    });
    assert.throws(
      () => catalogueOptions({ ...choice, only: ['no-port'] }),
      /the catalogue of a NAT has no fix "no-port"/,
    );
    assert.throws(
      () => catalogueOptions({ ...choice, subjects: ['nat', 'squid'] }),
      /--subjects nat has a catalogue of/,
    );
    assert.throws(() => catalogueOptions({ ...choice, strategies: ['bind'] }), /make it without other subjects/);
  });

  it('says what a program cannot be told, and what its version does already', () => {
    const of = (name: string, kind: 'squid' | 'haproxy' | 'dante', strategy: StrategyName) =>
      fixFor(fix(name), { strategy, subject: { kind, version: '1' } });
    assert.equal(of('no-port', 'squid', 'bind').kind, 'cannot');
    assert.equal(of('no-port', 'squid', 'bind-no-port').kind, 'same');
    assert.equal(of('no-port', 'haproxy', 'bind-no-port-reuseaddr').kind, 'same');
    assert.equal(of('reuseaddr', 'haproxy', 'bind-no-port-reuseaddr').kind, 'cannot');
    assert.deepEqual(of('no-port-tw-reuse', 'squid', 'bind-no-port'), {
      kind: 'change',
      change: { sysctls: { 'net.ipv4.tcp_tw_reuse': 1 } },
    });
    assert.deepEqual(of('persistent', 'dante', 'bind'), {
      kind: 'cannot',
      why: "a SOCKS connection is its client's alone",
    });
    const ports = of('explicit-ports', 'haproxy', 'bind-no-port-reuseaddr');
    assert.deepEqual(ports.kind === 'change' && ports.change.subject, { ports: '50000-50019' });
    const kept = of('persistent', 'squid', 'bind');
    assert.deepEqual(kept.kind === 'change' && kept.change.subject, { persistent: true });
  });

  it('names what is the same already', () => {
    assert.equal(fixFor(fix('no-port'), { strategy: 'bind-no-port' }).kind, 'same');
    assert.equal(fixFor(fix('no-port-tw-reuse'), { strategy: 'bind-no-port' }).kind, 'change');
    assert.equal(fixFor(fix('no-port'), { strategy: 'bind' }).kind, 'change');
    assert.ok(FIX_STRATEGIES.includes('connect') && !FIX_STRATEGIES.includes('bind-explicit-port'));
  });

  it('refuses a file that is no fix, by its name and key', () => {
    assert.throws(() => parseFix('name: x\n', 'fixes/x.yaml'), { name: 'UserError', message: /^fixes\/x\.yaml: / });
    assert.throws(() => parseFix('name: x\n', 'fixes/x.yaml'), /fixes\/x\.yaml: title/);
    assert.throws(() => parseFix(': [', 'fixes/x.yaml'), { name: 'UserError', message: /^fixes\/x\.yaml: / });
  });
});

describe('what counts say', () => {
  it('works, does nothing, harms, by how much', () => {
    assert.deepEqual(effectOf([80, 0], [40, 0]), { effect: 'works', factor: 2 });
    assert.deepEqual(effectOf([40, 40], [40, 0]), { effect: 'works', factor: 2 });
    assert.deepEqual(effectOf([41, 0], [40, 0]), { effect: 'does nothing', factor: 1.025 });
    assert.deepEqual(effectOf([40, 0], [80, 0]), { effect: 'harms', factor: 0.5 });
    assert.deepEqual(effectOf([1, 0], [0, 0]), { effect: 'works', factor: null });
    assert.deepEqual(effectOf([0, 0], [0, 0]), { effect: 'does nothing', factor: null });
  });

  it('what the model expects of two waves', () => {
    const of = (concurrent: number | null, sustained: number | null): Prediction => ({
      ...makePrediction(),
      concurrent,
      sustained,
    });
    assert.deepEqual(expectedWaves(of(40, 40 / 60), 200, 1.5, false), [40, 0]);
    assert.deepEqual(expectedWaves(of(80, 80), 200, 1.5, false), [80, 80]);
    assert.deepEqual(expectedWaves(of(40, null), 200, 1.5, false), [200, 200]);
    assert.deepEqual(expectedWaves(of(0, null), 200, 1.5, false), [0, 0]);
    assert.equal(expectedWaves(of(80, 80_000), 200, 1.5, false), null, 'ports come back within a wave');
    assert.equal(expectedWaves(of(80, 80), 200, 1.5, true), null, 'the clock of seconds may tick within a wave');
    assert.deepEqual(expectedWaves(of(40, 40 / 60), 200, 1.5, true), [40, 0]);
  });
});

const measured = (waves: [number, number], baseline: [number, number], run: string): FixCell => ({
  kind: 'measured',
  ...effectOf(waves, baseline),
  waves,
  attempts: 400,
  predicted: [40, 0],
  prediction: makePrediction(),
  run,
});

function tableFor(release: string, delay: FixCell): FixTable {
  return {
    kernel: { name: release, release, lab: 'lab' },
    strategy: 'bind-no-port',
    baseline: measured([40, 0], [40, 0], 'runs/a.ndjson#L1'),
    cells: {
      'wider-range': measured([80, 0], [40, 0], 'runs/a.ndjson#L2'),
      'tw-reuse-delay': delay,
      'no-port': { kind: 'same' },
    },
  };
}

describe('the report', () => {
  const report: FixReport = {
    schemaVersion: 1,
    tool: '0',
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:14:05.000Z',
    command: 'bindstorm fixes',
    fixes: ['wider-range', 'tw-reuse-delay', 'no-port'].map(fix),
    tables: [
      tableFor('5.10.46', { kind: 'absent', why: 'since Linux 6.14' }),
      tableFor('6.1.176', { kind: 'absent', why: 'since Linux 6.14' }),
      tableFor('6.18.44', measured([200, 200], [40, 0], 'runs/b.ndjson#L3')),
    ],
  };

  it('says each thing once, and on which kernels where they differ', () => {
    assert.equal(acrossKernels('wider-range', 'bind-no-port', report), 'works ×2');
    assert.equal(
      acrossKernels('tw-reuse-delay', 'bind-no-port', report),
      'not there: since Linux 6.14 (5.10 and 6.1); works without limit (6.18)',
    );
    assert.equal(acrossKernels('no-port', 'bind-no-port', report), 'is that already');
    assert.equal(inWords({ kind: 'failed', why: 'x' }), 'failed');
    assert.equal(byHowMuch(measured([100, 0], [40, 0], '') as FixCell & { kind: 'measured' }), '×2.5');
    assert.ok(summaryLines(report).some((line) => line.includes('works ×2')));
  });

  it('is a league: what works most first, what nobody could try last', () => {
    const cells = {
      'wider-range': measured([80, 0], [40, 0], ''),
      'no-port': measured([40, 0], [40, 0], ''),
      reset: measured([200, 200], [40, 0], ''),
      reuseport: measured([20, 0], [40, 0], ''),
      'tw-recycle': { kind: 'absent', why: 'until Linux 4.11' },
    } as const;
    const tables = [{ ...report.tables[0]!, cells }];
    const fixes = Object.keys(cells).map(fix);
    assert.deepEqual(
      league({ ...report, fixes, tables }).map(({ name }) => name),
      ['reset', 'wider-range', 'no-port', 'reuseport', 'tw-recycle'],
    );
  });

  it('has a column a program, with what it cannot be told', () => {
    const of = { strategy: 'bind', subject: { kind: 'squid', version: '5.7' } } as const;
    const cells = { 'wider-range': measured([80, 0], [40, 0], 'runs/host.squid.ndjson#L2') } as const;
    const squid = {
      ...report.tables[0]!,
      ...of,
      cells: { ...cells, 'no-port': { kind: 'cannot', why: 'so' } },
    } as const;
    const nginx = absentTable(
      report.fixes,
      { strategy: 'bind-no-port', subject: { kind: 'nginx', version: null } },
      'host',
      'gone',
    );
    const mixed: FixReport = { ...report, tables: [...report.tables, squid, nginx] };
    assert.equal(acrossKernels('wider-range', 'squid 5.7', mixed), 'works ×2');
    assert.equal(acrossKernels('no-port', 'squid 5.7', mixed), 'not applicable: so');
    assert.equal(acrossKernels('no-port', 'nginx', mixed), 'not there: gone');
    // A strategy of the same name is another row.
    assert.equal(acrossKernels('wider-range', 'bind', mixed), '–');
    const text = renderFixes(mixed);
    for (const part of ['## `squid 5.7`', 'not applicable: so', 'guests are given them'])
      assert.ok(text.includes(part), part);
    assert.ok(!renderFixes(report).includes('guests are given them'));
    assert.ok(renderFixesHtml(mixed).includes('<code>squid 5.7</code>'));
  });

  it('says which fixes were not put to a kernel, and leaves their cells empty', () => {
    const [first, ...others] = report.tables;
    const { 'wider-range': wider } = first!.cells;
    const partial: FixReport = { ...report, tables: [{ ...first!, cells: { 'wider-range': wider! } }, ...others] };
    const untried = report.fixes.map(({ name }) => name).filter((name) => name !== 'wider-range');
    const { release } = first!.kernel;
    const sentence = `Not tried for ${rowOf(first!)}: ${untried.join(', ')} on ${release}.`;
    for (const [text, said] of [
      [renderFixes(partial), true],
      [renderFixes(report), false],
      [renderFixesHtml(partial), true],
    ] as const)
      assert.equal(text.includes(sentence), said);
  });

  it('has the days of runs that were made later', () => {
    const [startedAt, finishedAt] = ['2026-11-30T23:00:00.000Z', '2026-12-01T00:10:00.000Z'];
    assert.match(renderFixes({ ...report, startedAt, finishedAt }), / cells, 2026-11-30 to 2026-12-01, /);
    assert.match(renderFixes({ ...report, startedAt, finishedAt: startedAt }), / cells, 2026-11-30, /);
  });

  it('names the counts that the model did not expect', () => {
    const texts = disagreements(report);
    assert.equal(texts.length, 4);
    assert.match(texts[0]!, /^wider-range with bind-no-port on 5\.10\.46: 80 \| 0, expected 40 \| 0$/);
  });

  it('links each cell to its run, in Markdown and in HTML', () => {
    assert.ok(renderFixes(report).includes('[80 + 0](runs/a.ndjson#L2)'));
    const page = renderFixesHtml(report);
    assert.ok(page.includes('href="runs/b.ndjson#L3"'));
    assert.ok(page.includes('class="works'));
    for (const { claim } of report.fixes) assert.ok(page.includes(claim.slice(0, 20)), claim);
  });
});
