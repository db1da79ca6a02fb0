/**
 * The short form for a job summary (GitHub's $GITHUB_STEP_SUMMARY, and whatever else shows Markdown): the sentence, the table, and
 * what failed. Pure.
 */
import { armId } from '../plan/kernels.js';
import type { Results } from '../results/schema.js';
import { APPLY_FOLDER, type Apply } from './apply.js';
import { formatChange, formatDifference, formatValue, metricLabel, unitOf, verdictText } from './format.js';
import { code, table, text } from './gfm.js';
import { partialNotice } from './rows/notices.js';

export function renderSummary(results: Results, apply: Apply): string {
  const { experiment } = results;
  const partial = partialNotice(results);
  const failed = results.thresholds.filter(({ passed }) => !passed);
  return [
    `### bindstorm: ${text(experiment.name)}`,
    `**${text(results.summary)}**`,
    partial === null ? null : `> ${text(partial)}`,
    variantTable(results),
    failed.length === 0
      ? null
      : failed
          .map(
            ({ metric, limit, value, ...threshold }) =>
              `- ✗ threshold failed: ${text(armId(threshold))}, ${code(metric)} ${value === null ? 'was not measured' : `is ${formatValue(unitOf(metric), value)}`}; the limit is ${text(limit)}`,
          )
          .join('\n'),
    applySentence(apply),
  ]
    .filter((block) => block !== null)
    .join('\n\n')
    .concat('\n');
}

/** Where the drop-in lies, or why there is none. */
export function applySentence(apply: Apply): string {
  return apply.kind === 'files'
    ? `To apply ${text(apply.variant)}: ${code(`${APPLY_FOLDER}/${apply.name}`)}, a drop-in for sysctl.d, with the way back beside it.`
    : `No drop-in for sysctl.d: ${text(apply.reason)}.`;
}

function variantTable({ experiment, variants }: Results): string {
  const rows = variants.flatMap(({ verdict, ...arm }) => {
    if (!verdict) return [];
    const name = armId(arm);
    const { unit, baseline, variant, difference } = verdict.goal;
    return [
      [
        `**${text(name)}**`,
        formatChange(unit, baseline, variant),
        formatDifference(unit, difference),
        verdictText(verdict.verdict),
      ],
    ];
  });
  if (rows.length === 0) return 'No variant was compared: the baseline ran alone.';
  return table(['Variant', text(metricLabel(experiment.goal)), 'Difference', 'Verdict'], rows, [
    '---',
    '--:',
    '--:',
    '---',
  ]);
}
