/**
 * The experiment as JUnit XML, as CI systems read it (the format of Ant's junitreport, with Jenkins' schema). Pure.
 *
 * What fails here is what makes `bindstorm run` fail: a threshold that was not met, a run that failed. Verdicts are findings and no
 * demands, so a variant that made it worse is a passed test with its sentence; one without enough evidence is a skipped one. Names of
 * suites and tests are the same in every run of an experiment.
 */
import { armId } from '../plan/kernels.js';
import type { Results, ThresholdResult, Variant } from '../results/schema.js';
import { formatValue, unitOf } from './format.js';
import { discardedRuns, whyDiscarded } from './rows/notices.js';
import { element, escapeXml } from './xml.js';

interface Case {
  readonly name: string;
  readonly seconds: number;
  readonly outcome: 'passed' | 'failed' | 'error' | 'skipped';
  readonly message: string;
}

/** The text of `junit.xml`. */
export function renderJunit(results: Results): string {
  const { name, startedAt, finishedAt } = results.experiment;
  const suites = [
    suite(`${name}.thresholds`, startedAt, results.thresholds.map(thresholdCase)),
    suite(`${name}.verdicts`, startedAt, results.variants.flatMap(verdictCase)),
    suite(`${name}.runs`, startedAt, results.variants.map(runsCase)),
  ].filter(({ cases }) => cases.length > 0);
  const cases = suites.flatMap((each) => each.cases);
  const seconds = Math.max(0, (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000) || 0;
  // Jenkins' junit-10.xsd allows `skipped` in a suite and not here.
  const { skipped: _, ...sums } = counts(cases);
  const root = element(
    'testsuites',
    { name: `bindstorm ${name}`, ...sums, time: seconds.toFixed(3) },
    ...suites.map((each) => each.xml),
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;
}

function suite(name: string, startedAt: string, cases: readonly Case[]) {
  const time = cases.reduce((sum, { seconds }) => sum + seconds, 0);
  // The schema has no time zone and no fractions.
  const timestamp = startedAt.replace(/(?:\.\d+)?Z$/, '');
  const attributes = { name, ...counts(cases), time: time.toFixed(3), timestamp };
  return { cases, xml: element('testsuite', attributes, ...cases.map((each) => caseXml(name, each))) };
}

function counts(cases: readonly Case[]) {
  const of = (outcome: Case['outcome']) => cases.filter((each) => each.outcome === outcome).length;
  return { tests: cases.length, failures: of('failed'), errors: of('error'), skipped: of('skipped') };
}

function caseXml(classname: string, { name, seconds, outcome, message }: Case): string {
  const attributes = { classname, name, time: seconds.toFixed(3) };
  switch (outcome) {
    case 'passed':
      return element('testcase', attributes, element('system-out', {}, escapeXml(message)));
    case 'failed':
      return element('testcase', attributes, element('failure', { message, type: 'threshold' }));
    case 'error':
      return element('testcase', attributes, element('error', { message, type: 'run' }));
    case 'skipped':
      return element('testcase', attributes, element('skipped', { message }));
  }
}

function thresholdCase({ metric, limit, value, atLeast, passed, ...threshold }: ThresholdResult): Case {
  const variant = armId(threshold);
  const measured = value === null ? 'was not measured' : `is ${formatValue(unitOf(metric), value, atLeast)}`;
  return {
    name: `${variant}: ${metric} ${limit}`,
    seconds: 0,
    outcome: passed ? 'passed' : 'failed',
    message: `${metric} of ${variant} ${measured}; the limit is ${limit}`,
  };
}

/** The name is the variant's alone: with the verdict in it, a CI system would take each change of the verdict for a new test. */
function verdictCase({ verdict, runs, ...variant }: Variant): Case[] {
  if (!verdict || runs.length === 0) return [];
  const outcome = verdict.verdict === 'not enough evidence' ? 'skipped' : 'passed';
  return [{ name: armId(variant), seconds: 0, outcome, message: `${verdict.verdict}: ${verdict.sentence}` }];
}

/** All runs of an arm: an error when one failed. */
function runsCase({ runs, ...variant }: Variant): Case {
  const left = discardedRuns({ ...variant, runs });
  const named = (some: typeof left) => some.map(({ run, why }) => `${run.id}: ${why}`).join('; ');
  // A warm-up too: it makes the command fail.
  const failed = runs.filter(({ status }) => status === 'failed');
  const name = armId(variant);
  const seconds =
    runs.reduce((sum, { durationMs: { setup, load, teardown } }) => sum + setup + load + teardown, 0) / 1000;
  if (failed.length > 0)
    return { name, seconds, outcome: 'error', message: named(failed.map((run) => ({ run, why: whyDiscarded(run) }))) };
  if (runs.length === 0) return { name, seconds, outcome: 'skipped', message: 'no run was made' };
  const note = left.length > 0 ? `, of which ${left.length} not compared, or not in full: ${named(left)}` : '';
  return { name, seconds, outcome: 'passed', message: `${runs.length} runs${note}` };
}
