/**
 * The winning variant as files to apply: a drop-in for sysctl.d(5) that says what was measured, and the way back. Pure.
 */
import { recommend, type SysctlChange } from '../analysis/recommendation.js';
import { sideEffectOf } from '../capacity/side-effects.js';
import type { Comparison, Results, Variant } from '../results/schema.js';
import {
  formatChange,
  formatDifference,
  formatInstant,
  formatInterval,
  formatP,
  metricLabel,
  plural,
} from './format.js';
import { variantWarnings } from './rows/notices.js';

/** The folder beside the reports. */
export const APPLY_FOLDER = 'apply';

export type Apply =
  | {
      readonly kind: 'files';
      readonly variant: string;
      /** The drop-in's name; that of the way back ends in `.rollback`, so that no sysctl.d reads it by mistake. */
      readonly name: string;
      readonly dropIn: string;
      readonly rollback: string;
    }
  | { readonly kind: 'none'; readonly reason: string };

/** The drop-in for sysctl.d that the verdict supports with the file that reverts it, or the reason why there is none. */
export function applyOf(results: Results): Apply {
  const recommended = recommend(results);
  if (recommended.kind === 'none') return recommended;
  const { variant, changes } = recommended;
  const name = `90-bindstorm-${variant.name.replace(/[^A-Za-z0-9.-]+/g, '-')}.conf`;
  const dropIn = [
    ...comment([
      `bindstorm: ${variant.name}, the change that helped in the experiment ${results.experiment.name}`,
      '',
      ...measured(results, variant.verdict?.goal),
      ...(variant.verdict?.guardrails ?? []).map(
        (guardrail) => `Guardrail  ${metricLabel(guardrail.metric)}: ${guardrail.verdict}, ${numbers(guardrail)}`,
      ),
      ...where(results),
      ...beware(variant, changes),
      '',
      'A lab is not your machine: apply it to one, and look with `bindstorm watch` before and after.',
      `To apply    copy this file to /etc/sysctl.d/${name}, then: sysctl --system`,
      `To go back  delete it there, then: sysctl -p ${name}.rollback`,
    ]),
    ...changes.map(({ name, value }) => `${name} = ${value}`),
  ];
  const rollback = [
    ...comment([
      `bindstorm: the way back from ${name}`,
      '',
      'The values of the baseline that the change was measured against. Before you apply it, see whether they are yours:',
      `sysctl ${changes.map(({ name }) => name).join(' ')}`,
    ]),
    ...changes.map(({ name, before }) => backTo(name, before)),
  ];
  return {
    kind: 'files',
    variant: variant.name,
    name,
    dropIn: `${dropIn.join('\n')}\n`,
    rollback: `${rollback.join('\n')}\n`,
  };
}

/** sysctl.d(5) has no empty values. */
function backTo(name: string, before: string | null): string {
  if (before === null) return `# ${name} had no value that was recorded; write yours here`;
  return before === ''
    ? `# ${name} was empty; to empty it: echo > /proc/sys/${name.replaceAll('.', '/')}`
    : `${name} = ${before}`;
}

function measured({ experiment }: Results, goal: Comparison | undefined): string[] {
  return goal ? [`Measured   ${metricLabel(experiment.goal)}: ${numbers(goal)}`] : [];
}

/** `50.0 % → 0 %, −50.0 points (95 % CI −50.2 to −49.8, p = 0.031), 6 pairs of runs`. */
function numbers({ unit, kind, baseline, variant, difference, ci, pHolm, pairs }: Comparison): string {
  const interval = formatInterval(unit, ci);
  const certainty = [
    ...(kind === 'exact' ? ['the same in every run'] : []),
    ...(interval === null ? [] : [`95 % CI ${interval}`]),
    ...(pHolm === null ? [] : [formatP(pHolm)]),
  ];
  return `${formatChange(unit, baseline, variant)}, ${formatDifference(unit, difference)}${certainty.length > 0 ? ` (${certainty.join(', ')})` : ''}, ${plural(pairs, 'pair')} of runs`;
}

/** As many warnings of the runs as a reader takes in; the report has them all. */
const WARNINGS = 5;

/** What the report warns of at this variant, and what its sysctls cost that no lab shows. */
function beware(variant: Variant, changes: readonly SysctlChange[]): string[] {
  const known = changes.flatMap((change) => sideEffectOf(change)?.text ?? []);
  const warned = variantWarnings(variant);
  const more = warned.length - WARNINGS;
  const texts = [
    ...known,
    ...warned.slice(0, WARNINGS),
    ...(more > 0 ? [`${plural(more, 'more warning')} in the report`] : []),
  ];
  return texts.length === 0 ? [] : ['', ...texts.map((text) => `Beware     ${text}`)];
}

function where({ environment, experiment }: Results): string[] {
  const { kernel, machine, lab, tool } = environment;
  return [
    `Where      Linux ${kernel}, ${machine}; ${lab}; bindstorm ${tool}; ${formatInstant(experiment.startedAt)}`,
    `Repeat     ${experiment.command}`,
  ];
}

/** Each text on one line behind a `#`: none may become a line of its own, which would be a setting. */
function comment(texts: readonly string[]): string[] {
  return texts.map((text) => `# ${text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')}`.trimEnd());
}
