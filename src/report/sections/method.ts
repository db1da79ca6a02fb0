/** Where it ran, how it was measured, what that cannot show, and how to repeat it. */
import { normaliseSysctl } from '../../domain/sysctl-syntax.js';
import type { Results } from '../../results/schema.js';
import { formatDuration, formatInstant, formatNumber, formatValue, NONE, plural } from '../format.js';
import { type Content, html, type Markup } from '../markup.js';
import { bootNotice } from '../rows/guests.js';
import { allRuns, discardedRuns, whyDiscarded } from '../rows/notices.js';
import { bullets, section, table } from './parts.js';

export function environmentSection(results: Results): Markup {
  const { environment: e, experiment } = results;
  const entries: [string, Content][] = [
    ['Kernel', `Linux ${e.kernel}, ${e.machine}`],
    ['Machine', `${e.cpu}, ${plural(e.cpus, 'CPU')}, ${formatValue('bytes', e.memory)} of memory`],
    ['Lab', `${e.lab}, ${e.root ? 'as root' : 'without root'}`],
    ['Open files per process', `at most ${formatNumber(e.descriptors)}`],
    ['Software', `bindstorm ${e.tool}, Node.js ${e.node}, libuv ${e.libuv}`],
    ['Time', `${formatInstant(experiment.startedAt)} to ${formatInstant(experiment.finishedAt)}`],
    ['Profile', html`<code>${experiment.name}</code>, SHA-256 <code class="hash">${experiment.profileHash}</code>`],
  ];
  const defaults = Object.entries(e.defaults);
  return section(
    'environment',
    'Environment',
    html`<dl>${entries.map(([term, text]) => html`<dt>${term}</dt><dd>${text}</dd>\n`)}</dl>`,
    defaults.length > 0
      ? html`<details><summary>${plural(defaults.length, 'sysctl')} of a fresh lab</summary>
<pre>${defaults.map(([name, value]) => `${name} = ${normaliseSysctl(value)}`).join('\n')}</pre></details>`
      : null,
  );
}

const ISOLATION: Readonly<Record<Results['experiment']['lab'], string>> = {
  netns: 'Each ran in a fresh network namespace, so no TIME_WAIT socket of one run reaches the next.',
  vm: 'Each ran in a fresh guest, so no TIME_WAIT socket of one run reaches the next. What a kernel answers, and how often, is exact in a guest; times are not those of this kernel on hardware, and are compared only with times of the same engine.',
  vagrant:
    'All ran in one box, each in a fresh network namespace there, so no TIME_WAIT socket of one run reaches the next; sysctls that are the whole box’s were put back after each. What a kernel answers, and how often, is exact in a box; times are not those of this kernel on hardware.',
  host: 'They ran on the machine itself: what else used its ports, and what earlier runs left behind, may show.',
};

export function methodSection(results: Results): Markup {
  const { experiment } = results;
  const runs = allRuns(results);
  const warmups = runs.filter((run) => run.warmup).length;
  const discarded = discardedRuns(results);
  const comparisons = results.variants.flatMap(({ verdict }) => (verdict ? [verdict.goal, ...verdict.guardrails] : []));
  const kinds = new Set(comparisons.map((comparison) => comparison.kind));
  const openLoop = results.variants.every(({ load }) => load.arrival.shape !== 'fill' && load.arrival.shape !== 'hold');
  const load = runs.reduce((sum, run) => sum + run.durationMs.load, 0);
  return section(
    'method',
    'Method and its limits',
    bullets(
      [
        `The run is the unit: ${plural(runs.length, 'run')}, ${formatDuration(load)} of load in all. ${ISOLATION[experiment.lab]} Connections within a run depend on each other, so they are never counted as independent samples.`,
        `Runs come in blocks. Each block runs every arm once, in an order drawn from seed ${experiment.seed}, and a variant is compared with the baseline of the same block: ${plural(experiment.repeat, 'pair')} were planned for each variant. Drift of the machine from block to block cancels out within the pairs.`,
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
        kinds.has('noisy')
          ? 'Noisy: the difference is the Hodges-Lehmann estimate over pairs with a 95 % bootstrap interval; p comes from the exact sign-flip test, corrected by Holm for the number of comparisons. At least 6 pairs are needed for p below 0.05. “No difference” means that the interval lies within the margin; “not enough evidence” means that the pairs do not tell.'
          : null,
        openLoop
          ? 'Open loop: attempts start at scheduled instants, whatever the answers, and times count from those instants.'
          : null,
        'A run whose generator fell behind its schedule by more than its budget is generator-limited: it says something about this machine, not about the variant. Its times are not compared; counts that the kernel’s rules alone decide do not depend on the pace, and are.',
        'A lab on one machine shows which change ends which failure and why. Times and rates are those of this machine and its virtual network; do not expect them elsewhere.',
      ].filter((item) => item !== null),
    ),
    discarded.length > 0
      ? table(
          'Runs that were not compared',
          [{ title: 'Run' }, { title: 'Status' }, { title: 'Why', prose: true }],
          discarded.map((run) => [
            html`<code>${run.id}</code>`,
            run.status === 'ok' ? 'finished' : run.status,
            html`${whyDiscarded(run)}${run.stderr ? html`<pre>${run.stderr}</pre>` : null}`,
          ]),
        )
      : html`<p>Every run that was done is compared${warmups > 0 ? ', warm-up aside' : ''}.</p>`,
  );
}

export function reproduceSection(results: Results): Markup {
  const { command, profile } = results.experiment;
  return section(
    'reproduce',
    'How to reproduce',
    html`<p>With the profile below in a file:</p>
<pre>${command || NONE}</pre>
<details><summary>The profile as it was written</summary><pre>${profile}</pre></details>`,
  );
}
