/** What a report says of other loads and of the proxy under test. A section is left out where there is nothing of its kind. */
import type { Results } from '../../results/schema.js';
import {
  type Block,
  code,
  type Inline,
  lines,
  list,
  note,
  type Section,
  section,
  strong,
  tableOf,
  text,
  verdict,
  WRITTEN,
} from '../document.js';
import { formatNumber, formatValue, NONE } from '../format.js';
import { type PortsAtPeak, type ViewRow, viewRows } from '../rows/four-views.js';
import { type Limit, type LimitRow, limitRows } from '../rows/limits.js';
import type { Counted } from '../rows/medians.js';
import { neighbourRows, neighboursInWords, type PartRow, scenarioRows, scenariosInWords } from '../rows/parts.js';
import { type ProxyRow, proxyRows } from '../rows/proxy.js';
import { answers, bootstrapText, type ExitRow, exitRows } from '../rows/tor-exits.js';

/** The loads beside the main one, which a fix must not starve. */
export function neighboursSection(results: Results): Section | null {
  return partsSection(
    neighbourRows(results),
    neighboursInWords(results),
    'Neighbour',
    'Small loads beside the main one, the same in every arm: other programs in the namespace under test, or other clients of the proxy. Their failures and their latency are guardrails.',
  );
}

/** Each of several loads. */
export function scenariosSection(results: Results): Section | null {
  return partsSection(
    scenarioRows(results),
    scenariosInWords(results),
    'Scenario',
    'Loads of the program under test that ran side by side, the first one as “load”. The counts and times of all other sections are of all of them together.',
  );
}

function partsSection(rows: readonly PartRow[], inWords: readonly string[], one: string, what: string): Section | null {
  if (rows.length === 0) return null;
  return section(`${one.toLowerCase()}s`, `${one}s`, `${one}s`, null, [
    { kind: 'text', only: WRITTEN, content: `${what} Values are medians over the compared runs.` },
    { kind: 'list', items: [...inWords], only: WRITTEN },
    tableOf<PartRow>(
      `${one}s by arm`,
      [
        { title: one, cell: ({ part }) => part },
        { title: 'Arm', cell: ({ arm }) => arm },
        { title: 'Attempts', numeric: true, cell: ({ attempts }) => number(attempts) },
        { title: 'Failed', numeric: true, cell: ({ failed }) => formatValue('share', failed) },
        { title: 'How', wraps: 'list', cell: ({ how }) => counts(how, NONE) },
        { title: 'Latency p90', numeric: true, cell: ({ p90 }) => formatValue('microseconds', p90) },
        { title: 'Its failures', cell: ({ verdict: word }) => (word === null ? NONE : verdict(word)) },
      ],
      rows,
    ),
  ]);
}

/** What the proxy answered and logged, and what it used. */
export function proxySection(results: Results): Section | null {
  const rows = proxyRows(results);
  if (rows.length === 0) return null;
  const logged = rows.flatMap((row) => row.lines.map((line): [Inline, Inline] => [row.name, code(line)]));
  const configured = rows.flatMap((row): [Inline, Inline][] =>
    row.configuration.length === 0 ? [] : [[row.name, links(row.configuration)]],
  );
  return section('proxy', 'Proxy', 'Failures and resources of the proxy', WRITTEN, [
    text(
      "The same failures from the sides of the client, of the proxy's own log, and of the kernel's list of its sockets. Values are medians over the compared runs: ports in use at the peak, sockets in TIME_WAIT and in other states when the load had ended. Log lines are not failures: one request may cause several lines, or none.",
    ),
    tableOf<ProxyRow>(
      'The proxy by arm',
      [
        { title: 'Arm', cell: (row) => row.name },
        { title: 'Proxy', cell: (row) => row.program },
        { title: 'Failing answers', wraps: 'list', cell: (row) => counts(row.answers) },
        { title: 'Failures in its log', wraps: 'list', cell: (row) => counts(row.logged) },
        { title: 'Ports, peak', numeric: true, cell: (row) => number(row.ports) },
        { title: 'TIME_WAIT, end', numeric: true, cell: (row) => number(row.timeWait) },
        { title: 'Others, end', numeric: true, cell: (row) => number(row.open) },
        {
          title: 'CPU',
          numeric: true,
          cell: ({ cpuSeconds }) => formatValue('microseconds', cpuSeconds === null ? null : cpuSeconds * 1e6),
        },
        { title: 'Memory', numeric: true, cell: (row) => formatValue('bytes', row.memory) },
      ],
      rows,
    ),
    logged.length === 0
      ? null
      : { kind: 'fold', summary: 'Lines of its log', blocks: [{ kind: 'terms', entries: logged }] },
    configured.length === 0
      ? null
      : {
          kind: 'fold',
          summary: 'What it was configured with: files beside this report',
          blocks: [{ kind: 'terms', entries: configured }],
        },
    ...changesBlocks(rows),
  ]);
}

/** What the lab changed in the user's own configuration files: said once for all arms that have the same. */
function changesBlocks(rows: readonly ProxyRow[]): Block[] {
  const said = new Map<string, { readonly names: string[]; readonly changes: ProxyRow['changes'] }>();
  for (const { name, changes } of rows.filter((row) => row.changes.length > 0)) {
    const key = JSON.stringify(changes);
    said.set(key, { names: [...(said.get(key)?.names ?? []), name], changes });
  }
  return [...said.values()].map(({ names, changes }) => ({
    kind: 'fold',
    summary: `What the lab changed in the configuration file of ${names.join(', ')}`,
    blocks: [
      tableOf(
        'Changes of the lab',
        [
          { title: 'Where', cell: ({ at }) => code(at) },
          { title: 'It was', wraps: 'list', cell: ({ was }) => (was === '' ? NONE : code(was)) },
          { title: 'Now', wraps: 'list', cell: ({ change }) => change },
        ],
        changes,
      ),
    ],
  }));
}

/** Files of the result folder, by their names. */
function links(paths: readonly string[]): Inline {
  return paths.map(
    (path, i): Inline => [
      i > 0 ? ', ' : '',
      { kind: 'link', to: path, content: path.slice(path.lastIndexOf('/') + 1) },
    ],
  );
}

/** The same failure from four sides, beside each other. */
export function viewsSection(results: Results): Section | null {
  const rows = viewRows(results);
  if (rows.length === 0) return null;
  return section('views', 'Four views', 'Four views of the failure', WRITTEN, [
    text(
      'One more run of each arm, in which the system calls of the proxy were counted. Counting slows the proxy down, so this run is compared with nothing, and its counts may differ from the medians above.',
    ),
    tableOf<ViewRow>(
      'The failures of one run by arm',
      [
        { title: 'Arm', cell: (row) => row.name },
        { title: 'The client', wraps: 'list', cell: (row) => counts(row.client) },
        { title: "The proxy's log", wraps: 'list', cell: (row) => counts(row.log) },
        { title: 'The kernel', wraps: 'list', cell: kernelCell },
        { title: 'Ports then', wraps: 'list', cell: ({ ports }) => (ports ? portsCell(ports) : NONE) },
      ],
      rows,
    ),
    ...list(together(rows).map(([names, sentence]): Inline => [strong(names.join(', ')), `: ${sentence}`])),
  ]);
}

function kernelCell({ kernel, by, pids }: ViewRow): Inline {
  if (kernel === null) return 'not observed';
  return [counts(kernel), note([`by ${by}${pids.length > 0 ? `, pid ${pids.join(', ')}` : ''}`])];
}

function portsCell({ inUse, room, each, addresses, timeWait, full }: PortsAtPeak): Inline {
  return lines([
    `${formatNumber(inUse)} of ${formatNumber(room)} (${formatNumber(each)} × ${formatNumber(addresses)})`,
    `${formatNumber(timeWait)} in TIME_WAIT`,
    `${formatNumber(full)} of ${formatNumber(addresses)} full`,
  ]);
}

/** What is said of several arms in the same words is said once. */
function together(rows: readonly ViewRow[]): [names: string[], sentence: string][] {
  const said = new Map<string, string[]>();
  for (const { name, sentences } of rows) {
    const sentence = sentences.join(' ');
    said.set(sentence, [...(said.get(sentence) ?? []), name]);
  }
  return [...said].map(([sentence, names]) => [names, sentence]);
}

/** The exits of a private Tor network, and the three questions of 2012. */
export function exitsSection(results: Results): Section | null {
  const rows = exitRows(results);
  if (rows.length === 0) return null;
  return section('exits', 'Tor exits', 'What the Tor exits saw', WRITTEN, [
    text(
      'A private Tor network in the lab, without a route out of it. Values are medians over the compared runs; calls were counted in one more run of each arm.',
    ),
    tableOf<ExitRow>(
      'The exits by arm',
      [
        { title: 'Arm', cell: (row) => row.name },
        { title: 'Tor', cell: (row) => row.version ?? NONE },
        {
          title: 'Refused calls',
          wraps: 'list',
          cell: ({ calls }) => (calls === null ? 'not observed' : counts(calls)),
        },
        { title: 'Lines in its log', numeric: true, cell: (row) => formatNumber(row.logged) },
        { title: 'Clients were told', wraps: 'list', cell: (row) => counts(row.replies) },
        { title: 'Streams ended', wraps: 'list', cell: (row) => counts(row.ends) },
        {
          title: 'Ports in use, by address',
          numeric: true,
          cell: ({ ports }) => ports?.map(formatNumber).join(', ') ?? NONE,
        },
        { title: 'Bootstrap', cell: bootstrapText },
      ],
      rows,
    ),
    ...answers(results).map(
      ({ question, sentences }, i): Block => ({
        kind: 'card',
        style: 'plain',
        title: `${i + 1}. ${question}`,
        blocks: list(sentences),
      }),
    ),
  ]);
}

/** Where the proxy became slow, and where no port was left. */
export function limitsSection(results: Results): Section | null {
  const rows = limitRows(results);
  if (rows.length === 0) return null;
  const measured = ({ measured: ports }: Limit) => (ports === null ? 'not reached' : formatNumber(ports));
  return section('walls', 'Slow and full', 'Slow first, then full', WRITTEN, [
    text(
      'When part of the ports are in use, each search for a free one first walks over used ports: the proxy becomes slow, without any error. When all are in use, requests fail. The table has the ports in use when each began, as medians over the compared runs; slow means four times the response time of the beginning.',
    ),
    tableOf<LimitRow>(
      'Slow and full by arm',
      [
        { title: 'Arm', cell: ({ name }) => name },
        { title: 'Slow from (ports in use)', numeric: true, cell: ({ slow }) => measured(slow) },
        { title: 'Expected', numeric: true, cell: ({ slow }) => number(slow.expected) },
        { title: 'Response before', numeric: true, cell: ({ slow }) => formatValue('microseconds', slow.before) },
        { title: 'After', numeric: true, cell: ({ slow }) => formatValue('microseconds', slow.behind) },
        { title: 'First failure at', numeric: true, cell: ({ hard }) => measured(hard) },
        { title: 'Expected', numeric: true, cell: ({ hard }) => number(hard.expected) },
      ],
      rows,
    ),
  ]);
}

function number(value: number | null): string {
  return value === null ? NONE : formatNumber(value);
}

/** Each count with what was counted, below each other. @param none where nothing was */
export function counts(counted: readonly Counted[], none = 'none'): Inline {
  return counted.length === 0
    ? none
    : lines(counted.map(([what, count]): Inline => [`${formatNumber(count)} `, code(what)]));
}
