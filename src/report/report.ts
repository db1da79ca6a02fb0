/** A report on an experiment as a document, for all formats. What each of them leaves out is marked where it is said. Pure. */

import { sustainedText } from '../analysis/sustained.js';
import { armId } from '../plan/kernels.js';
import type { Results } from '../results/schema.js';
import { type Apply, applyOf } from './apply.js';
import {
  type Block,
  type Document,
  type Format,
  lines,
  list,
  name,
  PAGE,
  tableOf,
  text,
  verdict,
  WRITTEN,
} from './document.js';
import { formatCompared, formatDifference, formatInstant, metricLabel, NONE, plural } from './format.js';
import { type PictureKind, pictureBlocks } from './pictures.js';
import { bootNotice, guestNotice } from './rows/guests.js';
import { releases, resultsOn, sideBySide } from './rows/kernels.js';
import { partialNotice, warnings } from './rows/notices.js';
import { betterVariants } from './rows/sysctls.js';
import { bootstrapNotice } from './rows/tor-exits.js';
import { aftermathSection } from './sections/aftermath.js';
import { applySentence, changeSection, scaleNote } from './sections/change.js';
import { latencySection, outcomesSection } from './sections/charts.js';
import { effectSection } from './sections/effect.js';
import { countersSection, predictionSection, sysctlSection } from './sections/evidence.js';
import { kernelNotes, kernelSection, kernelsTable, sideBySideSection } from './sections/kernels.js';
import { machinesSection } from './sections/machines.js';
import { environmentSection, methodSection, reproduceSection } from './sections/method.js';
import { natSection } from './sections/nat.js';
import { heatSection, portsSection } from './sections/ports.js';
import { programSection } from './sections/program.js';
import {
  exitsSection,
  limitsSection,
  neighboursSection,
  proxySection,
  scenariosSection,
  viewsSection,
} from './sections/proxy.js';
import {
  failedThresholds,
  thresholdsSection,
  variantsSection,
  variantsTable,
  whySection,
} from './sections/verdicts.js';

/** The report. @param pictures which files are beside a ticket */
export function reportOf(results: Results, pictures: PictureKind = 'svg'): Document {
  const { experiment, environment } = results;
  return {
    kicker: 'bindstorm',
    title: experiment.name,
    meta: { title: `${experiment.name}: bindstorm report`, generator: `bindstorm ${environment.tool}` },
    blocks: [
      ...about(results),
      ...notice(results, WRITTEN),
      ...findings(results, pictures).filter((block) => block !== null),
      ...guests(results),
      ...notice(results, ['terminal']),
    ],
  };
}

function about({ experiment, kernels, environment, summary }: Results): Block[] {
  const { description, runsDone, startedAt } = experiment;
  const where = `${plural(runsDone, 'run')} on ${releases({ kernels, environment })}, ${formatInstant(startedAt)}`;
  return [
    ...(description === null ? [] : [{ kind: 'text', style: 'lead', content: description, only: WRITTEN } as const]),
    { kind: 'text', style: 'aside', only: PAGE, content: where },
    { kind: 'text', style: 'answer', content: summary },
  ];
}

/** What a reader must know beside the numbers; a terminal has no table of thresholds. */
function notice(results: Results, only: readonly Format[]): Block[] {
  const strong = partialNotice(results);
  const items = [...(only === WRITTEN ? [] : failedThresholds(results)), ...warnings(results)];
  return strong === null && items.length === 0 ? [] : [{ kind: 'notice', strong, items, only }];
}

/** What a page says in its method. */
function guests(results: Results): Block[] {
  const said = [guestNotice(results), bootNotice(results), bootstrapNotice(results)].filter((text) => text !== null);
  return said.length === 0 ? [] : [{ kind: 'text', style: 'aside', content: lines(said), only: ['terminal'] }];
}

function findings(results: Results, pictures: PictureKind): (Block | null)[] {
  const across = sideBySide(results);
  const apply = applyOf(results);
  if (across === null)
    return [
      { ...variantsTable(results), only: ['terminal'] },
      terminalOnly(scaleNote(results)),
      ...details(results, apply, pictureBlocks(results, pictures)),
      environmentSection(results),
      methodSection(results),
      reproduceSection(results),
    ];
  return [
    { ...kernelsTable(across), only: ['terminal'] },
    ...kernelNotes(across).map((block): Block => ({ ...block, only: ['terminal'] })),
    sideBySideSection(results, across),
    ...pictureBlocks(results, pictures),
    thresholdsSection(results),
    ...(betterVariants(results).length === 0 ? [] : [{ ...text(applySentence(apply, results)), only: WRITTEN }]),
    ...across.kernels.map((kernel) => {
      const part = resultsOn(results, kernel);
      // Where nothing could run there is nothing to show.
      const shown = part.variants.length > 0 ? details(part, null, []) : [];
      return kernelSection(results, kernel, [...shown, { ...environmentSection(part), only: PAGE }]);
    }),
    { ...environmentSection(results), only: ['ticket'] },
    methodSection(results),
    reproduceSection(results),
  ];
}

function terminalOnly(block: Block | null): Block | null {
  return block === null ? null : { ...block, only: ['terminal'] };
}

/** The sections about one baseline and its variants. */
function details(results: Results, apply: Apply | null, pictures: readonly Block[]): (Block | null)[] {
  return [
    changeSection(results, apply),
    variantsSection(results),
    ...pictures,
    effectSection(results),
    thresholdsSection(results),
    machinesSection(results),
    whySection(results),
    scenariosSection(results),
    neighboursSection(results),
    programSection(results),
    proxySection(results),
    natSection(results),
    viewsSection(results),
    exitsSection(results),
    limitsSection(results),
    aftermathSection(results),
    outcomesSection(results),
    portsSection(results),
    heatSection(results),
    latencySection(results),
    predictionSection(results),
    sysctlSection(results),
    countersSection(results),
  ];
}

/** The short form for a job summary (GitHub's $GITHUB_STEP_SUMMARY, and whatever else shows Markdown): the sentence, the table, and what failed. */
export function summaryOf(results: Results, apply: Apply): Document {
  const { experiment, variants } = results;
  const partial = partialNotice(results);
  const judged = variants.flatMap(({ verdict: judgement, ...arm }) =>
    judgement ? [{ arm: armId(arm), real: arm.real, ...judgement }] : [],
  );
  const table = tableOf<(typeof judged)[number]>(
    'Variants against the baseline',
    [
      { title: 'Variant', cell: ({ arm }) => name(arm) },
      {
        title: metricLabel(experiment.goal),
        numeric: true,
        cell: ({ goal }) => formatCompared(goal),
      },
      { title: 'Difference', numeric: true, cell: ({ goal }) => formatDifference(goal.unit, goal.difference) },
      ...(judged.some(({ real }) => real)
        ? [
            {
              title: 'Sustained',
              numeric: true,
              cell: ({ real }: (typeof judged)[number]) => (real ? sustainedText(real) : NONE),
            },
          ]
        : []),
      { title: 'Verdict', cell: (row) => verdict(row.verdict) },
    ],
    judged,
  );
  return {
    kicker: 'bindstorm',
    title: experiment.name,
    meta: { title: experiment.name, generator: null },
    blocks: [
      { kind: 'text', style: 'answer', content: results.summary },
      ...(partial === null ? [] : [{ kind: 'notice', strong: null, items: [partial] } as const]),
      judged.length === 0 ? text('No variant was compared: the baseline ran alone.') : table,
      ...list(failedThresholds(results).map((failed) => ['✗ ', failed])),
      text(applySentence(apply, results)),
    ],
  };
}
