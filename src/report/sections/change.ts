/** What a report says is to be changed on a machine: of each variant that was judged better, and where the files to do so are. */
import { adviceOf, type SysctlAdvice, scaleOf, whyNotPasted } from '../../analysis/advice.js';
import { alreadyHeld, alreadyHeldSentence } from '../../analysis/already-held.js';
import { heldOpenText, notFirstText, slowText, sustainedText } from '../../analysis/sustained.js';
import { type StrategyName, strategyOf } from '../../domain/strategy.js';
import { isDestinationChange } from '../../profile/changes.js';
import type { Results, Variant } from '../../results/schema.js';
import { APPLY_FOLDER, type Apply, dropInName } from '../apply.js';
import { type Block, code, type Inline, list, PAGE, type Section, section, text, WRITTEN } from '../document.js';
import { formatCompared, formatNumber, listed, metricLabel } from '../format.js';
import { betterVariants, otherChanges } from '../rows/sysctls.js';
import { guardrailCell } from './verdicts.js';

/** What to change, and where the files to do so are. */
export function changeSection(results: Results, apply: Apply | null): Section {
  const baseline = results.variants.find((variant) => variant.baseline);
  const better = betterVariants(results);
  const title = 'What to change';
  if (better.length === 0) {
    const none = 'No variant was judged better than the baseline, so this report recommends no change.';
    return section('change', title, title, WRITTEN, [text(none)]);
  }
  const none = alreadyHeldSentence(results.variants, results.experiment.requiredRate);
  if (none !== '') {
    const why = `${none} So this report recommends no change; what each variant did in the lab is in the table of variants.`;
    return section('change', title, title, WRITTEN, [
      text(why),
      apply === null ? null : text(applySentence(apply, results)),
    ]);
  }
  const scale = scaleOf(results);
  return section('change', title, title, WRITTEN, [
    text(
      [
        `${better.length === 1 ? 'One variant was' : `${better.length} variants were`} judged better. Each was tried alone, so each block below stands for itself.`,
        ...(scale === null ? [] : [`Sysctls are at the scale of a machine: ${scale}.`]),
      ].join(' '),
    ),
    {
      kind: 'group',
      style: 'columns',
      blocks: better.map((variant) =>
        changeCard(baseline, variant, adviceOf(baseline, variant, results), {
          apply,
          required: results.experiment.requiredRate,
        }),
      ),
    },
    apply === null ? null : text(applySentence(apply, results)),
  ]);
}

/** For a terminal, which has no room for what to change: that the values of its table are not to be pasted. Null: they are of a real size. */
export function scaleNote(results: Results): Block | null {
  const { variants, experiment } = results;
  const none = betterVariants(results).length === 0 || alreadyHeld(variants, experiment.requiredRate) !== null;
  const scale = none ? null : scaleOf(results);
  return scale === null
    ? null
    : {
        kind: 'text',
        style: 'aside',
        content: `The values are the lab’s, not to be pasted: ${scale}. The report says what to change at that scale.`,
      };
}

/** @param options.apply the files of one of the variants; null: of none @param options.required the rate that somebody needs */
function changeCard(
  baseline: Variant | undefined,
  variant: Variant,
  advice: readonly SysctlAdvice[],
  { apply, required }: { readonly apply: Apply | null; readonly required: number | undefined },
): Block {
  const pasted = advice.flatMap((each) =>
    each.real.kind === 'value' && whyNotPasted(each) === null ? [{ ...each, ...each.real }] : [],
  );
  const { others, destinations } = programChanges(variant);
  const goal = variant.verdict?.goal;
  const doubtful = variant.verdict?.guardrails.filter((guardrail) => guardrail.verdict !== 'no difference') ?? [];
  const slow = slowText(variant, required);
  const aside = (content: Inline): Block => ({ kind: 'text', style: 'aside', content });
  const blocks: Block[] = [
    ...(slow === null ? [] : [text(`Beware: ${slow}.`)]),
    ...(goal
      ? [
          {
            ...aside(`${metricLabel(goal.metric)} ${formatCompared(goal)}`),
            only: PAGE,
          },
        ]
      : []),
    ...(pasted.length > 0
      ? [
          ...notAlone(baseline, variant, pasted).map(text),
          text(fileOf(variant, apply)),
          {
            kind: 'code',
            language: 'ini',
            text: pasted.map(({ name, value }) => `${name} = ${value}`).join('\n'),
          } as const,
        ]
      : []),
    ...pasted.flatMap(({ note, measured }) => (note === null ? [] : [aside([`Measured with ${measured}: ${note}.`])])),
    ...pasted.flatMap(({ sideEffect }) => (sideEffect === null ? [] : [aside([`Beware: ${sideEffect.text}.`])])),
    ...advice.flatMap((each) => {
      const why = whyNotPasted(each);
      return why === null
        ? []
        : [text(['Not to be pasted: ', code(`${each.name} = ${each.measured}`), ', as measured, ', why, '.'])];
    }),
    ...(others.length > 0
      ? [
          text(
            advice.length > 0 ? 'together with, as measured in the lab,' : 'No sysctl; change, as measured in the lab,',
          ),
          ...list(others.map(code)),
        ]
      : []),
    ...destinations.map((change) =>
      aside([
        'Measured with ',
        code(change),
        ': the load’s, and nothing that can be set. Each destination (address and port) has all the ports again, so with fewer the gain is less, and with one there may be none.',
      ]),
    ),
    ...sustainedStep(baseline, variant).map(aside),
    ...addressFactor(baseline, variant).map(aside),
    ...(variant.load.strategy === baseline?.load.strategy ? [] : [aside(strategyHint(variant.load.strategy))]),
    ...(doubtful.length > 0
      ? [aside(['Also look at ', ...doubtful.flatMap((each, i) => [i > 0 ? ', ' : '', guardrailCell(each)]), '.'])]
      : []),
  ];
  return { kind: 'card', style: 'box', title: variant.name, blocks };
}

/** Where a variant's sysctls belong: into one file, by whichever way they come there, or what is removed is still set by another. */
function fileOf({ name }: Variant, apply: Apply | null): Inline {
  const file = dropInName(name);
  const place = `/etc/sysctl.d/${file}`;
  return apply?.kind === 'files' && apply.variant === name
    ? [code(`${APPLY_FOLDER}/${file}`), ', with its way back beside it, to be copied to ', code('/etc/sysctl.d/'), ':']
    : ['As ', code(place), ', whose name comes last, with'];
}

/** Where a variant's sysctls do nothing without what the program has to do. */
function notAlone(
  baseline: Variant | undefined,
  variant: Variant,
  sysctls: readonly Pick<SysctlAdvice, 'name'>[],
): string[] {
  if (programChanges(variant).others.length === 0) return [];
  const reuse = sysctls.find(({ name }) => name.startsWith('net.ipv4.tcp_tw_reuse'));
  const early = baseline !== undefined && strategyOf(baseline.load.strategy).port === 'bind';
  const late = strategyOf(variant.load.strategy).port === 'connect';
  return [
    reuse && early && late
      ? `Not alone: for a program that binds early (${baseline.load.strategy}) ${reuse.name.split('.').at(-1)} does nothing, since it acts only for ports that connect() chooses. It takes the change of the program below.`
      : 'Not alone: what was measured is this together with the change below.',
  ];
}

/** What a variant changes besides sysctls: what somebody can change, and where its load goes, which nobody can. */
function programChanges(variant: Variant): {
  readonly others: readonly string[];
  readonly destinations: readonly string[];
} {
  const changes = otherChanges(variant);
  return {
    others: changes.filter((change) => !isDestinationChange(change)),
    destinations: changes.filter(isDestinationChange),
  };
}

/** From what lasts without the change to what lasts with it. */
function sustainedStep(baseline: Variant | undefined, variant: Variant): string[] {
  const { real } = variant;
  if (!real || !baseline?.real) return [];
  return [
    `Sustained by the model, with the ports of a machine${heldOpenText([baseline, variant], ' and ')}: ${sustainedText(baseline.real)} → ${sustainedText(real)}.`,
  ];
}

/** The number of addresses is the lab's too; what carries over is how many times as many they are. */
function addressFactor(baseline: Variant | undefined, { addresses }: Variant): string[] {
  const before = baseline?.addresses.count ?? 0;
  return before === 0 || before === addresses.count
    ? []
    : [`${formatNumber(addresses.count / before)} times as many addresses as the baseline has.`];
}

/** What the program has to do for a strategy, and which programs do. */
function strategyHint(strategy: StrategyName): string {
  const { options, usedBy } = strategyOf(strategy);
  return `${strategy}${options.length > 0 ? ` sets ${listed(options)} before bind()` : ''}; used by: ${usedBy}.`;
}

/** Why the drop-in is not the change to ask for first, without a full stop; null: nothing is known against it, or there is none. */
export function notFirst(apply: Apply, results: Results): string | null {
  const change = apply.kind === 'files' ? results.variants.find(({ name }) => name === apply.variant) : undefined;
  return notFirstText(change, betterVariants(results), results.experiment.requiredRate);
}

/** Where the drop-in is, or why there is none; and whether it is the change to ask for first. */
export function applySentence(apply: Apply, results: Results): Inline {
  const why = notFirst(apply, results);
  return apply.kind === 'files'
    ? [
        `To apply ${apply.variant}: `,
        code(`${APPLY_FOLDER}/${apply.name}`),
        ', a drop-in for sysctl.d, with its rollback beside it.',
        ...(why === null ? [] : [` It is not the change to ask for first: ${why}.`]),
        ...(apply.passedOver.length === 0
          ? []
          : [` Others did more, and have no drop-in: ${apply.passedOver.join('; ')}.`]),
      ]
    : `No drop-in for sysctl.d: ${apply.reason}.`;
}
