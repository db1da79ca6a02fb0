/** Where it ran, how it was measured, what that cannot show, and how to repeat it. */
import { listed } from '../../analysis/format.js';
import { LABS } from '../../domain/lab.js';
import { normaliseSysctl } from '../../domain/sysctl-syntax.js';
import { isPaced } from '../../load/pacer.js';
import { armId } from '../../plan/kernels.js';
import type { Results } from '../../results/schema.js';
import { code, type Inline, list, PAGE, type Section, section, tableOf, text, WRITTEN } from '../document.js';
import { formatDuration, formatInstant, formatNumber, formatValue, NONE, plural } from '../format.js';
import { bootNotice } from '../rows/guests.js';
import { kernelTitle } from '../rows/kernels.js';
import { allRuns, discardedRuns } from '../rows/notices.js';

/** The machine, and the kernel or kernels on it. */
export function environmentSection(results: Results): Section {
  const { environment: e, experiment, kernels } = results;
  const entries: [string, Inline][] = [
    ...(kernels?.map((kernel): [string, Inline] => ['Kernel', kernelTitle(kernel)]) ?? [
      ['Kernel', `Linux ${e.kernel}, ${e.machine}`],
    ]),
    ['Machine', `${e.cpu}, ${plural(e.cpus, 'CPU')}, ${formatValue('bytes', e.memory)} of memory`],
    ['Lab', `${e.lab}, ${e.root ? 'as root' : 'without root'}`],
    ['Open files per process', `at most ${formatNumber(e.descriptors)}`],
    ['Software', `bindstorm ${e.tool}, Node.js ${e.node}, libuv ${e.libuv}`],
    [
      'Time',
      `${formatInstant(experiment.startedAt)} to ${formatInstant(experiment.finishedAt)}, ${experiment.runsDone} of ${plural(experiment.runsPlanned, 'run')}, seed ${experiment.seed}`,
    ],
    ['Profile', [code(experiment.name), ', SHA-256 ', code(experiment.profileHash)]],
  ];
  const defaults = Object.entries(e.defaults);
  return section('environment', 'Environment', 'Environment', WRITTEN, [
    { kind: 'terms', entries },
    defaults.length === 0
      ? null
      : {
          kind: 'fold',
          only: PAGE,
          summary: `${plural(defaults.length, 'sysctl')} of a fresh lab`,
          blocks: [
            {
              kind: 'code',
              language: 'ini',
              text: defaults.map(([name, value]) => `${name} = ${normaliseSysctl(value)}`).join('\n'),
            },
          ],
        },
  ]);
}

/** What keeps one run from the next, by what the lab is. */
function isolation(lab: Results['experiment']['lab']): string {
  const { ownNamespace, machine } = LABS[lab];
  if (!ownNamespace)
    return 'They ran on the machine itself: other programs that used its ports, and sockets left by earlier runs, may show.';
  const fresh = 'so no TIME_WAIT socket of one run reaches the next';
  const times = 'times are not those of this kernel on hardware';
  switch (machine) {
    case 'this':
      return `Each ran in a fresh network namespace, ${fresh}.`;
    case 'guest':
      return `Each ran in a fresh network namespace of a guest, or in a guest of its own, ${fresh}. What a kernel answers, and how often, is exact in a guest; ${times}, and are compared only with times of the same engine.`;
    case 'box':
      return `All ran in one box, each in a fresh network namespace there, ${fresh}; sysctls that are the whole box’s were restored after each. What a kernel answers, and how often, is exact in a box; ${times}.`;
  }
}

/** `9 pairs`, `9 pairs (7 at first)`. */
function plannedPairs({ repeat, extendedFrom }: Results['experiment']): string {
  return `${plural(repeat, 'pair')}${extendedFrom ? ` (${extendedFrom.join(', then ')} at first)` : ''}`;
}

/** When it was looked at, and at which look each arm was stopped; null: once, at the end. */
function looksInWords({ experiment: { looks, repeat }, variants }: Results): string | null {
  if (looks === undefined) return null;
  const stops = variants.flatMap(({ name, kernel, verdict }) =>
    verdict?.look === undefined ? [] : [{ id: armId({ name, kernel }), ...verdict.look }],
  );
  const groups = [...new Set(stops.map(({ pairs }) => pairs))].sort((a, b) => a - b);
  const told = groups.map((pairs) => {
    const at = stops.filter((stop) => stop.pairs === pairs);
    return `${listed(at.map(({ id }) => id))} ${at.every(({ early }) => early) ? 'stopped' : 'ended'} at ${plural(pairs, 'pair')}`;
  });
  return `It was looked at after ${listed(looks.map(String))} pairs, and no more runs were made of an arm once everything asked of it was settled; the maximum is ${repeat}. All looks together have an error rate of 5 %. ${told.join('; ')}.`;
}

/** How noisy metrics were compared. */
function noisyInWords({ experiment }: Results): string {
  const words =
    '“No difference” means that the interval lies within the margin; “not enough evidence” means that the pairs cannot tell.';
  return experiment.looks
    ? `Noisy: the difference is the mean over pairs; p is of Student’s t, with a spread that is moderated by that of the other arms, multiplied by what the look may spend and corrected by Holm for the number of comparisons; the interval holds at all looks together. ${words}`
    : `Noisy: the difference is the Hodges-Lehmann estimate over pairs with a 95 % bootstrap interval; p comes from the exact sign-flip test, corrected by Holm for the number of comparisons. At least 6 pairs are needed for p below 0.05. ${words}`;
}

/** How it was measured, and the runs that were left out of it. */
export function methodSection(results: Results): Section {
  const { experiment } = results;
  const runs = allRuns(results);
  const warmups = runs.filter((run) => run.warmup).length;
  const discarded = results.variants.flatMap(discardedRuns).sort((a, b) => a.run.order - b.run.order);
  const comparisons = results.variants.flatMap(({ verdict }) => (verdict ? [verdict.goal, ...verdict.guardrails] : []));
  const kinds = new Set(comparisons.map((comparison) => comparison.kind));
  const openLoop = results.variants.every(({ load }) => isPaced(load.arrival));
  const load = runs.reduce((sum, run) => sum + run.durationMs.load, 0);
  const items = [
    `The run is the unit: ${plural(runs.length, 'run')}, ${formatDuration(load)} of load in all. ${isolation(experiment.lab)} Connections within a run depend on each other, so they are never counted as independent samples.`,
    `Runs come in blocks. Each block runs every arm once, in an order drawn from seed ${experiment.seed}, and a variant is compared with the baseline of the same block: ${plannedPairs(experiment)} were planned for each variant. Drift of the machine from block to block cancels out within the pairs.`,
    looksInWords(results),
    experiment.atOnce === undefined
      ? null
      : `${plural(experiment.atOnce, 'run')} were under way at once: only counts are compared, and the kernel’s rules alone decide them, however fast a run is. Its times, rates and CPU seconds are those of runs that shared the CPUs.`,
    experiment.chosen === undefined ? null : `What the profile leaves open: ${experiment.chosen.join('; ')}.`,
    results.kernels === undefined
      ? null
      : 'Each block runs every arm on every kernel, and each kernel has a baseline of its own: a pair, and so a verdict, is of one kernel under one engine, and Holm’s correction is for the variants on one kernel. What a kernel answers, and how often, may be compared across kernels and engines. Times and rates of different engines are never compared: each engine runs a kernel at its own speed.',
    bootNotice(results),
    warmups > 0
      ? `${plural(warmups, 'warm-up run')} came first (${plural(experiment.warmup, 'block')}) and are in no number or chart here.`
      : 'There was no warm-up.',
    kinds.has('exact')
      ? 'Exact: the load is deterministic, and every run of an arm gave the same value. Such values are compared as they are; there is no interval because nothing varied.'
      : null,
    kinds.has('noisy') ? noisyInWords(results) : null,
    openLoop
      ? 'Open loop: attempts start at scheduled instants, whatever the answers, and times count from those instants.'
      : null,
    'A run whose generator fell behind its schedule by more than its budget is generator-limited: it says something about this machine, not about the variant. Its times are not compared; counts that the kernel’s rules alone decide do not depend on the pace, and are.',
    'A lab on one machine shows which change ends which failure and why. Times and rates are those of this machine and its virtual network; do not expect them elsewhere.',
  ];
  return section('method', 'Method', 'Method and its limits', PAGE, [
    ...list(items.filter((item) => item !== null)),
    discarded.length > 0
      ? tableOf<(typeof discarded)[number]>(
          'Runs that were not compared, or not in full',
          [
            { title: 'Run', cell: ({ run }) => code(run.id) },
            { title: 'Status', cell: ({ run: { status } }) => (status === 'ok' ? 'finished' : status) },
            {
              title: 'Why',
              wraps: 'sentences',
              cell: ({ run, why }) => [why, run.stderr ? { kind: 'output', text: run.stderr } : ''],
            },
          ],
          discarded,
        )
      : text(`Every completed run is compared${warmups > 0 ? ', warm-up aside' : ''}.`),
  ]);
}

/** The command, and the profile as it was written. */
export function reproduceSection({ experiment: { command, profile } }: Results): Section {
  return section('reproduce', 'Reproduce', 'How to reproduce', WRITTEN, [
    text('With the profile below in a file:'),
    { kind: 'code', language: 'sh', text: command || NONE },
    {
      kind: 'fold',
      summary: 'The profile as it was written',
      blocks: [{ kind: 'code', language: 'yaml', text: profile.trimEnd() }],
    },
  ]);
}
