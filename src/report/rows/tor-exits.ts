/**
 * The exits of a private Tor network: their own view of what failed, and what a run says to the three questions of 2012
 * (lists.noisebridge.net/pipermail/tor/2012-January/000697.html). Each answer is made of this experiment's counts. Pure.
 */
import { median } from '../../analysis/statistics.js';
import { comparedRuns } from '../../analysis/usable.js';
import type { Results, Run, Variant, VerdictWord } from '../../results/schema.js';
import { proxySubjectOf } from '../../subjects/index.js';
import { formatNumber, listed, NONE, plural } from '../format.js';
import { type Counted, medianCounts, medianOutcomes } from './medians.js';
import { refusedCalls } from './proxy.js';

export interface ExitRow {
  readonly name: string;
  /** As the program says; null: it does not. */
  readonly version: string | null;
  /** Refused calls of one observed run, as `connect EADDRNOTAVAIL`; null: not observed. */
  readonly calls: readonly Counted[] | null;
  /** Lines of its log, at notice and above, that tell of a failure; medians over compared runs, as those that follow. */
  readonly logged: number;
  /** The first of these lines. */
  readonly line: string | null;
  /** What clients were told, as `socks:general-failure`. */
  readonly replies: readonly Counted[];
  /** How streams ended, as `SUCCEEDED` or `END RESOURCELIMIT`: the reason in the RELAY_END cell. */
  readonly ends: readonly Counted[];
  /** Most ports in use on each outgoing address; null: not seen. */
  readonly ports: readonly number[] | null;
  readonly bootstrap: { readonly seconds: number; readonly cached: number; readonly runs: number } | null;
}

/** One row an arm whose subject is a network with exits. */
export function exitRows({ variants }: Results): ExitRow[] {
  return variants.flatMap((variant) =>
    variant.proxy && proxySubjectOf(variant.proxy.kind).network ? [rowOf(variant)] : [],
  );
}

function rowOf(variant: Variant): ExitRow {
  const runs = comparedRuns(variant);
  const reports = runs.flatMap(({ proxy }) => proxy ?? []);
  const failures = reports.map(({ failures: list }) => list.reduce((sum, { count }) => sum + count, 0));
  const boots = reports.flatMap(({ bootstrap }) => bootstrap ?? []);
  return {
    name: variant.name,
    version: reports[0]?.version ?? null,
    calls: callsOf(variant.observed),
    logged: median(failures) ?? 0,
    line: reports.flatMap(({ failures: list }) => list[0]?.lines[0] ?? [])[0] ?? null,
    replies: medianOutcomes(variant).filter(([outcome]) => outcome !== 'ok'),
    ends: medianCounts(reports.map(({ requests }) => requests)),
    ports: peaks(runs),
    bootstrap:
      boots.length === 0
        ? null
        : {
            seconds: median(boots.map(({ seconds }) => seconds))!,
            cached: boots.filter(({ cached }) => cached).length,
            runs: boots.length,
          },
  };
}

function callsOf(observed: Run | null | undefined): Counted[] | null {
  const failures = observed?.status === 'ok' ? observed.proxy?.syscalls?.failures : undefined;
  return failures === undefined ? null : refusedCalls(failures);
}

function peaks(runs: readonly Run[]): number[] | null {
  const rows = runs.flatMap(({ ports }) => (ports.peakPerAddress === null ? [] : [ports.peakPerAddress]));
  return rows[0]?.map((_, i) => median(rows.map((row) => row[i] ?? 0)) ?? 0) ?? null;
}

/** `1.9 s, cached 2 of 2` */
export function bootstrapText({ bootstrap }: ExitRow): string {
  if (bootstrap === null) return NONE;
  const { seconds, cached, runs } = bootstrap;
  return `${seconds.toFixed(1)} s, cached ${cached} of ${runs}`;
}

/** `Private Tor networks: up in 1.9 s from the cache (40 runs) and in 14.1 s from nothing (2 runs)`; null: there were none. */
export function bootstrapNotice({ variants }: Results): string | null {
  const all = variants.flatMap(({ runs }) => runs.flatMap(({ proxy }) => proxy?.bootstrap ?? []));
  const of = (kept: boolean, where: string) => {
    const seconds = all.filter(({ cached }) => cached === kept).map((bootstrap) => bootstrap.seconds);
    return seconds.length === 0
      ? []
      : [`in ${median(seconds)!.toFixed(1)} s ${where} (${plural(seconds.length, 'run')})`];
  };
  return all.length === 0
    ? null
    : `Private Tor networks: up ${listed([...of(true, 'from the cache'), ...of(false, 'from nothing')])}.`;
}

export interface Answer {
  readonly question: string;
  readonly sentences: readonly string[];
}

/** @returns empty where no exit of Tor ran, or none failed */
export function answers(results: Results): Answer[] {
  const rows = exitRows(results);
  const failing = rows.filter(({ replies }) => replies.length > 0);
  if (failing.length === 0) return [];
  return [
    {
      question: 'Which code path gives the error when no port can be allocated?',
      sentences: byVersion(failing).map(codePath),
    },
    { question: 'Which resource is exhausted?', sentences: resource(results, failing) },
    { question: 'Which tunable is missing?', sentences: tunables(results) },
  ];
}

/** The first arm of each version, the baseline before others. */
function byVersion(rows: readonly ExitRow[]): ExitRow[] {
  return [...new Map([...rows].reverse().map((row) => [row.version, row])).values()].reverse();
}

function codePath({ name, version, calls, logged, line, replies, ends }: ExitRow): string {
  const top = calls?.[0]?.[0] ?? null;
  const how =
    top === null
      ? 'the calls of the exit were not observed'
      : top.startsWith('bind')
        ? `the kernel refused ${counted(calls![0]!)}: bind() with port 0 has to find a port before the destination is known (inet_csk_get_port)`
        : `the kernel refused ${counted(calls![0]!)}: with IP_BIND_ADDRESS_NO_PORT bind() takes no port, and connect() found none that is free for that destination (inet_hash_connect)`;
  const said =
    logged === 0
      ? 'The log of the exit, at level notice, has no line of it'
      : `The log of the exit has ${plural(logged, 'line')}, as «${line}»`;
  const told = ends.find(([what]) => what.startsWith('END'));
  return `Tor ${version ?? 'of unknown version'} (${name}): ${how}. ${said}; ${
    told ? `its RELAY_END cells said ${told[0].slice(4)} (${formatNumber(told[1])} of them), and ` : ''
  }clients were told ${replies.map(counted).join(', ')}.`;
}

function counted([what, count]: Counted): string {
  return `${formatNumber(count)} × ${what}`;
}

function resource({ variants }: Results, failing: readonly ExitRow[]): string[] {
  return byVersion(failing).map(({ name, version, ports }) => {
    const variant = variants.find((other) => other.name === name)!;
    const run = comparedRuns(variant)[0];
    const each = run ? run.ports.high - run.ports.low + 1 - run.ports.reserved : null;
    const ok = median(comparedRuns(variant).map(({ outcomes }) => outcomes.ok ?? 0)) ?? 0;
    const timeWait = run?.ports.finalStates?.TIME_WAIT ?? 0;
    const { formula } = variant.prediction;
    return `Tor ${version ?? 'of unknown version'} (${name}): local ports of the outgoing address, open and in TIME_WAIT together. ${
      ports === null || each === null
        ? ''
        : `At most ${ports.map(formatNumber).join(' and ')} of ${formatNumber(each)} ports were in use, ${formatNumber(timeWait)} sockets were in TIME_WAIT at the end, and `
    }${formatNumber(ok)} streams succeeded; the rule says ${formula}.`;
  });
}

function tunables({ variants }: Results): string[] {
  const judged = (word: VerdictWord, sysctl: boolean) =>
    variants.filter(
      ({ verdict, changes }) =>
        verdict?.verdict === word &&
        changes.length > 0 &&
        changes.every((change) => /^net\.|^vm\./.test(change)) === sysctl,
    );
  const named = (list: readonly Variant[]) => listed(list.map(({ name }) => name));
  const [helped, useless] = [judged('better', true), judged('no difference', true)];
  const [others, worse] = [judged('better', false), variants.filter(({ verdict }) => verdict?.verdict === 'worse')];
  return [
    helped.length > 0
      ? `Of the sysctls tried here these helped: ${named(helped)}. A wider range gives more ports, and each is still a minute in TIME_WAIT.`
      : 'None of the sysctls tried here helped.',
    ...(useless.length > 0 ? [`These changed nothing: ${named(useless)}.`] : []),
    ...(others.length > 0 ? [`Beside sysctls these helped: ${named(others)}.`] : []),
    ...(worse.length > 0 ? [`Worse than the baseline: ${named(worse)}.`] : []),
  ];
}
