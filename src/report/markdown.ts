/**
 * The report as Markdown for a pull request or a ticket (GitHub Flavored Markdown): the verdicts, what to change, why, and
 * how to repeat it, with a few of the plots of the page (html.ts) as files beside it.
 */
import { armId } from '../plan/kernels.js';
import type { Comparison, KernelResult, Results, Variant } from '../results/schema.js';
import { applyOf } from './apply.js';
import { picturesOf, pngOf } from './charts/pictures.js';
import {
  formatChange,
  formatDifference,
  formatInstant,
  formatInterval,
  formatNumber,
  formatValue,
  metricLabel,
  NONE,
  plural,
  unitOf,
  VERDICT_SYMBOLS,
  verdictText,
} from './format.js';
import { code, fenced, table, text } from './gfm.js';
import { viewRows } from './rows/four-views.js';
import {
  type Cell,
  columnTitle,
  kernelTitle,
  notRunOn,
  resultsOn,
  type SideBySide,
  sideBySide,
} from './rows/kernels.js';
import { wallRows } from './rows/limits.js';
import { comparedRuns } from './rows/medians.js';
import { neighbourRows, neighboursInWords } from './rows/neighbours.js';
import { partialNotice, warnings } from './rows/notices.js';
import { type Counted, proxyRows } from './rows/proxy.js';
import { betterVariants, otherChanges, sysctlLines } from './rows/sysctls.js';
import { answers, bootstrapText, exitRows } from './rows/tor-exits.js';
import { applySentence } from './summary.js';

/**
 * @param shown the kind of its pictures: PNG is shown by every tracker, and each is then a link to its SVG
 * @returns Markdown that starts with a second-level heading, so that it can be pasted below other text
 */
export function renderMarkdown(results: Results, shown: 'png' | 'svg' = 'svg'): string {
  const { experiment } = results;
  return [
    `## bindstorm: ${text(experiment.name)}`,
    experiment.description === null ? null : text(experiment.description),
    `**${text(results.summary)}**`,
    notices(results),
    ...findings(results, shown),
    environment(results),
    reproduce(results),
  ]
    .filter((block) => block !== null)
    .join('\n\n')
    .concat('\n');
}

function findings(results: Results, shown: 'png' | 'svg'): (string | null)[] {
  const columns = sideBySide(results);
  if (columns === null)
    return [
      variantTable(results),
      pictures(results, shown),
      whatToChange(results),
      toApply(results),
      why(results),
      neighbours(results),
      proxy(results),
      views(results),
      exits(results),
      walls(results),
      thresholds(results),
    ];
  return [
    kernelTable(columns, results),
    pictures(results, shown),
    thresholds(results),
    toApply(results),
    ...columns.kernels.map((kernel) => onKernel(results, kernel)),
  ];
}

/** The goal's forest plot in sight, the others in a fold: without the files beside it the text still says everything. */
function pictures(results: Results, shown: 'png' | 'svg'): string | null {
  const [first, ...others] = picturesOf(results).map(({ path, alt }) =>
    shown === 'svg' ? `![${text(alt)}](${path})` : `[![${text(alt)}](${pngOf({ path })})](${path})`,
  );
  if (first === undefined) return null;
  if (results.kernels !== undefined) return [first, ...others].join('\n\n');
  const fold = `<details><summary>Before and after</summary>\n\n${others.join('\n\n')}\n\n</details>`;
  return others.length === 0 ? first : `${first}\n\n${fold}`;
}

/** Where the drop-in lies, or why there is none; nothing where nothing is recommended. */
function toApply(results: Results): string | null {
  return betterVariants(results).length === 0 ? null : applySentence(applyOf(results));
}

/** One row a variant, one column a kernel. */
function kernelTable({ kernels, rows, nowhere, note }: SideBySide, { experiment }: Results): string {
  const head = ['Variant', 'What changed', ...kernels.map((kernel) => text(columnTitle(kernel)))];
  const lines = rows.map(({ name, changes, nowhere: none, cells }, i) => [
    `**${text(name)}**${none ? '<br>on none of these kernels' : ''}`,
    i === 0 ? 'the baseline' : changes.map(code).join('<br>') || 'nothing',
    ...cells.map(kernelCell),
  ]);
  return [
    '### Kernels side by side',
    `The verdict, and ${text(metricLabel(experiment.goal))} in the baseline and with the variant. ${text(note)}`,
    table(
      head,
      lines,
      head.map(() => '---'),
    ),
    ...(nowhere.length > 0
      ? [
          `${kernels.length === 1 ? 'Not on this kernel' : 'On none of these kernels'}:`,
          nowhere.map((name) => `- ${code(name)}`).join('\n'),
        ]
      : []),
  ].join('\n\n');
}

function kernelCell(cell: Cell): string {
  switch (cell.kind) {
    case 'baseline':
      return cell.goal;
    case 'absent':
      return text(cell.text);
    case 'verdict':
      return `${verdictText(cell.verdict)}, ${cell.goal}${cell.without.map((name) => `<br>without ${text(name)}`).join('')}`;
  }
}

/** What a report on this kernel alone would say, in a fold: the table above has the verdicts. */
function onKernel(results: Results, kernel: KernelResult): string {
  const part = resultsOn(results, kernel);
  const notRun = notRunOn(results, kernel.name);
  return [
    `<details><summary>${text(kernelTitle(kernel))}</summary>`,
    text(kernel.summary),
    ...(notRun.length > 0
      ? ['Not on this kernel, and not run:', notRun.map((line) => `- ${code(line)}`).join('\n')]
      : []),
    ...(part.variants.length > 0 ? [variantTable(part), whatToChange(part), why(part)] : []),
    '</details>',
  ].join('\n\n');
}

function notices(results: Results): string | null {
  const partial = partialNotice(results);
  const lines = [...(partial ? [`**${text(partial)}**`] : []), ...warnings(results).map(text)];
  return lines.length === 0 ? null : lines.map((line) => `> ${line}`).join('\n>\n');
}

function variantTable(results: Results): string {
  const { goal } = results.experiment;
  const before = results.variants.flatMap(({ verdict }) => verdict?.goal.baseline ?? [])[0] ?? null;
  const head = [
    'Variant',
    'What changed',
    text(metricLabel(goal)),
    'Difference (95 % CI)',
    'Guardrails',
    'Verdict',
    'Pairs',
  ];
  const rows = results.variants.map((variant) => {
    if (!variant.verdict) {
      const runs = plural(comparedRuns(variant).length, 'run');
      const description = text(variant.description ?? 'the baseline');
      return [text(variant.name), description, formatValue(unitOf(goal), before), NONE, NONE, NONE, runs];
    }
    const { verdict, goal: comparison, guardrails } = variant.verdict;
    return [
      `**${text(variant.name)}**`,
      variant.changes.map(code).join('<br>') || 'nothing',
      formatChange(comparison.unit, comparison.baseline, comparison.variant),
      difference(comparison),
      guardrails.map(guardrail).join('<br>') || NONE,
      verdictText(verdict),
      String(comparison.pairs),
    ];
  });
  return table(head, rows, ['---', '---', '--:', '--:', '---', '---', '--:']);
}

function difference({ unit, kind, difference, ci }: Comparison): string {
  if (difference === null) return NONE;
  const interval = formatInterval(unit, ci);
  return `${formatDifference(unit, difference)} (${interval ?? (kind === 'exact' ? 'exact' : 'no interval')})`;
}

function guardrail({ metric, unit, difference, verdict }: Comparison): string {
  return `${VERDICT_SYMBOLS[verdict]} ${text(metricLabel(metric))} ${formatDifference(unit, difference)}`;
}

function whatToChange(results: Results): string {
  const baseline = results.variants.find((variant) => variant.baseline);
  const better = betterVariants(results);
  if (better.length === 0)
    return '### What to change\n\nNo variant was judged better than the baseline, so this report recommends no change.';
  return [
    '### What to change',
    'Each was tried alone; the values are those of the lab.',
    ...better.map((variant) => changeOf(variant, sysctlLines(baseline, variant))),
  ].join('\n\n');
}

function changeOf(variant: Variant, lines: readonly string[]): string {
  const others = otherChanges(variant).map((change) => `- ${code(change)}`);
  return [
    `**${text(variant.name)}**`,
    ...(lines.length > 0 ? [fenced('ini', lines.join('\n'))] : []),
    ...(others.length > 0 ? [others.join('\n')] : []),
  ].join('\n\n');
}

function why(results: Results): string {
  const items = results.variants.flatMap(({ name, verdict }) =>
    verdict ? [`- **${text(name)}** (${verdictText(verdict.verdict)}): ${text(verdict.sentence)}`] : [],
  );
  return ['### Why', items.join('\n')].join('\n\n');
}

function neighbours(results: Results): string | null {
  const rows = neighbourRows(results);
  if (rows.length === 0) return null;
  const body = rows.map(({ neighbour, arm, failed, how, p90, verdict }) => [
    text(neighbour),
    text(arm),
    formatValue('share', failed),
    how.map(([what, count]) => `${formatNumber(count)} ${code(what)}`).join('<br>') || NONE,
    formatValue('microseconds', p90),
    verdict === null ? NONE : verdictText(verdict),
  ]);
  const head = ['Neighbour', 'Arm', 'Failed', 'How', 'Latency p90', 'Its failures'];
  return [
    '### Neighbours',
    neighboursInWords(results)
      .map((words) => `- ${text(words)}`)
      .join('\n'),
    table(head, body, ['---', '---', '--:', '---', '--:', '---']),
  ].join('\n\n');
}

function proxy(results: Results): string | null {
  const rows = proxyRows(results);
  if (rows.length === 0) return null;
  const counts = (counted: readonly Counted[]) =>
    counted.map(([what, count]) => `${formatNumber(count)} ${code(what)}`).join('<br>') || 'none';
  const head = ['Arm', 'Proxy', 'Failing answers', 'Failures in its log', 'Ports in use', 'TIME_WAIT at the end'];
  const number = (value: number | null) => (value === null ? NONE : formatNumber(value));
  const body = rows.map((row) => [
    text(row.name),
    text(row.program),
    counts(row.answers),
    counts(row.logged),
    number(row.ports),
    number(row.timeWait),
  ]);
  return `### What the proxy suffered\n\n${table(head, body, ['---', '---', '---', '---', '--:', '--:'])}`;
}

function views(results: Results): string | null {
  const rows = viewRows(results);
  if (rows.length === 0) return null;
  const counts = (counted: readonly Counted[]) =>
    counted.map(([what, count]) => `${formatNumber(count)} ${code(what)}`).join('<br>') || 'none';
  const body = rows.map(({ name, client, log, kernel, by, ports, sentences }) => [
    text(name),
    counts(client),
    counts(log),
    kernel === null ? 'not observed' : `${counts(kernel)} (${by})`,
    ports
      ? `${formatNumber(ports.inUse)} of ${formatNumber(ports.each)} × ${formatNumber(ports.addresses)} = ${formatNumber(ports.room)}, ${formatNumber(ports.timeWait)} in TIME_WAIT`
      : NONE,
    text(sentences.join(' ')),
  ]);
  const head = ['Arm', 'The client', "The proxy's log", 'The kernel', 'Ports at that moment', 'What it comes to'];
  return `### One failure, four sides\n\nOne more run of each arm, in which the system calls of the proxy were counted; compared with nothing.\n\n${table(
    head,
    body,
    head.map(() => '---'),
  )}`;
}

function exits(results: Results): string | null {
  const rows = exitRows(results);
  if (rows.length === 0) return null;
  const counts = (counted: readonly Counted[]) =>
    counted.map(([what, count]) => `${formatNumber(count)} ${code(what)}`).join('<br>') || 'none';
  const head = ['Arm', 'Tor', 'Refused calls', 'Lines in its log', 'Clients were told', 'Streams ended', 'Bootstrap'];
  const body = rows.map((row) => [
    text(row.name),
    text(row.version ?? NONE),
    row.calls === null ? 'not observed' : counts(row.calls),
    formatNumber(row.logged),
    counts(row.replies),
    counts(row.ends),
    bootstrapText(row),
  ]);
  return [
    '### The view of the exits',
    table(head, body, ['---', '---', '---', '--:', '---', '---', '---']),
    ...answers(results).flatMap(({ question, sentences }, i) => [
      `**${i + 1}. ${text(question)}**`,
      sentences.map((sentence) => `- ${text(sentence)}`).join('\n'),
    ]),
  ].join('\n\n');
}

function walls(results: Results): string | null {
  const rows = wallRows(results);
  if (rows.length === 0) return null;
  const number = (value: number | null, none: string) => (value === null ? none : formatNumber(value));
  const body = rows.map(({ name, slow, hard }) => [
    text(name),
    number(slow.measured, 'not reached'),
    number(slow.expected, NONE),
    `${formatValue('microseconds', slow.before)} → ${formatValue('microseconds', slow.behind)}`,
    number(hard.measured, 'not reached'),
    number(hard.expected, NONE),
  ]);
  const head = ['Arm', 'Slow from (ports in use)', 'Expected', 'Response time', 'First failure at', 'Expected'];
  return `### Two walls\n\n${table(head, body, ['---', '--:', '--:', '--:', '--:', '--:'])}`;
}

function thresholds(results: Results): string | null {
  if (results.thresholds.length === 0) return null;
  const rows = results.thresholds.map(({ variant, kernel, metric, limit, value, passed }) => [
    text(armId({ variant, kernel })),
    code(metric),
    text(limit),
    formatValue(unitOf(metric), value),
    passed ? '✓ passed' : '✗ failed',
  ]);
  const head = ['Variant', 'Metric', 'Limit', 'Median', 'Result'];
  return `### Thresholds\n\n${table(head, rows, ['---', '---', '---', '--:', '---'])}`;
}

function environment({ environment: e, experiment, kernels }: Results): string {
  const linux = kernels ? kernels.map((kernel) => `- ${text(kernelTitle(kernel))}`) : [];
  return [
    '### Environment',
    [
      ...linux,
      `- ${kernels ? '' : `Linux ${text(e.kernel)}, `}${text(e.machine)}; ${text(e.cpu)}, ${plural(e.cpus, 'CPU')}, ${formatValue('bytes', e.memory)}`,
      `- Lab: ${text(e.lab)}, ${e.root ? 'as root' : 'without root'}`,
      `- bindstorm ${text(e.tool)}, Node.js ${text(e.node)}, libuv ${text(e.libuv)}`,
      `- ${formatInstant(experiment.startedAt)} to ${formatInstant(experiment.finishedAt)}, ${experiment.runsDone} of ${plural(experiment.runsPlanned, 'run')}, seed ${experiment.seed}`,
    ].join('\n'),
  ].join('\n\n');
}

function reproduce({ experiment }: Results): string {
  return [
    '### Reproduce',
    fenced('sh', experiment.command),
    `<details><summary>Profile</summary>\n\n${fenced('yaml', experiment.profile.trimEnd())}\n\n</details>`,
  ].join('\n\n');
}
